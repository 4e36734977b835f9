"""What survives a restart: sqlite files of mode 0600 under the data directory. All SQL of this package is here.

Commits reach the operating system, so a killed process loses nothing; a power cut may lose the last moments.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import BinaryIO

SCHEMA = """
create table if not exists records (
  kind text not null, name text not null, body blob not null, primary key (kind, name)
);
create table if not exists messages (
  subscription text not null, sequence integer not null, data blob not null, attributes text not null,
  ordering_key text not null, published_at text not null, failures integer not null,
  primary key (subscription, sequence)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One published message, as one subscription holds it. `sequence` is its id and grows with time."""

    sequence: int
    data: bytes
    attributes: dict[str, str]
    ordering_key: str
    published_at: datetime
    failures: int = 0


def private_directory(path: Path) -> Path:
    """Make a directory that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def claim_directory(path: Path) -> BinaryIO:
    """Claim a directory for this process while the file returned is open. Raises: OSError when it is taken."""
    file = (path / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OSError(f"{path} is in use by another emulator") from None
    (path / "lock").chmod(0o600)
    return file


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 so that a reader sees all of it or nothing."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    scratch.replace(path)


class Database:
    """One sqlite file, shared by threads."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # sqlite gives its side files the same mode
        self._lock = RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on;"
        )
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements as one change; a transaction inside a transaction joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it already
                    self._connection.execute("rollback")
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class Records:
    """Resources by kind and name, each one serialised."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transaction = database.transaction

    def get(self, kind: str, name: str) -> bytes | None:
        """Return one resource, or None."""
        with self._database.transaction() as connection:
            row = connection.execute("select body from records where kind = ? and name = ?", (kind, name)).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Insert or replace one resource."""
        with self._database.transaction() as connection:
            connection.execute(
                "insert into records (kind, name, body) values (?, ?, ?)"
                " on conflict (kind, name) do update set body = excluded.body",
                (kind, name, body),
            )

    def delete(self, kind: str, name: str) -> None:
        """Delete one resource, if it is there."""
        with self._database.transaction() as connection:
            connection.execute("delete from records where kind = ? and name = ?", (kind, name))

    def under(self, kind: str, parent: str) -> list[bytes]:
        """List the resources whose name begins with `parent`/, the oldest first ("" lists all)."""
        prefix = f"{parent}/" if parent else ""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "select body from records where kind = ? and substr(name, 1, ?) = ? order by rowid",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [bytes(row[0]) for row in rows]

    def names(self, kind: str, parent: str) -> list[str]:
        """List what follows `parent`/ in the names of the resources under it."""
        prefix = f"{parent}/"
        with self._database.transaction() as connection:
            rows = connection.execute(
                "select substr(name, ?) from records where kind = ? and substr(name, 1, ?) = ?",
                (len(prefix) + 1, kind, len(prefix), prefix),
            ).fetchall()
        return [str(row[0]) for row in rows]


class Journal:
    """The messages that no subscriber has acknowledged yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transaction = database.transaction

    def append(self, subscription: str, messages: Iterable[Message]) -> None:
        """Remember messages of one subscription."""
        rows = [
            (
                subscription,
                message.sequence,
                message.data,
                json.dumps(message.attributes),
                message.ordering_key,
                message.published_at.isoformat(),
                message.failures,
            )
            for message in messages
        ]
        with self._database.transaction() as connection:
            connection.executemany(
                "insert into messages (subscription, sequence, data, attributes, ordering_key, published_at, failures)"
                " values (?, ?, ?, ?, ?, ?, ?)"
                " on conflict (subscription, sequence) do update set failures = excluded.failures",
                rows,
            )

    def set_failures(self, subscription: str, sequence: int, failures: int) -> None:
        """Remember how often the delivery of a message failed."""
        with self._database.transaction() as connection:
            connection.execute(
                "update messages set failures = ? where subscription = ? and sequence = ?",
                (failures, subscription, sequence),
            )

    def forget(self, subscription: str, sequences: Iterable[int]) -> None:
        """Forget messages that were acknowledged or dropped."""
        with self._database.transaction() as connection:
            connection.executemany(
                "delete from messages where subscription = ? and sequence = ?",
                [(subscription, sequence) for sequence in sequences],
            )

    def forget_all(self, subscription: str) -> None:
        """Forget every message of one subscription."""
        with self._database.transaction() as connection:
            connection.execute("delete from messages where subscription = ?", (subscription,))

    def load(self, subscription: str) -> list[Message]:
        """List the messages of one subscription in the order they were published."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "select sequence, data, attributes, ordering_key, published_at, failures from messages"
                " where subscription = ? order by sequence",
                (subscription,),
            ).fetchall()
        return [Message(row[0], bytes(row[1]), json.loads(row[2]), row[3], _time(row[4]), row[5]) for row in rows]

    def last_sequence(self) -> int:
        """Return the highest sequence that is remembered, 0 when there is none."""
        with self._database.transaction() as connection:
            return int(connection.execute("select coalesce(max(sequence), 0) from messages").fetchone()[0])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
