"""Cloud SQL through its connector: whatever it does, callers are told in time, and it works again by itself."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import google.auth
import google.cloud.sql.connector
import pytest
from aiohttp import ServerDisconnectedError
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from pg8000 import dbapi

from shared.data import connections
from shared.data.database import Database
from shared.data.errors import DatabaseAway
from shared.settings import Settings
from shared.testing.queue import MemoryQueue
from shared.testing.secret_store import MemorySecretStore
from tests.support.database import ClonedDatabase
from tests.support.gate import Gate, gate_before
from tests.support.redis_server import free_port

PING = "select 1 as up"
WAIT_SECONDS = 20  # nothing here takes that long, unless nothing ends it
CLOUD_SQL = Settings(
    env="production", function="keys", database_instance="p:r:i", database_user="keys@p.iam", pool_size=2
)


def ping(db: Database) -> list[dict[str, Any]]:
    """Ask something; fails when no answer and no error comes at all."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(outcome(db)), daemon=True)
    thread.start()
    thread.join(WAIT_SECONDS)
    assert found, "the caller waits for ever"
    if isinstance(found[0], BaseException):
        raise found[0]
    rows: list[dict[str, Any]] = found[0]
    return rows


def outcome(db: Database) -> object:
    try:
        return db.lookup(PING)
    except BaseException as error:  # noqa: BLE001  # handed to the test's own thread
        return error


@dataclass
class Instance:
    """What stands in for the connector: it opens connections to a real server, unless a test says otherwise.

    Attributes:
        failure: what connecting ends with.
        is_stuck: connecting blocks the connector's thread, as it does while a server does not answer.
        made: how many connectors there were.
    """

    url: str
    failure: BaseException | None = None
    is_stuck: bool = False
    made: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def connector(self, **_options: object) -> Instance:
        self.made += 1
        return self

    async def connect_async(self, *_arguments: object, **_options: object) -> dbapi.Connection:
        await asyncio.sleep(0)
        if self.is_stuck:
            self.is_over.wait(WAIT_SECONDS)
        if self.failure is not None:
            raise self.failure
        parts = urlsplit(self.url)
        return dbapi.connect(
            unquote(parts.username or ""), host=parts.hostname or "", port=parts.port or 0, password=parts.password,
            database=parts.path.lstrip("/"), ssl_context=False,
        )  # fmt: skip

    async def close_async(self) -> None:
        """Nothing to close."""


@pytest.fixture
def gate(database: ClonedDatabase) -> Iterator[Gate]:
    with gate_before(urlsplit(database.owner_url).netloc.rpartition("@")[2]) as found:
        yield found


@pytest.fixture
def instance(database: ClonedDatabase, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    login = urlsplit(database.url("keys_login"))
    url = login._replace(netloc=f"{login.netloc.rpartition('@')[0]}@{gate.address}").geturl()
    found = Instance(url)
    monkeypatch.setattr(google.cloud.sql.connector, "Connector", found.connector)
    yield found
    found.is_over.set()


@pytest.fixture
def db() -> Iterator[Database]:
    with ExitStack() as stack:
        made = Database(CLOUD_SQL, MemoryQueue(), MemorySecretStore())
        stack.callback(made.close)
        yield made


def test_it_works(instance: Instance, db: Database) -> None:
    for _ in range(3):
        assert ping(db) == [{"up": 1}]
    assert instance.made == 1


def test_a_connector_that_hangs_is_given_up(instance: Instance, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_CONNECT_SECONDS", 0.2)
    instance.is_stuck = True
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: outcome(db), range(2)))
    assert [type(item).__name__ for item in told] == ["DatabaseSilent"] * 2
    monkeypatch.setattr(connections, "_CONNECT_SECONDS", WAIT_SECONDS)
    instance.is_stuck = False
    assert ping(db) == [{"up": 1}]
    assert instance.made >= 2


def test_a_server_that_falls_silent_keeps_nobody_waiting_for_ever(
    instance: Instance, gate: Gate, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_SOCKET_SECONDS", 0.5)
    assert ping(db) == [{"up": 1}]
    gate.fall_silent()
    with pytest.raises(DatabaseAway):
        ping(db)
    gate.open()
    monkeypatch.setattr(connections, "_SOCKET_SECONDS", WAIT_SECONDS)
    assert ping(db) == [{"up": 1}]


@pytest.mark.parametrize(
    "failure",
    [
        ServerDisconnectedError(),
        RefreshError("the metadata server does not answer"),
        ConnectionRefusedError(),
        KeyError(("p:r:i", True)),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_whatever_the_connector_fails_with_is_503_database_away(
    instance: Instance, db: Database, failure: BaseException
) -> None:
    instance.failure = failure
    with pytest.raises(DatabaseAway):
        ping(db)
    instance.failure = None
    assert ping(db) == [{"up": 1}]


# --- the connector itself, with everything it talks to away ------------------------------------------------------------


class Identity(Credentials):  # type: ignore[misc]  # google.auth is untyped
    """An identity that can be had."""

    def refresh(self, request: object) -> None:  # noqa: ARG002  # the base class names it
        self.token = "token"  # noqa: S105  # of nobody
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


def test_a_process_without_an_identity_gets_one_later(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = google.cloud.sql.connector.Connector
    nobody = f"http://127.0.0.1:{free_port()}"

    def default(**_options: object) -> tuple[Credentials, str]:
        asked.append("identity")
        if len(asked) == 1:
            raise DefaultCredentialsError("the metadata server does not answer")
        return Identity(), "p"

    monkeypatch.setattr(google.auth, "default", default)
    monkeypatch.setattr(
        google.cloud.sql.connector, "Connector", lambda **options: real(**options, sqladmin_api_endpoint=nobody)
    )
    for _ in range(3):
        with pytest.raises(DatabaseAway) as caught:
            ping(db)
    assert asked == ["identity"] * 2, "the first connector that could be made is not kept"
    assert "Cannot connect to host 127.0.0.1" in "".join(traceback.format_exception(caught.value))
