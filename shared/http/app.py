"""The way of every request: id, caps, route, authenticate, rate limit, authorise, body, handler, reply, one log line.

Owns the order. Knows no function and no SQL.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from flask import Request, Response

from shared.data.errors import AlreadyHandled, DatabaseAway
from shared.data.unit_of_work import Idempotency, Replayed
from shared.security.actor import Actor
from shared.security.authentication import Client
from shared.security.boot import guard
from shared.security.errors import Unauthenticated
from shared.security.ratelimit import WITHOUT_CREDENTIAL, Limit, Limiter
from shared.settings import Settings, load_settings
from shared.storable import is_storable
from shared.telemetry import log, metrics, traces
from shared.telemetry.context import current_traceparent, known_traceparent, start_request

from .access import authorise
from .bodies import check_body_head, drain, read_body, read_head
from .call import Call, Event, parse_uuid
from .client_address import Address, client_address
from .deps import Deps
from .errors import (
    AppError,
    Invalid,
    MalformedRequest,
    MediaTypeUnsupported,
    MethodNotAllowed,
)
from .headers import harden
from .problems import PROBLEM_TYPE, render_problem
from .reply import Reply
from .routes import Route, RouteTable
from .scim_errors import ROOT as SCIM_ROOT
from .scim_errors import render_scim_error
from .strict_json import parse_json

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_Deps = TypeVar("_Deps", bound=Deps)
_log = log.logger("http")
_HEALTH = "/_health"
_MOST_IDEMPOTENCY_KEY = 200


@dataclass(slots=True)
class _Trail:
    """What is known of a request so far: for its log line and for headers of whatever answer it gets."""

    route: str | None = None
    actor: str | None = None
    org_id: UUID | None = None
    rate_limit: str | None = None
    bytes_in: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    started_ns: int = field(default_factory=time.time_ns)
    span: Span | None = None
    blocks: ExitStack = field(default_factory=ExitStack)

    def open_span(
        self, name: str, kind: traces.Kind, parent: object, *, is_from_inside: bool, attributes: Mapping[str, str]
    ) -> None:
        """Begin the span of this request, which goes on until it is answered."""
        self.span = self.blocks.enter_context(
            traces.span(
                name,
                kind=kind,
                parent=known_traceparent(parent),
                is_from_inside=is_from_inside,
                started_ns=self.started_ns,
                attributes=attributes,
            )
        )

    def facts(self) -> dict[str, object]:
        """Return the fields of the log line."""
        found: dict[str, object] = {"route": self.route, "actor": self.actor, "org_id": self.org_id}
        found["bytes_in"] = self.bytes_in
        return {**found, "rate_limit": self.rate_limit} if self.rate_limit else found


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
        traces.configure(self._settings)
        metrics.configure(self._settings)
        self._load_deps = load_deps
        self._table = RouteTable(routes)
        self._deps: _Deps | None = None
        self._lock = threading.Lock()
        self._limiter = Limiter(self._settings)

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        started = time.perf_counter()
        request_id = start_request(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
        trail = _Trail()
        with trail.blocks:
            response = self._respond(request, trail, request_id)
            latency_ms = round((time.perf_counter() - started) * 1000, 1)
            _log.info(
                "request",
                method=request.method,
                status=response.status_code,
                latency_ms=latency_ms,
                bytes_out=response.calculate_content_length() or 0,
                **trail.facts(),
            )
            traces.finish(trail.span, response.status_code)
        return response

    def deps(self) -> _Deps:
        """Return the clients, built on first use, once."""
        with self._lock:
            if self._deps is None:
                self._deps = self._load_deps(self._settings)
                atexit.register(self._deps.close)
                atexit.register(self._limiter.close)
            return self._deps

    def _respond(self, request: Request, trail: _Trail, request_id: str) -> Response:
        """Serve a request, or say what went wrong."""
        try:
            response = self._serve(request, trail)
        except AppError as error:
            if error.status >= 500:
                _log.error("request failed", code=error.code, exc_info=error)
            response = _render_error(error, request_id, request.path)
        except Exception as error:  # noqa: BLE001  # the border: nothing may leave as a stack trace
            _log.error("unexpected error", exc_info=error)
            response = _render_error(AppError(), request_id, request.path)
        drain(request)
        response.headers.update(trail.headers)
        response.headers["X-Request-Id"] = request_id
        harden(response, is_production=self._settings.is_production)
        return response

    def _serve(self, request: Request, trail: _Trail) -> Response:
        headers = read_head(request)
        if request.path == _HEALTH:
            return self._health(request)
        route, path = self._table.find("GET" if request.method == "HEAD" else request.method, request.path)
        trail.route = route.path
        if route.access.who != "event":  # an event's span begins once its message says what caused it
            trail.open_span(
                f"{route.method} {route.path}",
                "server",
                headers.get("traceparent"),
                is_from_inside=not self._settings.is_production,
                attributes={"http.request.method": request.method, "http.route": route.path},
            )
        check_body_head(request, route.body_limit_bytes, takes_gzip=route.takes_gzip)
        address = self._address(request)
        if route.access.who == "anyone":
            self._charge(route.rate_limit, Actor(), address, trail)
        deps = self.deps()
        cookies: Mapping[str, str] = request.cookies if "cookie" in headers else {}
        event = None
        if route.access.who == "event":
            content = self._read_body(request, route, trail)
            actor, event = _authenticate_event(deps, headers, content)
            caused_by = event.attributes.get("traceparent")
            trail.open_span(
                f"process {route.access.event}",
                "consumer",
                caused_by,
                is_from_inside=True,
                attributes={"http.route": route.path},
            )
            trail.actor, trail.org_id = f"{actor.kind}:{actor.id}", actor.org_id
            authorise(route.access, actor, deps.clock.now())
        else:  # who may not come in does not get to send a body either
            actor = self._admit(route, deps, headers, path, Client(request.method, address, cookies), trail)
            content = self._read_body(request, route, trail)
        call = Call(
            actor=actor,
            path=path,
            query_values=_query_values(request),
            headers=headers,
            cookies=cookies,
            content=content,
            json=_parse_body(request, content, route.most_members) if not route.is_raw and event is None else None,
            idempotency=_idempotency(request, route, actor, content),
            event=event,
            address=str(address or ""),
        )
        return self._answer(route, call, deps)

    def _admit(
        self,
        route: Route[_Deps],
        deps: _Deps,
        headers: Mapping[str, str],
        path: Mapping[str, str],
        client: Client,
        trail: _Trail,
    ) -> Actor:
        """Find out who calls, charge the call, decide whether the caller may go on."""
        is_open = route.access.who == "anyone"
        try:
            actor = Actor() if is_open else deps.authenticator.authenticate(headers, _org_id(path), client)
        except Unauthenticated:
            self._charge(WITHOUT_CREDENTIAL, Actor(), client.address, trail)
            raise
        trail.actor, trail.org_id = f"{actor.kind}:{actor.id}", actor.org_id
        if not is_open:  # open ones were charged before anything else was done for them
            limit = WITHOUT_CREDENTIAL if actor.kind == "anonymous" else route.rate_limit
            self._charge(limit, actor, client.address, trail)
        authorise(route.access, actor, deps.clock.now())
        return actor

    def _charge(self, limit: Limit | None, actor: Actor, address: Address | None, trail: _Trail) -> None:
        """Charge a call to its caller. Raises: RateLimited, ServiceAway."""
        if limit is None:
            return
        verdict = self._limiter.charge(limit, actor, str(address) if address else None)
        if verdict is None:
            trail.rate_limit = "away"
            return
        trail.headers |= verdict.headers()
        if (refusal := verdict.refusal()) is not None:
            raise refusal

    def _address(self, request: Request) -> Address | None:
        forwarded = request.headers.get("X-Forwarded-For")
        return client_address(forwarded, request.remote_addr, is_production=self._settings.is_production)

    def _read_body(self, request: Request, route: Route[_Deps], trail: _Trail) -> bytes:
        content = read_body(request, route.body_limit_bytes, seconds=self._settings.body_seconds)
        trail.bytes_in = len(content)
        return content

    def _answer(self, route: Route[_Deps], call: Call, deps: _Deps) -> Response:
        try:
            return _render(route.handler(call, deps))
        except Replayed as earlier:
            content_type = PROBLEM_TYPE if earlier.status >= 400 else "application/json"  # noqa: PLR2004
            return _render(
                Reply(earlier.status, earlier.body, {"Idempotency-Replayed": "true"}, content_type=content_type)
            )
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


def _render_error(error: AppError, request_id: str, path: str) -> Response:
    return render_scim_error(error) if path.startswith(SCIM_ROOT) else render_problem(error, request_id)


def _parse_body(request: Request, content: bytes, most_members: int) -> Any:
    if not content:
        return None
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise MediaTypeUnsupported("send application/json")
    return parse_json(content, most_members=most_members)


def _query_values(request: Request) -> dict[str, str]:
    """Return the query; a name that comes twice is refused, as two readers would pick different values of it."""
    found: dict[str, str] = {}
    if not request.query_string:
        return found
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
    elif reply.chunks is not None:
        response = Response(reply.chunks, status=reply.status, content_type=reply.content_type)
        response.implicit_sequence_conversion = False  # or whoever asks for its length would wait for its end
        response.call_on_close(reply.chunks.close)
    elif reply.body is None:
        response = Response(status=reply.status)
        response.headers.pop("Content-Type", None)
    else:
        response = Response(
            json.dumps(reply.body, separators=(",", ":")), status=reply.status, mimetype=reply.content_type
        )
    for name, value in reply.headers.items():
        response.headers[name] = value
    for cookie in reply.cookies:
        response.headers.add("Set-Cookie", cookie)
    if "traceparent" not in reply.headers:
        response.headers["traceparent"] = current_traceparent()
    return response
