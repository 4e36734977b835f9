"""The HTTP side: Cloud Storage, the token issuer's documents, health, fault switches and, in the emulator only, tokens on request.

`GET /_token?audience=...[&email=...]` hands a signed token to whoever can reach loopback. It stands in for Cloud
Scheduler's own identity; nothing like it exists in Google Cloud, and no function may call it. Requests whose Host is
not loopback are refused, so that a web page cannot reach it under a name of its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from local_emulator.google.faults import Fault, Faults
from local_emulator.google.issuer import Issuer
from local_emulator.google.objects import PREFIXES, Objects
from local_emulator.google.objects import Answer as ObjectAnswer

LOGGER = logging.getLogger(__name__)
MOST_BODY_BYTES = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
Answer = tuple[HTTPStatus, dict[str, object]]


class HttpServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1; `documents` must be set before the first request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.documents: Documents | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Documents:
    """What each path answers."""

    def __init__(self, issuer: Issuer, faults: Faults, sender: str, objects: Objects) -> None:
        self.objects = objects
        self._issuer = issuer
        self._faults = faults
        self._sender = sender
        self._get: dict[str, Callable[[dict[str, str]], Answer]] = {
            "/_health": lambda _: (HTTPStatus.OK, {"status": "ok"}),
            "/_token": self._token,
            "/.well-known/openid-configuration": lambda _: (HTTPStatus.OK, issuer.discovery()),
            "/oauth2/v3/certs": lambda _: (HTTPStatus.OK, issuer.jwks()),
        }

    def get(self, target: str) -> Answer:
        """Answer a GET."""
        parts = urlsplit(target)
        answer = self._get.get(parts.path)
        if answer is None:
            return HTTPStatus.NOT_FOUND, {"error": "not_found"}
        return answer({name: values[-1] for name, values in parse_qs(parts.query).items()})

    def post(self, target: str, body: bytes) -> Answer:
        """Answer a POST: only the fault switches have one."""
        if urlsplit(target).path != "/_faults":
            return HTTPStatus.NOT_FOUND, {"error": "not_found"}
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            return HTTPStatus.BAD_REQUEST, {"error": "invalid_fault", "detail": str(error)}
        self._faults.switch(fault)
        return HTTPStatus.OK, fault.model_dump(mode="json")

    def _token(self, query: dict[str, str]) -> Answer:
        audience = query.get("audience", "")
        if not audience:
            return HTTPStatus.BAD_REQUEST, {"error": "audience_missing"}
        return HTTPStatus.OK, {"token": self._issuer.token(audience, query.get("email", self._sender))}


class _Handler(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith(PREFIXES):
            self._answer_object(b"")
        else:
            self._answer(lambda documents: documents.get(self.path))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MOST_BODY_BYTES))
        self.close_connection = self.close_connection or length > MOST_BODY_BYTES
        if self.path.startswith(PREFIXES):
            self._answer_object(body)
        else:
            self._answer(lambda documents: documents.post(self.path, body))

    def _answer_object(self, body: bytes) -> None:
        if self._is_loopback and self.server.documents is not None:
            self._send(self.server.documents.objects.answer(self.command, self.path, body))
        else:
            self._answer(lambda _: (HTTPStatus.NOT_FOUND, {"error": "not_found"}))

    @property
    def _is_loopback(self) -> bool:
        return self.headers.get("Host", "").rsplit(":", 1)[0] in LOOPBACK

    def _answer(self, of: Callable[[Documents], Answer]) -> None:
        status, document = HTTPStatus.MISDIRECTED_REQUEST, dict[str, object]({"error": "not_loopback"})
        if self._is_loopback:
            if self.server.documents is None:
                status, document = HTTPStatus.SERVICE_UNAVAILABLE, {"error": "starting"}
            else:
                status, document = of(self.server.documents)
        self._send(ObjectAnswer(status, json.dumps(document).encode()))

    def _send(self, answer: ObjectAnswer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        LOGGER.debug(format, *args)
