"""Connections in Google Cloud: what the connector had at hand is out of date, and the next connection has it anew.

The connector is outside of this machine: a stand-in answers in its place, as version 1.23 does.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud.sql import connector as connector_module
from pg8000.exceptions import DatabaseError, InterfaceError

from shared.data.connections import Connections
from shared.data.errors import DatabaseAway
from shared.data.sessions import Session
from shared.settings import Settings
from shared.testing.secret_store import MemorySecretStore

SETTINGS = Settings(
    env="production", function="keys", database_instance="p:r:i", database_user="keys@p.iam", database_name="driftwise"
)
NEW_AUTHORITY = ssl.SSLCertVerificationError("certificate verify failed: unable to get local issuer certificate")
OLD_TOKEN = DatabaseError({"C": "28000", "M": "Cloud SQL IAM user authentication failed"})
NO_SUCH_DATABASE = DatabaseError({"C": "3D000", "M": "database does not exist"})


@dataclass
class FakeConnector:
    """Answers with the next of its outcomes; an exception is raised."""

    outcomes: list[object]
    options: dict[str, Any] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, **options: Any) -> FakeConnector:
        self.options = options
        return self

    async def connect_async(self, instance: str, driver: str, **options: Any) -> object:
        self.calls.append({"instance": instance, "driver": driver, **options})
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close_async(self) -> None:
        """Nothing runs in the background."""


@dataclass
class FakeConnection:
    """An open connection; its socket is the connector's business."""

    _usock: None = None


CONNECTION = FakeConnection()


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeConnector]:
    fake = FakeConnector([])
    monkeypatch.setattr(connector_module, "Connector", fake)
    yield fake
    assert not fake.outcomes, "fewer connections were tried than the test says"


def test_no_password_is_involved_and_the_address_is_private(connector: FakeConnector) -> None:
    connector.outcomes = [CONNECTION]
    assert Connections(SETTINGS, MemorySecretStore()).open() is CONNECTION
    assert connector.options["ip_type"] is connector_module.IPTypes.PRIVATE
    (call,) = connector.calls
    assert call["enable_iam_auth"] is True
    assert (call["instance"], call["driver"], call["user"], call["db"]) == (
        "p:r:i",
        "pg8000",
        "keys@p.iam",
        "driftwise",
    )
    assert not [name for name in call if "passw" in name]


@pytest.mark.parametrize("outdated", [NEW_AUTHORITY, OLD_TOKEN], ids=["a new server authority", "an old token"])
def test_what_was_out_of_date_costs_no_request(connector: FakeConnector, outdated: Exception) -> None:
    connector.outcomes = [outdated, CONNECTION]
    assert Connections(SETTINGS, MemorySecretStore()).open() is CONNECTION


@pytest.mark.parametrize("outdated", [NEW_AUTHORITY, OLD_TOKEN], ids=["a wrong server authority", "a refused login"])
def test_what_stays_wrong_is_database_away(connector: FakeConnector, outdated: Exception) -> None:
    connector.outcomes = [outdated, outdated]
    with pytest.raises(DatabaseAway):
        Session(Connections(SETTINGS, MemorySecretStore()).open)


@pytest.mark.parametrize("error", [NO_SUCH_DATABASE, InterfaceError("network error"), TimeoutError()])
def test_other_failures_are_not_tried_again(connector: FakeConnector, error: Exception) -> None:
    connector.outcomes = [error]
    with pytest.raises(type(error)):
        Connections(SETTINGS, MemorySecretStore()).open()
