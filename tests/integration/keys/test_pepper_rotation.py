"""The pepper is rotated while keys authenticate in several processes of the real function: no request fails."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event

import httpx
import pytest
from google.cloud.secretmanager_v1 import SecretPayload

from shared.data.migrations import connect
from shared.ports.secret_store import Secret
from tests.support.database import ClonedDatabase, owner_without_powers
from tests.support.function_process import FunctionProcess, function_process
from tests.support.google_emulator import Emulator
from tests.support.runbooks import queries_of
from tests.support.waiting import wait_until

PROJECT = "driftwise-local"
SECRET = f"projects/{PROJECT}/secrets/api-key-pepper"
FIRST = Secret(b"the first pepper, 32 bytes long.")
# The function as it is; it only asks for the newest pepper more often than once a minute.
SOURCE = """
from shared.security.secret_versions import SecretVersions
SecretVersions._fresh_seconds = 0.5
from functions.keys.main import keys as tiny
"""


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Emulator]:
    folder = tmp_path / "google"
    folder.mkdir()
    running = Emulator(folder)
    client = running.secrets()
    client.create_secret(
        parent=f"projects/{PROJECT}", secret_id="api-key-pepper", secret={"replication": {"automatic": {}}}
    )
    client.add_secret_version(parent=SECRET, payload=SecretPayload(data=FIRST.reveal()))
    yield running
    assert running.stop() == 0


@dataclass
class Fleet:
    """Processes of the keys function, and keys that are used at them all the time."""

    database: ClonedDatabase
    google: Emulator
    folder: Path
    stack: ExitStack
    path: str = ""
    keys: list[str] = field(default_factory=list)
    processes: list[FunctionProcess] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    failures: list[str] = field(default_factory=list)
    used: int = 0

    def start(self) -> FunctionProcess:
        folder = self.folder / f"process-{len(self.processes)}"
        folder.mkdir()
        variables = {
            "DW_DATABASE_URL": self.database.url("keys_login"), "DW_FUNCTION": "keys", "DW_ENTRY_POINT": "keys",
            "DW_PROJECT": PROJECT, "DW_SECRETS_ENDPOINT": self.google.endpoint, "DW_PUBSUB_ENDPOINT": self.google.endpoint,
            "DW_PUBLIC_URL": "http://driftwise.example", "THREADS": "4",
        }  # fmt: skip
        self.processes.append(self.stack.enter_context(function_process(folder, SOURCE, **variables)))
        return self.processes[-1]

    def ask(self, client: httpx.Client, process: FunctionProcess, key: str) -> int:
        return client.get(process.url + self.path, headers={"X-Api-Key": key}).status_code

    def use(self, keys: list[str]) -> None:
        """Use keys in turn, at each process in turn, until told to stop."""
        with httpx.Client(trust_env=False, timeout=30) as client:
            for key, process in zip(cycle(keys), cycle(self.processes), strict=False):
                if self.stop.is_set():
                    return
                status = self.ask(client, process, key)
                self.used += 1
                if status != 200:
                    self.failures.append(f"{status} at {process.port}")
                self.stop.wait(0.02)


@pytest.fixture
def fleet(database: ClonedDatabase, google: Emulator, tmp_path: Path) -> Iterator[Fleet]:
    org_id = database.make_org(plan="enterprise")
    maker_id = database.make_member(org_id, "owner")
    with ExitStack() as stack:
        found = Fleet(database, google, tmp_path, stack, path=f"/api/v2/orgs/{org_id}/api-keys")
        found.keys = [database.make_api_key(org_id, maker_id, pepper=FIRST)[1].reveal() for _ in range(7)]
        for _ in range(3):
            found.start()
        yield found


def keys_by_pepper(url: str) -> dict[int, int]:
    """Run the runbook's check as the owner of a managed database, who is no superuser."""
    (check,) = queries_of("api-key-pepper.md")
    with owner_without_powers(url) as owner, closing(connect(owner)) as connection:
        found: dict[int, int] = {}
        for statement in check:
            rows = connection.run(statement)
            found |= {row[0]: row[1] for row in rows or () if len(row) > 1}
        return found


def test_no_request_fails_while_the_pepper_is_rotated(fleet: Fleet) -> None:
    *live, dead = fleet.keys
    fleet.database.owner.run("update core.api_keys set revoked_at = now() where public_id = :id", id=dead[4:16])
    secrets = fleet.google.secrets()
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(fleet.use, live[number:] + live[:number]) for number in range(4)]
        try:
            wait_until(lambda: fleet.used > 50, "the keys are in use")
            assert keys_by_pepper(fleet.database.owner_url) == {1: 6}
            secrets.add_secret_version(parent=SECRET, payload=SecretPayload(data=b"the second pepper".ljust(32)))
            wait_until(
                lambda: keys_by_pepper(fleet.database.owner_url) == {2: 6},
                "every live key was hashed under the new pepper",
            )
            secrets.disable_secret_version(name=f"{SECRET}/versions/1")
            used = fleet.used
            wait_until(lambda: fleet.used > used + 50, "the keys stay in use")
        finally:
            fleet.stop.set()
        for item in running:
            item.result()
    assert fleet.failures == []
    fresh = fleet.start()  # one that never could read the first pepper
    with httpx.Client(trust_env=False, timeout=30) as client:
        assert {fleet.ask(client, fresh, key) for key in live} == {200}
        assert fleet.ask(client, fresh, dead) == 401, "a dead key still asks for the pepper that is gone"


def test_a_pepper_that_was_disabled_too_early_is_a_503_until_it_is_back(fleet: Fleet) -> None:
    secrets = fleet.google.secrets()
    secrets.add_secret_version(parent=SECRET, payload=SecretPayload(data=b"the second pepper".ljust(32)))
    secrets.disable_secret_version(name=f"{SECRET}/versions/1")
    fresh = fleet.start()
    with httpx.Client(trust_env=False, timeout=30) as client:
        assert fleet.ask(client, fresh, fleet.keys[0]) == 503
        secrets.enable_secret_version(name=f"{SECRET}/versions/1")
        wait_until(lambda: fleet.ask(client, fresh, fleet.keys[0]) == 200, "the key is good again")
