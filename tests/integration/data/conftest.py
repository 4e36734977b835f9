"""A server that can be stopped and started again, which the shared one must not be."""

from __future__ import annotations

import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_emulator.database import wait_until_ready
from local_emulator.ports import reserve_port
from local_emulator.postgres import Embedded, identity, with_database
from tests.support.database import DatabaseServer, prepare_server


@dataclass
class RestartableServer:
    """One embedded server on one port, started and stopped by a test."""

    backend: Embedded
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return with_database(self.backend.owner_url(self.port), "postgres")

    def start(self) -> None:
        """Start the server and wait until it accepts log-ins."""
        who = identity(self.backend.run_as)
        self.process = subprocess.Popen(
            self.backend.command(self.port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", user=who.user, group=who.group, extra_groups=who.extra_groups,
        )  # fmt: skip
        wait_until_ready(self.url)

    def stop(self) -> None:
        """Stop the server as an operator would: connections are ended, not waited for."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="module")
def restartable_place() -> Iterator[RestartableServer]:
    with tempfile.TemporaryDirectory(prefix="driftwise-restart-") as name:
        place = Path(name)
        place.chmod(0o711)
        backend = Embedded(place / "cluster", password=secrets.token_urlsafe(24), durable=False)
        backend.prepare()
        server = RestartableServer(backend, reserve_port())
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def restartable_databases(restartable_place: RestartableServer) -> DatabaseServer:
    return prepare_server(restartable_place.url)


@pytest.fixture
def restartable(restartable_place: RestartableServer) -> Iterator[RestartableServer]:
    yield restartable_place
    if restartable_place.process is None:
        restartable_place.start()
