"""Scans: reads clouds and states, compares them, keeps what differs."""
