"""What a caller sees when the database cannot serve a request."""

from __future__ import annotations

from shared.http.errors import AppError


class DatabaseAway(AppError):
    """503 `database_away`: the database cannot be reached or ended the connection."""

    code, status, title = "database_away", 503, "The database is away"

    def __init__(self, detail: str = "nothing was stored; try again shortly") -> None:
        super().__init__(detail, retry_after_seconds=5)


class DatabaseSilent(DatabaseAway):
    """503 `database_away`: the database took the connection, or should have, and said nothing in time."""


class OutcomeUnknown(DatabaseAway):
    """503 `outcome_unknown`: the connection ended between the commit and its answer."""

    code, title = "outcome_unknown", "The database did not answer"

    def __init__(self) -> None:
        super().__init__("the change may or may not be stored; look, or send it again with the same Idempotency-Key")


class PoolExhausted(AppError):
    """503 `database_busy`: every connection of this instance is in use."""

    code, status, title = "database_busy", 503, "The database is busy"

    def __init__(self) -> None:
        super().__init__("nothing was stored; try again shortly", retry_after_seconds=1)


class QueryTimeout(AppError):
    """503 `query_timeout`: a statement or a lock took too long and was cancelled."""

    code, status, title = "query_timeout", 503, "The database took too long"

    def __init__(self) -> None:
        super().__init__("nothing was stored; try again shortly", retry_after_seconds=2)


class WriteConflict(AppError):
    """503 `write_conflict`: two writers got in each other's way; one of them was asked to start over."""

    code, status, title = "write_conflict", 503, "Two changes met"

    def __init__(self) -> None:
        super().__init__("nothing was stored; try again", retry_after_seconds=1)


class UniqueViolated(Exception):
    """A unique rule refused a row; the domain says what that means. Never leaves a handler unconverted."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class TransactionAborted(Exception):
    """A handler went on after a failed statement; nothing of the unit of work was stored. A defect, so a 500."""


class IdempotencyMismatch(AppError):
    """409 `idempotency_mismatch`: the same Idempotency-Key came with another request."""

    code, status, title = "idempotency_mismatch", 409, "This Idempotency-Key belongs to another request"


class AlreadyHandled(Exception):
    """An event that was handled before; the sender gets its 2xx and nothing happens."""


class RowInUse(Exception):
    """Other rows point at one that was to be deleted; the domain says what that means. Never leaves a handler unconverted."""
