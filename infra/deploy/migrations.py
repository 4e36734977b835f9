"""The migrations job of Google Cloud: `python -m infra.deploy.migrations LOGIN=IDENTITY …`.

Runs before any function changes, as an identity that owns the schema. Applies migrations (none when it belongs to the release before, which is gone
back to), completes auditing, then lets each function's
identity into its login role and takes every other one out. Reads the same settings as a function (`DW_DATABASE_INSTANCE`, `_NAME`, `_USER`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pg8000 import native
from pg8000.core import CoreConnection

from shared.data.connections import Connections
from shared.data.migrations import MigrationError, Statements, migrate_through
from shared.http.errors import AppError
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import load_settings

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_LOGIN = re.compile(r"[a-z][a-z_]{0,55}_login")
_IDENTITY = re.compile(r"[a-z0-9][a-z0-9.-]*@[a-z0-9][a-z0-9.-]*\.iam")

# Whoever made a role may hand it on, and is a member for that alone; who may also use it is somebody whom it lets in.
_MEMBERS = """
select m.member::regrole::text as member
from pg_auth_members m
where m.roleid = cast(:login as regrole) and (m.inherit_option or m.set_option)
"""

_OFFERED = "select 1 from pg_available_extensions where name = 'pgaudit' and installed_version is null"


class Runner:
    """Runs statements on a connection that a connector opened."""

    def __init__(self, connection: CoreConnection) -> None:
        self._connection = connection

    def run(self, sql: str, **values: object) -> list[Any]:
        """Run one statement; its rows."""
        if not values:
            return self.execute_simple(sql)
        statement = native.PreparedStatement(self._connection, sql)
        try:
            return list(statement.run(**values) or ())
        finally:
            statement.close()

    def execute_simple(self, statement: str) -> list[Any]:
        """Run constant statements; their rows."""
        return list(self._connection.execute_simple(statement).rows or ())


def read_logins(arguments: Sequence[str]) -> dict[str, str]:
    """Read `LOGIN=IDENTITY` pairs.

    Raises:
        ValueError: one is no pair, or a name could be something else than a name.
    """
    found: dict[str, str] = {}
    for argument in arguments:
        login, _, identity = argument.partition("=")
        if not _LOGIN.fullmatch(login) or not _IDENTITY.fullmatch(identity) or login in found:
            raise ValueError(
                f"{argument!r}: say LOGIN=IDENTITY, e.g. keys_login=driftwise-keys@project.iam, each login once"
            )
        found[login] = identity
    return found


def let_in(owner: Statements, logins: Mapping[str, str]) -> list[str]:
    """Make each identity a member of its login role, and take out whoever else is one.

    A member inherits what the login role may do (the narrow lookups) and may step into its work role, as the login itself. An
    identity owns nothing and holds no right of its own.

    Returns:
        One line per change.
    """
    changes: list[str] = []
    for login, identity in logins.items():
        members = {str(row[0]).strip('"') for row in owner.run(_MEMBERS, login=login)}
        for other in sorted(members - {identity}):
            owner.execute_simple(f'revoke "{login}" from "{other}"')
            changes.append(f"{other} is no {login} any more")
        if identity not in members:
            owner.execute_simple(f'grant "{login}" to "{identity}" with inherit true, set true')
            changes.append(f"{identity} is {login}")
    return changes


def complete_auditing(owner: Statements) -> list[str]:
    """Create pgaudit's extension where the server has it: the flags alone write lines of DDL that name no object.

    Returns:
        One line per change.

    Source: https://cloud.google.com/sql/docs/postgres/pg-audit
    """
    if not owner.run(_OFFERED):
        return []
    owner.execute_simple("create extension pgaudit")
    return ["pgaudit names what statements are about"]


def main(arguments: Sequence[str]) -> int:
    """Run the job; returns the exit status."""
    try:
        logins = read_logins(arguments)
        _migrate(logins)
    except (AppError, MigrationError, ValueError, native.DatabaseError, native.InterfaceError, OSError) as error:
        sys.stderr.write(f"migrations: {error or type(error).__name__}\n")
        return 1
    return 0


def _migrate(logins: Mapping[str, str]) -> None:
    settings = load_settings()
    connections = Connections(settings, GoogleSecretStore(settings))
    try:
        connection = connections.open()
        try:
            _without_limits(connection)
            runner = Runner(connection)
            count = migrate_through(runner, MIGRATIONS, _say, may_be_ahead=True)
            audited = complete_auditing(runner)
            changes = let_in(runner, logins)
        finally:
            with suppress(native.InterfaceError, OSError):
                connection.close()
    finally:
        connections.close()
    for change in [*audited, *changes]:
        _say(change)
    _say(f"{count} applied, {len(changes)} changes of who may log in")


def _without_limits(connection: CoreConnection) -> None:
    """Lift the limits of a function's session: building an index may take as long as it takes."""
    socket = connection._usock  # noqa: SLF001  # the connector takes no time limit, so `Connections` sets one on the socket
    if socket is not None:
        socket.settimeout(None)
    connection.execute_simple("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
