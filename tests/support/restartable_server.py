"""A PostgreSQL of a test's own, which may be stopped, changed and read in ways that the shared one must not be."""

from __future__ import annotations

import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_emulator.database import wait_until_ready
from local_emulator.ports import reserve_port
from local_emulator.postgres import Embedded, identity, scratch_directory, with_database


@dataclass
class RestartableServer:
    """One embedded server on one port, started and stopped by a test.

    Attributes:
        log: everything that the server wrote.
    """

    backend: Embedded
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return with_database(self.backend.owner_url(self.port), "postgres")

    def start(self) -> None:
        """Start the server and wait until it accepts log-ins."""
        who = identity(self.backend.run_as)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.backend.command(self.port), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                user=who.user, group=who.group, extra_groups=who.extra_groups,
            )  # fmt: skip
        wait_until_ready(self.url)

    def stop(self) -> None:
        """Stop the server as an operator would: connections are ended, not waited for."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
            self.process = None


@contextmanager
def restartable_server() -> Iterator[RestartableServer]:
    """Run such a server; stopped and removed with the block."""
    with tempfile.TemporaryDirectory(prefix="driftwise-restart-", dir=scratch_directory()) as name:
        place = Path(name)
        place.chmod(0o711)
        backend = Embedded(place / "cluster", password=secrets.token_urlsafe(24), durable=False)
        backend.prepare()
        server = RestartableServer(backend, reserve_port(), place / "log")
        server.start()
        try:
            yield server
        finally:
            server.stop()
