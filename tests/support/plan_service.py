"""A loopback stand-in for the two calls of plan analysis, which answers as it is told and writes down what it was asked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from functions.analyze.domain.outputs import OUTPUTS
from shared.rules.levels import rank

KEY = "dw2_testid_Zm9yIHRlc3RzIG9ubHksIG5vdCBhIGtleQ"
ORG = "0198b2a4-0000-7000-8000-0000000000aa"


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class PlanService:
    """The stand-in.

    Attributes:
        answer: what every plan gets.
        first: (status, headers, body) of the first answers, before it answers as it should; a status of 0 hangs up.
        seen_keys: command lines and environments of other processes in which the key stood while a request came in.
    """

    answer: dict[str, Any]
    first: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    seen_keys: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def judged(self) -> list[Asked]:
        """Return the calls that sent a plan."""
        return [item for item in self.asked if item.method == "POST"]


def _places_of_key() -> Iterator[str]:
    """Yield where the key can be read: no process has it in its arguments, and no `curl` in its environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            arguments, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue  # it has ended
        if KEY.encode() in arguments:
            yield f"arguments: {arguments!r}"
        if arguments.startswith(b"curl\0") and KEY.encode() in environment:
            yield "environment of curl"


def _problem(status: int, code: str, **facts: Any) -> tuple[int, dict[str, str], bytes]:
    body = {**facts, "type": f"urn:driftwise:problem:{code}", "code": code, "title": code, "status": status}
    return status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode()


def _reply(service: PlanService, asked: Asked) -> tuple[int, dict[str, str], bytes]:
    if service.first:
        return service.first.pop(0)
    if asked.headers.get("x-api-key") != KEY:
        return _problem(401, "unauthenticated", detail="The key is not one, or not one any more.")
    answer = {**service.answer, "fail_on": asked.query.get("fail_on")}
    base = f"/api/v2/orgs/{ORG}"
    if asked.method == "POST" and asked.path == f"{base}/analyze":
        service.answer = answer
        gate = answer["fail_on"]
        if gate and rank(answer["risk_level"]) >= rank(gate):  # type: ignore[arg-type]  # the caller's word, checked by the table
            facts = {"analysis_id": answer["id"], "risk_level": answer["risk_level"], "fail_on": gate}
            return _problem(409, "risk_gate", detail="the risk reaches the gate", **facts)
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
    if asked.method == "GET" and asked.path == f"{base}/analyses/{answer['id']}":
        form = asked.query["format"]
        if form == "json":
            return 200, {"Content-Type": "application/json"}, json.dumps(service.answer).encode()
        output = OUTPUTS[form]
        return 200, {"Content-Type": output.content_type}, output.write(service.answer).encode()
    return _problem(404, "not_found")


@contextmanager
def plan_service(answer: dict[str, Any]) -> Iterator[PlanService]:
    """Run a stand-in for the length of the block."""
    service = PlanService(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query={name: values[-1] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            service.asked.append(asked)
            service.seen_keys += _places_of_key()
            status, headers, body = _reply(service, asked)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _handle  # noqa: N815 -- the standard library's names

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
