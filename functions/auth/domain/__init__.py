"""Decisions: who may sign in, what becomes of a session, a member, a connection. No I/O, no clock, no randomness."""
