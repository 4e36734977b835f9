"""The ways out: what sends a message that is written. Knows no database."""
