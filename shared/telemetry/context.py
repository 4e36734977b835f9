"""What belongs to the request or event being handled: its id, its trace, facts for the log line."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.security.redact import holds_secret

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def start_request(request_id: str | None, traceparent: str | None) -> str:
    """Begin a request: keep the caller's ids when they are well-formed, make new ones otherwise.

    Source: W3C Trace Context level 1, section 3.2.
    """
    known_id = request_id is not None and _REQUEST_ID.fullmatch(request_id) and not holds_secret(request_id)
    known_trace = known_traceparent(traceparent)
    found = request_id if known_id and request_id else secrets.token_hex(16)
    _request_id.set(found)
    trace_id = known_trace.split("-")[1] if known_trace else secrets.token_hex(16)
    _traceparent.set(f"00-{trace_id}-{secrets.token_hex(8)}-00")  # nothing is traced before a span is open
    return found


def known_traceparent(traceparent: object) -> str:
    """Return a W3C trace context that came from outside, empty when it is not well-formed."""
    return traceparent if isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent) else ""


@contextmanager
def carried(traceparent: str) -> Generator[None]:
    """Let everything inside a block be caused by one span."""
    before = _traceparent.set(traceparent)
    try:
        yield
    finally:
        _traceparent.reset(before)


def current_request_id() -> str:
    """Return the id of the request being handled; empty outside one."""
    return _request_id.get()


def current_traceparent() -> str:
    """Return the W3C trace context to hand on; empty outside a request."""
    return _traceparent.get()


def current_trace_id() -> str:
    """Return the trace id; empty outside a request."""
    return _traceparent.get().partition("-")[2].partition("-")[0]


def current_span_id() -> str:
    """Return the id of the current span; empty outside a request."""
    return _traceparent.get().rpartition("-")[0].rpartition("-")[2]


def is_sampled() -> bool:
    """Say whether the current trace is kept."""
    return _traceparent.get().endswith("1")
