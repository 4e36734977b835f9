"""Parse, unit of work, reply."""
