"""What goes into the database before the first request: the schema and the functions' logins.

Owns no schema: that is `infra/migrations`, applied by `shared.data.migrations` as the owner.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .errors import EmulatorError

if TYPE_CHECKING:
    import pg8000.dbapi

Migrate = Callable[[str, Path], object]


def connect(url: str, *, timeout_seconds: float = 10.0) -> pg8000.dbapi.Connection:
    """Open a connection that commits each statement by itself."""
    import pg8000.dbapi

    parts = urlsplit(url)
    connection = pg8000.dbapi.connect(
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.hostname or "",
        port=parts.port or 5432,
        database=unquote(parts.path.strip("/")) or None,
        timeout=timeout_seconds,
    )
    connection.autocommit = True
    return connection


def wait_until_ready(url: str, *, timeout_seconds: float = 60.0) -> None:
    """Return once the server accepts logins (it listens a little earlier).

    Raises:
        EmulatorError: it did not within the time, or refuses the owner.
    """
    import pg8000.exceptions

    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connect(url).close()
        except (pg8000.exceptions.Error, OSError) as error:
            facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
            if facts.get("C") in {"28000", "28P01", "3D000"}:  # wrong login, wrong password, no such database
                raise EmulatorError(f"PostgreSQL refuses {_place(url)}: {facts.get('M')}") from error
            if time.monotonic() > deadline:
                raise EmulatorError(f"PostgreSQL at {_place(url)} does not answer: {error}") from error
            time.sleep(0.05)
        else:
            return


def ensure_database(url: str, name: str) -> None:
    """Create a database when the server has none of that name.

    Args:
        url: the owner's URL of a database that exists.
        name: lower-case identifier.
    """
    with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", (name,))
        if cursor.fetchone() is None:
            cursor.execute(f'create database "{name}"')


def migrate(url: str, directory: Path, runner: Migrate | None = None) -> None:
    """Apply the migrations as the owner.

    Args:
        url: the owner's URL.
        directory: where the migrations are.
        runner: instead of `shared.data.migrations.migrate`.
    """
    from shared.data import migrations

    try:
        (runner or migrations.migrate)(url, directory)
    except migrations.MigrationError as error:
        raise EmulatorError(f"the migrations were not applied: {error}") from error


def enable_logins(url: str, passwords: Mapping[str, str]) -> None:
    """Let the functions' roles log in.

    Args:
        url: the owner's URL.
        passwords: login role to password; both without quotes or backslashes.

    Raises:
        EmulatorError: the migrations did not create one of the roles.
    """
    missing = sorted(set(passwords) - existing_roles(url, passwords))
    if missing:
        raise EmulatorError(f"the migrations did not create the database role {', '.join(missing)}")
    with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
        for role, password in passwords.items():
            if set(f"{role}{password}") & set("'\"\\"):
                raise ValueError("a role or password has a character that would need quoting")
            cursor.execute(f"alter role \"{role}\" login password '{password}'")


def existing_roles(url: str, names: Iterable[str]) -> set[str]:
    """Return which of the roles exist."""
    with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("select rolname from pg_roles where rolname = any(%s)", (list(names),))
        return {str(row[0]) for row in cursor.fetchall()}


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
