"""Decisions of plan analysis; no I/O."""
