"""Calls to hosts of customers over HTTP, all through the egress guard: patience for limits, refusals named, answers read with care.

Nothing a stranger answered gets into an error but its status. Source: RFC 9110 section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from shared.ports.clock import Clock
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressPolicy,
    EgressResponse,
    EgressTimeout,
    EgressTooLarge,
)

from ..errors import StateTooLarge, StateUnreachable
from ..readers.addresses import relocated

MOST_STATE_BYTES: Final = 32 * 1024 * 1024
# Credentials never follow a redirect to another origin: the guard takes them off.
POLICY: Final = EgressPolicy(
    methods=frozenset({"GET", "POST"}),
    redirects=2,
    deadline_seconds=30.0,
    most_url_characters=8192,
    most_request_bytes=64 * 1024,
    most_response_bytes=MOST_STATE_BYTES,
)
_MOST_ATTEMPTS: Final = 4
_CALL_SECONDS: Final = 40.0  # all attempts and pauses together; a call by hand is cut off after 60
_LONGEST_PAUSE_SECONDS: Final = 20.0
_MOST_DIGITS: Final = 6
_MOST_VALUES: Final = 1_000_000
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one kind of host.

    Attributes:
        guard: the only way out, under `POLICY`.
        clock: waits between attempts.
        host: as people know it, e.g. `Azure`.
        endpoint: a stand-in that is called in the place of every host, emulator only; empty otherwise.
    """

    guard: EgressGuard
    clock: Clock
    host: str
    endpoint: str = ""

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        permission: str | None = None,
        judges: Collection[int] = (),
    ) -> EgressResponse:
        """Make one call, again while the host is busy; answers 200, 204, 304 and 404 are the caller's to judge.

        Args:
            method: in capitals; what is sent may be sent twice.
            url: every piece of it checked or quoted.
            headers: with credentials.
            content: the body.
            permission: what a host that says "forbidden" wants, in its own words.
            judges: further statuses that the caller judges.

        Raises:
            StateUnreachable: (422 `state_unreachable`).
            StateTooLarge: (413 `state_too_large`).
            EgressRefused: (422 `egress_refused`).
        """
        url = relocated(url, self.endpoint)
        reply: EgressResponse | None = None
        ends_at = self.clock.monotonic_seconds() + _CALL_SECONDS
        for attempt in range(_MOST_ATTEMPTS):
            reply = self._try(method, url, headers, content, ends_at - self.clock.monotonic_seconds())
            if reply is not None and reply.status not in _BUSY:
                return reply if reply.status in judges else self._judged(reply, permission)
            pause = _pause_seconds(reply, attempt)
            if attempt == _MOST_ATTEMPTS - 1 or self.clock.monotonic_seconds() + pause >= ends_at:
                break
            self.clock.sleep_seconds(pause)
        if reply is None:
            raise StateUnreachable(f"{self.host} does not answer")
        raise StateUnreachable(f"{self.host} answered {reply.status}", host_status=reply.status)

    def read_json(self, reply: EgressResponse) -> Mapping[str, Any]:
        """Read an answer that is a JSON object.

        Raises:
            StateUnreachable: (422 `state_unreachable`) it is none.
        """
        content = reply.content
        is_bounded = content.count(b",") + content.count(b"{") + content.count(b"[") <= _MOST_VALUES
        try:
            found = json.loads(content) if is_bounded else None
        except (ValueError, RecursionError):
            found = None
        if reply.status != HTTPStatus.OK or not isinstance(found, dict):
            raise self.strange(reply)
        return found

    def strange(self, reply: EgressResponse) -> StateUnreachable:
        """Return the error of an answer that the host's documentation does not know."""
        return StateUnreachable(f"{self.host} answered {reply.status} with something else", host_status=reply.status)

    def absent(self, what: str, permission: str | None = None) -> StateUnreachable:
        """Return the error of what is not there; some hosts say the same to those who may not see it."""
        facts: dict[str, Any] = {"permission": permission} if permission else {}
        return StateUnreachable(f"{self.host} has no such {what}", host_status=404, **facts)

    def _try(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, seconds: float
    ) -> EgressResponse | None:
        try:
            return self.guard.request(method, url, headers=headers, content=content, within_seconds=seconds)
        except EgressTooLarge:
            raise StateTooLarge(limit_bytes=MOST_STATE_BYTES) from None
        except (EgressFailed, EgressTimeout):
            return None

    def _judged(self, reply: EgressResponse, permission: str | None) -> EgressResponse:
        if reply.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED, HTTPStatus.NOT_FOUND}:
            return reply
        if reply.status == HTTPStatus.UNAUTHORIZED or reply.headers.get("x-ms-error-code") == "AuthenticationFailed":
            raise StateUnreachable(f"{self.host} does not accept the credentials", host_status=reply.status)
        if reply.status == HTTPStatus.FORBIDDEN:
            facts: dict[str, Any] = {"permission": permission} if permission else {}
            raise StateUnreachable(f"{self.host} forbids it", host_status=reply.status, **facts)
        raise StateUnreachable(f"{self.host} answered {reply.status}", host_status=reply.status)


def member(document: Any, *path: str) -> Any:
    """Return a value inside an answer, None where there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def text_of(value: object) -> str | None:
    """Return a text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def _pause_seconds(reply: EgressResponse | None, attempt: int) -> float:
    asked = reply.headers.get("retry-after", "") if reply else ""
    if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS:
        return min(float(asked), _LONGEST_PAUSE_SECONDS)
    return min(2.0**attempt, _LONGEST_PAUSE_SECONDS)
