"""The rules that say what is bad about a change, whether a plan announces it or drift has made it.

Pure: no I/O, no clock, no randomness, no framework. Both `scan` (how bad is this drift) and `analyze` (how bad is this plan)
judge by these rules, so that a change means the same to both. Source: ADR-0018.
"""
