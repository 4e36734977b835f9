"""Parse, unit of work, reply; one module per subject."""
