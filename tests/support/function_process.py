"""A function of a test's own in the server that functions run in: functions-framework and gunicorn, in a process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.running_suite import ROOT
from tests.support.waiting import wait_until


@dataclass
class FunctionProcess:
    """One running function.

    Attributes:
        port: where it listens.
        pid: of the server's master.
        log: everything it wrote.
    """

    port: int
    pid: int
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def lines(self) -> list[dict[str, object]]:
        """Return the log so far; a line that is still being written is left out."""
        return [
            json.loads(line) for line in self.log.read_text("utf-8").splitlines(keepends=True) if line.endswith("}\n")
        ]


def head(path: str, *fields: str) -> bytes:
    """Return the head of a POST, as it goes over the wire."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side has closed."""
    found = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


@contextmanager
def function_process(folder: Path, source: str, **variables: str) -> Iterator[FunctionProcess]:
    """Start a function whose source defines `tiny(request)`; ended with the block."""
    (folder / "main.py").write_text(source, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment: Mapping[str, str] = os.environ | {
        "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "DW_ENV": "emulator", "THREADS": "8", "WORKERS": "1",
        "FUNCTION_SIGNATURE_TYPE": "http", "CLOUD_RUN_TIMEOUT_SECONDS": "60", **variables,
    }  # fmt: skip
    command = [sys.executable, "-m", "functions_framework", "--target", "tiny", "--source", str(folder / "main.py")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], env=environment, stdout=log, stderr=log, cwd=folder
        )
    running = FunctionProcess(port, process.pid, folder / "log")

    def is_up() -> bool:
        assert process.poll() is None, running.log.read_text("utf-8")
        try:
            return httpx.get(f"{running.url}/_health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_up, "the function did not start", timeout_seconds=60)
        yield running
    finally:
        process.terminate()
        process.wait(30)
