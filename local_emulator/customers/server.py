"""The HTTP side of the stand-ins: faults first, then the cloud. Requests whose Host is not loopback are refused.

`POST /_seed` puts other things into the cloud, `/_faults` switches faults, `GET /_calls` tells how often each operation was asked
for. Nothing of the kind exists at a vendor's.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from pydantic import ValidationError

from local_emulator.switches import Fault, Met, Mode, Switches, is_left

from .wire import Answer, Request

LOGGER = logging.getLogger(__name__)
MOST_BODY_BYTES = 256 * 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class StandIn(Protocol):
    """One cloud."""

    calls: dict[str, int]

    def seed(self, document: Mapping[str, Any]) -> None:
        """Put other things into it."""
        ...

    def operations(self, request: Request) -> tuple[str, ...]:
        """Name what a request asks for, the most telling name first."""
        ...

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        ...

    def failure(self, mode: Mode, request: Request) -> Answer:
        """Return what a fault looks like."""
        ...


class CloudServer(ThreadingHTTPServer):
    """Serves one cloud on 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, cloud: StandIn) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.cloud = cloud
        self.faults: Switches[str, Fault] = Switches(is_left)

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def control(self, request: Request) -> Answer:
        """Answer what is asked of the stand-in itself."""
        try:
            if request.path == "/_seed" and request.method == "POST":
                self.cloud.seed(request.document)
            elif request.path == "/_faults" and request.method == "POST":
                fault = Fault.model_validate_json(request.body)
                self.faults.switch(fault.operation, fault)
            elif request.path == "/_faults" and request.method == "DELETE":
                self.faults.clear()
            elif request.path not in {"/_faults", "/_calls", "/_health"}:
                return Answer(404, {"error": "not_found"})
        except ValidationError as error:
            return Answer(400, {"error": "invalid_fault", "detail": str(error)})
        return Answer(200, {"status": "ok", "faults": self.faults.list(), "calls": self.cloud.calls})


class _Handler(BaseHTTPRequestHandler):
    server: CloudServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BODY_BYTES or self.headers.get("Host", "").rsplit(":", 1)[0] not in _LOOPBACK:
            self.close_connection = True
            self._send(Answer(421, {"error": "not_loopback"}))
            return
        request = Request.of(self.command, self.path, dict(self.headers), self.rfile.read(length))
        if request.path.startswith("/_"):
            self._send(self.server.control(request))
            return
        met = self.server.faults.meet((*self.server.cloud.operations(request), "*"))
        if met is None:
            self._send(self.server.cloud.answer(request))
        else:
            self._fail(met, request)

    def _fail(self, met: Met[Fault], request: Request) -> None:
        fault = met.fault
        met.wait(fault.held_seconds)
        if fault.mode == "slow":
            self._send(self.server.cloud.answer(request))
        elif fault.mode == "hang":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.mode == "malformed":
            whole = self.server.cloud.answer(request).body
            self._send(Answer(200, content=whole[: len(whole) // 2] or b"{"))
        else:
            self._send(self.server.cloud.failure(fault.mode, request))

    def _send(self, answer: Answer) -> None:
        body = answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        LOGGER.debug(format, *args)
