"""One database connection: statements prepared once, failures turned into the errors of `errors.py`.

Owns everything that is particular to pg8000. Knows neither tenants nor transactions. Loads the driver, so it is imported
with the first connection and not before: other modules take their row type from `rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from pg8000 import native
from pg8000.converters import TIMESTAMPTZ, timestamptz_in
from pg8000.core import IN_FAILED_TRANSACTION, CoreConnection
from pg8000.exceptions import DatabaseError, InterfaceError

from .connections import sqlstate
from .errors import DatabaseAway, DatabaseSilent, QueryTimeout, RowInUse, UniqueViolated, WriteConflict
from .rows import Row

_PREPARED_AT_MOST = 200
_CLOSED = "42501"  # insufficient_privilege, while connecting: an operator has closed this database to functions (infra/recovery)
_SQLSTATE_ERRORS: dict[str, Callable[[], Exception]] = {
    "57014": QueryTimeout,  # query_canceled: statement_timeout
    "55P03": QueryTimeout,  # lock_not_available: lock_timeout
    "25P03": QueryTimeout,  # idle_in_transaction_session_timeout
    "25P04": QueryTimeout,  # transaction_timeout
    "28P01": DatabaseAway,  # invalid_password
    "28000": DatabaseAway,  # invalid_authorization_specification
    "23001": RowInUse,  # restrict_violation
    "40001": WriteConflict,  # serialization_failure
    "40P01": WriteConflict,  # deadlock_detected
    "57P01": DatabaseAway,  # admin_shutdown
    "57P02": DatabaseAway,  # crash_shutdown
    "57P03": DatabaseAway,  # cannot_connect_now
}
# By class (the first two characters): what the server lacks (connections, memory, disk), and what its system refused it.
_CLASS_ERRORS: dict[str, Callable[[], Exception]] = {"53": DatabaseAway, "58": DatabaseAway}


class Session:
    """One connection. Not thread-safe; the pool hands it to one unit of work at a time."""

    def __init__(self, connect: Callable[[], CoreConnection]) -> None:
        """Open the connection.

        Raises:
            DatabaseAway: (503 `database_away`) it cannot be opened.
            ServiceAway: (503 `service_away`) its password cannot be read.
        """
        try:
            self._connection = connect()
        except (InterfaceError, OSError) as error:
            raise _away(error) from error
        except DatabaseError as error:
            if sqlstate(error) == _CLOSED:
                raise DatabaseAway from error
            _raise_typed(error)
        self._connection.register_in_adapter(TIMESTAMPTZ, _moment)
        self._prepared: dict[str, native.PreparedStatement] = {}

    @property
    def has_failed(self) -> bool:
        """Whether a statement of the open transaction failed, so that nothing of it can be stored any more."""
        return bool(self._connection._transaction_status == IN_FAILED_TRANSACTION)  # noqa: SLF001  # no other way to ask

    def simple(self, script: str) -> list[Any]:
        """Run one or more constant statements in one round trip; returns the rows of all of them."""
        try:
            return list(self._connection.execute_simple(script).rows or ())
        except DatabaseError as error:
            _raise_typed(error)
        except (InterfaceError, OSError, AttributeError) as error:  # AttributeError: pg8000 after the socket is gone
            raise _away(error) from error

    def run(self, sql: str, **values: object) -> list[Row]:
        """Run one statement with named parameters (`:name`); prepared on first use."""
        try:
            statement = self._prepared.get(sql) or self._prepare(sql)
            rows = statement.run(**values)
            names = [column["name"] for column in statement.columns or ()]
        except DatabaseError as error:
            _raise_typed(error)
        except (InterfaceError, OSError, AttributeError) as error:
            raise _away(error) from error
        return [dict(zip(names, row, strict=True)) for row in rows or ()]

    def close(self) -> None:
        """Close the connection; a connection that is gone already is closed enough."""
        with suppress(InterfaceError, DatabaseError, OSError, AttributeError):
            self._connection.close()

    def _prepare(self, sql: str) -> native.PreparedStatement:
        if len(self._prepared) >= _PREPARED_AT_MOST:
            self._prepared.pop(next(iter(self._prepared))).close()
        statement = native.PreparedStatement(self._connection, sql)
        self._prepared[sql] = statement
        return statement


def _moment(text: str) -> object:
    """Read a timestamp with time zone; pg8000's own way (`strptime`) takes ten times as long."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # infinity, and years that Python does not know
        return timestamptz_in(text)


def _away(error: BaseException | None) -> DatabaseAway:
    """Return what a lost connection means; pg8000 hides a time limit that was reached behind an error of its own."""
    while error is not None:
        if isinstance(error, TimeoutError):
            return DatabaseSilent()
        error = error.__cause__
    return DatabaseAway()


def _raise_typed(error: DatabaseError) -> NoReturn:
    state = sqlstate(error)
    if state == "23505":
        raise UniqueViolated(str(error.args[0].get("n", ""))) from error
    found = _SQLSTATE_ERRORS.get(state) or _CLASS_ERRORS.get(state[:2])
    if found is not None:
        raise found() from error
    raise error
