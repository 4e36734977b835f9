"""Structured logs and request context. Never logs a body, a header value or a secret."""
