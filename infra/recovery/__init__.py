"""Getting the suite back: a database to a point in time, and everything that a restore does not bring back by itself.

An operator runs it: `python -m infra.recovery --help`. What is decided here and why stands in ADR-0045; the runbooks are
`infra/runbooks/restore-database.md` and `infra/runbooks/rotate-everything.md`.
"""
