"""The local AWS account: how its server is started, and how a recorded account is put into it.

Owns the command line of the server and the replay. Must not import moto (it runs in a process of its own).
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from .moto_server import PLACEHOLDER, REPLAY_HEADER, REPLAY_PATH

ACCOUNT = "123456789012"
REGION = "us-east-1"
SEED = 42


def moto_command(port: int, *, seed: int = SEED, record: Path | None = None) -> list[str]:
    """Build the command that serves the account on 127.0.0.1; run it with the project's root as working directory.

    Args:
        port: TCP port to listen on.
        seed: start of the ids; a recording is replayed with the seed it was made with.
        record: file to which every write is appended, see `local_emulator.moto_server`.
    """
    command = [sys.executable, "-m", "local_emulator.moto_server", "--port", str(port), "--seed", str(seed)]
    return command if record is None else [*command, "--record", str(record)]


def wait_until_ready(endpoint: str, *, timeout_seconds: float = 60.0) -> None:
    """Return as soon as the server answers.

    Raises:
        TimeoutError: it did not within the time.
    """
    deadline = time.monotonic() + timeout_seconds
    with httpx.Client(base_url=endpoint, timeout=5.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                client.get("/moto-api/data.json")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
    raise TimeoutError(f"the AWS stand-in at {endpoint} did not answer within {timeout_seconds:.0f} s")


def replay(endpoint: str, requests: Path, *, transport: httpx.BaseTransport | None = None) -> None:
    """Put a recorded account into a fresh server: the same writes in the same order give the same ids.

    Args:
        endpoint: URL of a server that has not been written to yet.
        requests: `requests.jsonl.gz` of a fixture.
        transport: how the requests get there; over the network when it is None.

    Raises:
        RuntimeError: the server failed at one of the requests (5xx).
    """
    place = endpoint.removeprefix("http://")
    with httpx.Client(base_url=endpoint, timeout=60.0, transport=transport) as client:
        for entry in recorded(requests):
            body = _body(entry, place)
            reply = client.request(str(entry["method"]), str(entry["url"]), content=body, headers=_headers(entry))
            if reply.status_code >= 500:
                raise RuntimeError(f"{entry['service']}: the server answered {reply.status_code} to a recorded request")


def empty_and_replay(endpoint: str, requests: Path) -> None:
    """Put a recorded account into a server that is in use; whoever else asks meanwhile is told to come back (503).

    Args:
        endpoint: URL of the server.
        requests: `requests.jsonl.gz` of a fixture.

    Raises:
        RuntimeError: the server failed at one of the requests (5xx).
    """
    httpx.post(f"{endpoint}{REPLAY_PATH}", timeout=60.0).raise_for_status()
    try:
        replay(endpoint, requests)
    finally:
        httpx.delete(f"{endpoint}{REPLAY_PATH}", timeout=60.0).raise_for_status()


def recorded(requests: Path) -> Iterator[dict[str, object]]:
    """Yield the requests of a recording in order."""
    with gzip.open(requests, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _body(entry: dict[str, object], place: str) -> bytes:
    encoded = entry.get("body_base64")
    if encoded is not None:
        return base64.b64decode(str(encoded))
    return str(entry.get("body", "")).replace(PLACEHOLDER, place).encode()


def _headers(entry: dict[str, object]) -> dict[str, str]:
    kept = entry["headers"]
    headers = {str(name): str(value) for name, value in kept.items()} if isinstance(kept, dict) else {}
    # The server routes by the scope in the credential; it checks no signature, so none was recorded.
    scope = f"test/20260101/{entry['region']}/{entry['service']}/aws4_request"
    return {
        **headers,
        REPLAY_HEADER: "1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }


def recorded_state(state: Path, endpoint: str) -> bytes:
    """Return a fixture's state as Terraform would have written it against this server: queue URLs name their host."""
    return state.read_text("utf-8").replace(PLACEHOLDER, endpoint.removeprefix("http://")).encode()
