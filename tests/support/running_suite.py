"""A running suite for journeys: one emulator for each test process, or the one that DRIFTWISE_EMULATOR describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pg8000 import native

from infra.suite import load_suite
from local_emulator.postgres import scratch_directory
from shared.data.migrations import connect

ROOT = Path(__file__).parents[2]
_START_SECONDS, _ANSWER_SECONDS, _TICK_SECONDS = 120, 30.0, 60.0


@dataclass
class RunningSuite:
    """What `emulator.json` says of a running emulator.

    Attributes:
        url: the gateway's address, which people and machines use.
        org_id: the seeded organisation; its people and keys have every role and scope. Nothing is seeded in a part of a suite.
        tokens: role to access token; also `platform_admin`.
        api_keys: scope to API key.
        databases: login role to URL; also `owner`.
        log_files: of every process; empty when its data directory is not at hand.
    """

    url: str
    org_id: UUID
    tokens: Mapping[str, str]
    api_keys: Mapping[str, str]
    databases: Mapping[str, str]
    processes: Mapping[str, int]
    logs: Path
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False))

    @classmethod
    def of(cls, file: Path) -> RunningSuite:
        """Read an `emulator.json`."""
        found = json.loads(file.read_bytes())
        return cls(
            url=found["gateway"],
            org_id=UUID(found.get("org_id", UUID(int=0).hex)),
            tokens=found.get("tokens", {}),
            api_keys=found.get("api_keys", {}),
            databases=found["databases"],
            processes={item["name"]: item["port"] for item in found["processes"]},
            logs=file.parent / "logs",
        )

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """Send one request through the gateway.

        Args:
            token: access token or API key.
            options: of httpx: `json`, `content`, `headers`.
        """
        headers = dict(options.pop("headers", None) or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.request(method, self.url + path, headers=headers, **options)

    def org(self, path: str, org_id: UUID | None = None) -> str:
        """Return a path below an organisation, the seeded one by default."""
        return f"/api/v2/orgs/{org_id or self.org_id}{path}"

    def owner(self) -> native.Connection:
        """Open a connection as the database's owner, to arrange and to look."""
        return connect(self.databases["owner"])

    def sign_in_anew(self) -> None:
        """Let the seeded people have signed in this moment: some calls want a sign-in of the last 15 minutes."""
        connection = self.owner()
        try:
            connection.run(
                "update core.sessions set signed_in_at = now() where kind = 'terminal' and revoked_at is null"
            )
        finally:
            connection.close()

    def warm(self) -> None:
        """Have the token keys published once, so that no test depends on how quickly a cold `auth` does it.

        A function gives `auth` five seconds for them, which is plenty but for the first answer of a cold process on a busy machine. The call
        that waits for it is refused with 503: a customer tries again, and a test takes it for a failure.
        """
        reply = self.call("GET", "/.well-known/jwks.json", timeout=_START_SECONDS)
        assert reply.status_code == 200, f"no token keys: {reply.text}"

    def tick(self, schedule: str) -> dict[str, Any]:
        """Fire a schedule, as Cloud Scheduler does; returns the answer."""
        described = json.loads((self.logs.parent / "emulator.json").read_bytes())
        fired = load_suite().schedules[schedule]
        worker = f"http://127.0.0.1:{self.processes[fired.entry_point]}"
        tokens = f"{described['google']['http']}/_token"
        token = self.client.get(tokens, params={"audience": worker}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        reply = self.client.post(worker + fired.path, headers=headers, content=b"{}", timeout=_TICK_SECONDS)
        assert reply.status_code == 200, f"{schedule}: {reply.text}"
        found: dict[str, Any] = reply.json()
        return found

    def log_files(self) -> list[Path]:
        """Return every log file."""
        return sorted(self.logs.glob("*.log"))


@contextmanager
def running_emulator() -> Iterator[RunningSuite]:
    """Run a whole suite, or join the one that DRIFTWISE_EMULATOR describes; ended with the block."""
    if given := os.environ.get("DRIFTWISE_EMULATOR"):
        yield RunningSuite.of(Path(given))
        return
    with tempfile.TemporaryDirectory(
        prefix="driftwise-e2e-", dir=scratch_directory(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs as a user of its own, which must be able to pass through
        with running_part(Path(folder), "--port", "0") as suite:
            yield suite


@contextmanager
def running_part(folder: Path, *options: str) -> Iterator[RunningSuite]:
    """Run a suite of the test's own, or a part of one; ended with the block.

    Args:
        folder: where its state goes; others must be able to pass through, as PostgreSQL runs as a user of its own.
        options: of `python -m local_emulator up`.
    """
    data_dir = folder / "data"
    try:
        started = _run("up", data_dir, *options)
        assert started.returncode == 0, f"the emulator did not start:\n{started.stdout}\n{started.stderr}"
        suite = RunningSuite.of(data_dir / "emulator.json")
        if "auth" in suite.processes:
            suite.warm()
        yield suite
        suite.client.close()
    finally:
        _run("down", data_dir)


def _run(command: str, data_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "local_emulator", command, "--data-dir", str(data_dir), *options]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=_START_SECONDS, check=False)


def problem(response: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that an answer is a problem of this status (and code), and return its members."""
    told = f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:500]}"
    assert response.status_code == status, told
    assert response.headers["content-type"] == "application/problem+json", told
    found: dict[str, Any] = response.json()
    assert code is None or found["code"] == code, told
    assert found["status"] == status, told
    assert found["type"] == f"urn:driftwise:problem:{found['code']}", told
    assert found["request_id"] == response.headers["x-request-id"], told
    return found
