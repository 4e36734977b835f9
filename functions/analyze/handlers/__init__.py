"""Handlers: parse, unit of work, reply."""
