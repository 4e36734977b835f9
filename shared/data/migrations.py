"""The migrations runner: plain SQL files, forward only, sealed by hash, one runner at a time.

Run as the database's owner, before the functions: `python -m shared.data.migrations URL [DIRECTORY]`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pg8000 import native

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LEAVES_TRANSACTION = re.compile(
    r"^\s*(commit|rollback|abort|savepoint|start\s+transaction)\b", re.IGNORECASE | re.MULTILINE
)
_LOCK = 0x6472696674  # "drift": the advisory lock that lets one runner through at a time
_THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}
_TABLE = """
create table if not exists public.schema_migrations (
  version    integer primary key,
  name       text not null,
  sha256     bytea not null,
  applied_at timestamptz not null default now()
)
"""


class MigrationError(Exception):
    """The files and the database do not fit together; nothing of the failing file was applied."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file.

    Attributes:
        version: the number its name starts with.
        name: file name.
        sql: its text.
    """

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        """The seal: a file that was applied must never change."""
        return hashlib.sha256(self.sql.encode()).digest()


def read_migrations(directory: Path) -> list[Migration]:
    """Read the files of a directory in order.

    Raises:
        MigrationError: a name is malformed, the numbers are not 1, 2, 3, …, or a file ends its own transaction.
    """
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: name it like 0007_api_keys.sql")
        sql = path.read_text("utf-8")
        if _LEAVES_TRANSACTION.search(sql):
            raise MigrationError(f"{path.name}: each file is one transaction, which only the runner begins and ends")
        found.append(Migration(int(match[1]), path.name, sql))
    if [item.version for item in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"{directory}: numbers must run 0001, 0002, … without a gap")
    return found


def migrate(url: str, directory: Path, report: Callable[[str], None] = lambda _line: None) -> int:
    """Apply what is missing; each file in a transaction of its own.

    Args:
        url: `postgresql://owner:password@host:port/database`.
        directory: where the files are.
        report: gets one line per applied file.

    Returns:
        How many files were applied.

    Raises:
        MigrationError: an applied file was changed or removed, a file failed, or the database cannot be reached.
    """
    read_migrations(directory)  # what is wrong with the files needs no database
    try:
        connection = connect(url, timeout_seconds=None)  # building an index may take as long as it takes
    except (native.InterfaceError, native.DatabaseError, OSError) as error:
        raise MigrationError(f"the database cannot be reached: {_text(error)}") from error
    try:
        return migrate_through(connection, directory, report)
    finally:
        with suppress(native.InterfaceError, OSError):
            connection.close()


class Statements(Protocol):
    """What migrations need of a connection."""

    def run(self, sql: str, **values: object) -> Any:
        """Run one statement with named parameters (`:name`) and return its rows."""
        ...

    def execute_simple(self, statement: str) -> Any:
        """Run one or more constant statements."""
        ...


def migrate_through(
    connection: Statements,
    directory: Path,
    report: Callable[[str], None] = lambda _line: None,
    *,
    may_be_ahead: bool = False,
) -> int:
    """Apply what is missing through a connection that is open already; see `migrate`.

    Args:
        connection: of the owner.
        directory: where the files are.
        report: gets one line per applied file.
        may_be_ahead: whether the database may know later files than these: a release that is gone back to finds what the release after it
            added, and can live with that (infra/lint/contraction.py).
    """
    migrations = read_migrations(directory)
    try:
        connection.run(f"select pg_advisory_lock({_LOCK})")
        connection.run("set lock_timeout = '30s'")
        connection.run(_TABLE)
        applied = {
            row[0]: bytes(row[1])
            for row in connection.run("select version, sha256 from public.schema_migrations") or ()
        }
        later = sorted(set(applied) - {item.version for item in migrations})
        if may_be_ahead and later and later[0] == len(migrations) + 1:
            report(
                f"the database is ahead by {len(later)}: {later[0]:04d} and what follows are of a later release, and stay"
            )
            applied = {version: seal for version, seal in applied.items() if version not in later}
        _check_seals(migrations, applied)
        pending = [item for item in migrations if item.version not in applied]
        for item in pending:
            _apply(connection, item)
            report(f"applied {item.name}")
        return len(pending)
    except (native.InterfaceError, native.DatabaseError, OSError) as error:
        raise MigrationError(_text(error)) from error


def connect(url: str, *, timeout_seconds: float | None = 60) -> native.Connection:
    """Open a plain connection by URL, for tools that run as the owner.

    Args:
        url: `postgresql://owner:password@host:port/database`.
        timeout_seconds: how long to wait for each answer; None for as long as it takes.
    """
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    return native.Connection(
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password) if parts.password else None,
        host=host,
        port=parts.port or 5432,
        database=parts.path.lstrip("/") or "postgres",
        timeout=timeout_seconds,
        # None asks for TLS, and reads all of the system's certificates before: nobody listens in on what stays on this machine.
        ssl_context=False if host in _THIS_MACHINE else None,
    )


def _check_seals(migrations: list[Migration], applied: dict[int, bytes]) -> None:
    known = {item.version: item for item in migrations}
    for version, seal in sorted(applied.items()):
        if version not in known:
            raise MigrationError(f"the database is ahead: it knows migration {version:04d}, the files do not")
        if known[version].sha256 != seal:
            raise MigrationError(f"{known[version].name} was changed after it was applied; write a new migration")


def _apply(connection: Statements, item: Migration) -> None:
    connection.run("begin")
    try:
        connection.execute_simple(item.sql)
        connection.run(
            "insert into public.schema_migrations (version, name, sha256) values (:version, :name, :sha256)",
            version=item.version,
            name=item.name,
            sha256=item.sha256,
        )
        connection.run("commit")
    except (native.DatabaseError, native.InterfaceError, OSError) as error:
        with suppress(native.DatabaseError, native.InterfaceError, OSError):  # a lost connection rolls back by itself
            connection.run("rollback")
        raise MigrationError(f"{item.name}: {_text(error)}") from error


def _text(error: Exception) -> str:
    facts = error.args[0] if error.args else None
    return str(facts.get("M", error)) if isinstance(facts, dict) else str(error)


def main(arguments: list[str]) -> int:
    """Run the migrations from a shell."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m shared.data.migrations URL [DIRECTORY]\n")
        return 2
    directory = Path(arguments[1] if len(arguments) == 2 else "infra/migrations")
    try:
        count = migrate(arguments[0], directory, report=_say)
    except MigrationError as error:
        sys.stderr.write(f"migrations: {error}\n")
        return 1
    _say(f"{count} applied, up to date")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
