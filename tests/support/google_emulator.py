"""Runs the Google emulator for a test module, and receives what it pushes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import grpc
import httpx
from google.cloud.kms_v1 import KeyManagementServiceClient
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0  # it takes two; a machine that does much else may need many more


class Emulator:
    """One emulator process over one data directory; it can be stopped and started again."""

    def __init__(self, directory: Path, config: dict[str, object] | None = None) -> None:
        self.directory = directory
        self._config = directory / "config.json"
        self._config.write_text(json.dumps(config or {}))
        self.start()

    def start(self) -> None:
        """Start the process and connect to it."""
        port_file = self.directory / "ports.json"
        port_file.unlink(missing_ok=True)
        options = {"--data-dir": self.directory / "data", "--port-file": port_file, "--config": self._config}
        command = [sys.executable, "-m", "local_emulator.google"]
        command += [str(part) for pair in options.items() for part in pair]
        self.process = subprocess.Popen(command, cwd=ROOT)
        ends_at = time.monotonic() + START_SECONDS
        while not port_file.exists():
            assert self.process.poll() is None, "the emulator ended at once"
            assert time.monotonic() < ends_at, "the emulator did not start in time"
            time.sleep(0.02)
        ports = json.loads(port_file.read_bytes())
        self.endpoint = f"127.0.0.1:{ports['grpc_port']}"
        self.url = f"http://127.0.0.1:{ports['http_port']}"
        self.channel = grpc.insecure_channel(self.endpoint)

    def stop(self) -> int:
        """Ask the process to end and return its exit status."""
        self.channel.close()
        self.process.terminate()
        return self.process.wait(START_SECONDS)

    def kill(self) -> None:
        """End the process without a chance to clean up."""
        self.channel.close()
        self.process.kill()
        self.process.wait(START_SECONDS)

    def kms(self) -> KeyManagementServiceClient:
        """Return a client of the KMS."""
        return KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=self.channel))

    def secrets(self) -> SecretManagerServiceClient:
        """Return a client of Secret Manager."""
        return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=self.channel))

    def publisher(self) -> PublisherClient:
        """Return a client that publishes."""
        return PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))

    def subscriber(self) -> SubscriberClient:
        """Return a client that subscribes."""
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))

    def get(self, path: str) -> dict[str, Any]:
        """GET a document of the HTTP side."""
        reply = httpx.get(self.url + path, trust_env=False)
        reply.raise_for_status()
        document: dict[str, Any] = reply.json()
        return document

    @contextmanager
    def fault(self, service: str, mode: str, **options: object) -> Iterator[None]:
        """Switch a fault on for the length of a block."""
        fault = {"service": service, "mode": mode, **options}
        httpx.post(f"{self.url}/_faults", json=fault, trust_env=False).raise_for_status()
        yield
        httpx.post(f"{self.url}/_faults", json={"service": service, "mode": "none"}, trust_env=False)


@dataclass
class Push:
    """One request that reached the receiver."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def message(self) -> dict[str, Any]:
        """The message in it."""
        message: dict[str, Any] = self.body["message"]
        return message


@dataclass
class Receiver:
    """A push endpoint; `answer` decides the status of each request."""

    answer: Callable[[Push], int] = lambda _: 204
    pushes: list[Push] = field(default_factory=list)
    url: str = ""
    changed: Condition = field(default_factory=Condition)

    def wait_for(self, number: int, seconds: float = 5.0) -> list[Push]:
        """Wait until so many requests came, and return them."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.pushes) >= number, seconds)
        assert arrived, f"{len(self.pushes)} of {number} pushes arrived"
        return list(self.pushes)


@contextmanager
def receiver(answer: Callable[[Push], int] = lambda _: 204) -> Iterator[Receiver]:
    """Serve a push endpoint on a free port."""
    received = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            push = Push(time.monotonic(), dict(self.headers), body)
            with received.changed:
                received.pushes.append(push)
                received.changed.notify_all()
            status = received.answer(push)
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing when the emulator is ended in the middle of a request."""

    server = Server(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_address[1]}/push"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield received
    server.shutdown()
    server.server_close()
