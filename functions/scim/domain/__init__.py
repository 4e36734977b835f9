"""SCIM's decisions: schemas, filters, PATCH, projection, paging, bulk. Pure: no I/O, no clock, no randomness (ADR 0025)."""
