"""The way of every request: id, cap, route, authenticate, authorise, handler, reply, one log line.

Owns the order. Knows no function and no SQL.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import Request, Response
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from shared.data.errors import AlreadyHandled, DatabaseAway
from shared.data.unit_of_work import Idempotency, Replayed
from shared.security.actor import Actor
from shared.security.boot import guard
from shared.settings import Settings, load_settings
from shared.telemetry import log
from shared.telemetry.context import current_traceparent, start_request

from .access import authorise
from .call import Call, Event, parse_uuid
from .deps import Deps
from .errors import (
    AppError,
    BodyTooLarge,
    Invalid,
    MalformedRequest,
    MediaTypeUnsupported,
    MethodNotAllowed,
)
from .headers import harden
from .problems import render_problem
from .reply import Reply
from .routes import Route, RouteTable
from .strict_json import is_storable, parse_json

_Deps = TypeVar("_Deps", bound=Deps)
_log = log.logger("http")
_HEALTH = "/_health"
_MOST_IDEMPOTENCY_KEY = 200
_MOST_DRAINED_BYTES = 256 * 1024 * 1024
_PIECE_BYTES = 64 * 1024  # one large read would be held three times over while the server puts it together


class App(Generic[_Deps]):
    """One function. Cheap to make: clients are built with the first request that needs them."""

    def __init__(
        self,
        name: str,
        load_deps: Callable[[Settings], _Deps],
        routes: Sequence[Route[_Deps]],
        *,
        settings: Settings | None = None,
    ) -> None:
        """Set up.

        Raises:
            UnsafeStart: a safety is off in production.
            ValueError: a route has no access rule.
        """
        self._settings = settings or load_settings()
        guard(self._settings)
        log.configure(function=name, project=self._settings.project)
        self._load_deps = load_deps
        self._table = RouteTable(routes)
        self._deps: _Deps | None = None
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        started = time.perf_counter()
        request_id = start_request(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        facts: dict[str, object] = {"route": None, "actor": None, "org_id": None}
        try:
            response = self._serve(request, facts)
        except AppError as error:
            if error.status >= 500:
                _log.error("request failed", code=error.code, exc_info=error)
            response = render_problem(error, request_id)
        except Exception as error:  # noqa: BLE001  # the border: nothing may leave as a stack trace
            _log.error("unexpected error", exc_info=error)
            response = render_problem(AppError(), request_id)
        _drain(request)
        response.headers["X-Request-Id"] = request_id
        harden(response, is_production=self._settings.is_production)
        latency_ms = round((time.perf_counter() - started) * 1000, 1)
        _log.info("request", method=request.method, status=response.status_code, latency_ms=latency_ms, **facts)
        return response

    def deps(self) -> _Deps:
        """Return the clients, built on first use, once."""
        with self._lock:
            if self._deps is None:
                self._deps = self._load_deps(self._settings)
                atexit.register(self._deps.close)
            return self._deps

    def _serve(self, request: Request, facts: dict[str, object]) -> Response:
        if request.path == _HEALTH:
            return self._health(request)
        route, path = self._table.find("GET" if request.method == "HEAD" else request.method, request.path)
        facts["route"] = route.path
        content = _read_body(request, route.body_limit_bytes)
        deps = self.deps()
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = None
        if route.access.who == "event":
            actor, event = _authenticate_event(deps, headers, content)
        else:
            actor = Actor() if route.access.who == "anyone" else deps.authenticator.authenticate(headers, _org_id(path))
        facts["actor"], facts["org_id"] = f"{actor.kind}:{actor.id}", actor.org_id
        authorise(route.access, actor, deps.clock.now())
        call = Call(
            actor=actor,
            path=path,
            query_values=_query_values(request),
            headers=headers,
            cookies=request.cookies,
            content=content,
            json=_parse_body(request, content) if not route.is_raw and event is None else None,
            idempotency=_idempotency(request, route, actor, content),
            event=event,
        )
        return self._answer(route, call, deps)

    def _answer(self, route: Route[_Deps], call: Call, deps: _Deps) -> Response:
        try:
            return _render(route.handler(call, deps))
        except Replayed as earlier:
            return _render(Reply(earlier.status, earlier.body, {"Idempotency-Replayed": "true"}))
        except AlreadyHandled:
            return _render(Reply.no_content())
        except AppError as error:
            if route.access.who == "event" and error.status < 500:
                # trying again cannot help: say so once, loudly, and take the message off the queue
                _log.error("event refused for good", code=error.code, event_id=call.event.id if call.event else "")
                return _render(Reply.no_content())
            raise

    def _health(self, request: Request) -> Response:
        """Say that the process is up; with `?deep=1` also that its database answers."""
        if request.method not in {"GET", "HEAD"}:
            raise MethodNotAllowed(allowed=["GET", "HEAD"])
        if request.args.get("deep"):
            rows = self.deps().db.lookup("select 1 as up")
            if not rows:
                raise DatabaseAway
        return _render(Reply.ok({"status": "ok"}))


def _read_body(request: Request, limit_bytes: int) -> bytes:
    declared = request.content_length
    if declared is not None and declared > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    chunks: list[bytes] = []
    left = limit_bytes + 1
    try:
        while left > 0 and (chunk := request.stream.read(min(left, _PIECE_BYTES))):
            chunks.append(chunk)
            left -= len(chunk)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit_bytes=limit_bytes) from None
    except (ClientDisconnected, OSError):
        raise MalformedRequest("the body ended early") from None
    if left <= 0:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    content = b"".join(chunks)
    if declared is not None and len(content) != declared:  # gunicorn hands on half a body as if it were a whole one
        raise MalformedRequest("the body ended early")
    return content


def _drain(request: Request) -> None:
    """Take in what is left of a body that was refused, without keeping it, so that the client gets to read the answer.

    The Functions Framework reads the rest after each reply, and whole: a refused body would fill the memory all the same.
    """
    left = _MOST_DRAINED_BYTES
    with suppress(Exception):  # a body that breaks off, or off its protocol, is over
        while left > 0 and (piece := request.stream.read(_PIECE_BYTES)):
            left -= len(piece)
    request.stream = io.BytesIO()  # pyright: ignore[reportAttributeAccessIssue]  # a cached property, made to be set


def _parse_body(request: Request, content: bytes) -> Any:
    if not content:
        return None
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise MediaTypeUnsupported("send application/json")
    return parse_json(content)


def _query_values(request: Request) -> dict[str, str]:
    """Return the query; a name that comes twice is refused, as two readers would pick different values of it."""
    found: dict[str, str] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Invalid(
                "see `errors` for each field", errors=[{"field": name[:100], "problem": "given more than once"}]
            )
        if not is_storable(name) or not is_storable(values[0]):
            raise Invalid("see `errors` for each field", errors=[{"field": name[:100], "problem": "holds NUL"}])
        found[name] = values[0]
    return found


def _org_id(path: Mapping[str, str]) -> UUID | None:
    if "org_id" not in path:
        return None
    return parse_uuid(path["org_id"])


def _authenticate_event(deps: Deps, headers: Mapping[str, str], content: bytes) -> tuple[Actor, Event]:
    """Check the sender, then unwrap the message.

    Source: https://cloud.google.com/pubsub/docs/push#receive_push
    """
    sender = deps.events.verify(headers)
    body = parse_json(content) if content else {}
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, dict):  # a tick of the scheduler carries no message
        return Actor("event", sender), Event(id="", payload={})
    attributes = message.get("attributes") or {}
    try:
        payload = json.loads(base64.b64decode(message.get("data") or "e30=", validate=True))
        org_id = UUID(attributes["org_id"]) if attributes.get("org_id") else None
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedRequest("the message is not one of ours") from error
    start_request(attributes.get("event_id"), attributes.get("traceparent"))
    event_id = str(attributes.get("event_id") or message.get("messageId") or "")
    return Actor("event", sender, org_id), Event(event_id, payload, int(body.get("deliveryAttempt") or 1), attributes)


def _idempotency(request: Request, route: Route[Any], actor: Actor, content: bytes) -> Idempotency | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or route.method != "POST" or actor.org_id is None:
        return None
    if not 0 < len(key) <= _MOST_IDEMPOTENCY_KEY or not key.isascii() or not key.isprintable():
        raise MalformedRequest(f"an Idempotency-Key has 1 to {_MOST_IDEMPOTENCY_KEY} printable ASCII characters")
    parts = (route.method, request.path, actor.kind, actor.id)
    return Idempotency(key, hashlib.sha256("\n".join(parts).encode() + b"\n" + content).digest())


def _render(reply: Reply) -> Response:
    if reply.content is not None:
        response = Response(reply.content, status=reply.status, content_type=reply.content_type)
    elif reply.body is None:
        response = Response(status=reply.status)
        response.headers.pop("Content-Type", None)
    else:
        response = Response(
            json.dumps(reply.body, separators=(",", ":")), status=reply.status, mimetype="application/json"
        )
    for name, value in reply.headers.items():
        response.headers[name] = value
    response.headers.setdefault("traceparent", current_traceparent())
    return response
