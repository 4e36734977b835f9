"""Calls as a careful client makes them, and the record of every one: what was asked, what came back.

A client that hears nothing does not know whether its change was made. So it asks again with the same Idempotency-Key, until it is
told, and waits as long as `Retry-After` says. What it is told then is a promise, which the journeys check at the end.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 150.0
_ANSWER_SECONDS = 40.0
_LONGEST_PAUSE_SECONDS = 5.0
_PROBLEM_TYPES = frozenset({"application/problem+json", "application/scim+json"})

# Statuses that tell a client to ask again later. 401 is not among them: see `Caller.is_clock_wrong`.
TRY_AGAIN = frozenset({0, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what came back.

    Attributes:
        status: 0 when there was no answer.
        code: of the problem; empty for none.
        asked_at: Unix time.
        took_seconds: until the answer was whole, or the client gave up.
        has_retry_after: whether the answer says when to ask again.
        is_typed: whether an error is a problem document (or SCIM's own); True for what is no error.
    """

    method: str
    path: str
    status: int
    code: str
    request_id: str
    asked_at: float
    took_seconds: float
    has_retry_after: bool
    is_typed: bool


class Calls:
    """Everything that was asked, and what no log may ever show; threads share it."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._secrets: set[str] = set()
        self._foreign: list[str] = []
        self._markers: set[str] = set()
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Record a call."""
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[Call]:
        """Return every call so far."""
        with self._lock:
            return list(self._calls)

    def statuses(self) -> Counter[int]:
        """Count the calls by status; 0 for no answer."""
        return Counter(call.status for call in self.all())

    def keep_secret(self, *secrets: str) -> None:
        """Remember what must be found in no log."""
        with self._lock:
            self._secrets.update(secrets)

    def secrets(self) -> frozenset[str]:
        """Return what must be found in no log."""
        with self._lock:
            return frozenset(self._secrets)

    def new_marker(self) -> str:
        """Return a word that one organisation puts into everything it stores; no other may ever see it."""
        marker = f"mark{uuid4().hex}"
        with self._lock:
            self._markers.add(marker)
        return marker

    def markers(self) -> frozenset[str]:
        """Return the words of all organisations."""
        with self._lock:
            return frozenset(self._markers)

    def look_for_others(self, own: str, call: str, text: str) -> None:
        """Note an answer that shows the word of another organisation."""
        if "mark" not in text:
            return
        found = [marker for marker in self.markers() if marker != own and marker in text]
        if found:
            with self._lock:
                self._foreign.append(f"{call} as {own} showed {', '.join(sorted(found))}")

    def foreign(self) -> list[str]:
        """Return the answers that showed the word of another organisation."""
        with self._lock:
            return list(self._foreign)


class GaveUpError(Exception):
    """A client asked for as long as it has patience and was never told: its change may have been made, or not."""


class RefusedError(Exception):
    """An answer that is final and that the journey did not expect."""


@dataclass
class Caller:
    """One client of one organisation (or of none).

    Attributes:
        url: of the gateway, without a trailing slash.
        credential: access token or API key, sent as a bearer; empty for none.
        marker: the organisation's word, see `Calls.new_marker`.
        stop: set when the load is to end: nobody waits any longer.
        is_clock_wrong: set while a clock of the suite is wrong: 401 is then no final answer, as a credential or a signature may
            seem to be of another time.
    """

    url: str
    calls: Calls
    credential: str = field(default="", repr=False)
    marker: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    is_clock_wrong: threading.Event = field(default_factory=threading.Event)
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False), repr=False
    )

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """Send one request, once.

        Args:
            path: below the gateway, or a whole address.
            options: of httpx: `json`, `content`, `headers`, `params`.

        Returns:
            The answer; None when there was none.
        """
        headers = {"X-Request-Id": str(uuid4()), **(options.pop("headers", None) or {})}
        if self.credential:
            headers["Authorization"] = f"Bearer {self.credential}"
        began, asked_at = time.monotonic(), time.time()
        try:
            reply = self.client.request(method, path if "://" in path else self.url + path, headers=headers, **options)
        except httpx.TransportError:
            reply = None
        status, code, is_typed = _judge(reply)
        self.calls.add(
            Call(
                method=method,
                path=path.partition("?")[0],
                status=status,
                code=code,
                request_id=headers["X-Request-Id"],
                asked_at=asked_at,
                took_seconds=time.monotonic() - began,
                has_retry_after=reply is not None and "retry-after" in reply.headers,
                is_typed=is_typed,
            )
        )
        if reply is not None and self.marker:
            self.calls.look_for_others(self.marker, f"{method} {path}", reply.text)
        return reply

    def insist(
        self,
        method: str,
        path: str,
        *,
        expect: frozenset[int] = frozenset({200, 201, 202, 204}),
        again: frozenset[int] = TRY_AGAIN,
        or_codes: frozenset[str] = frozenset(),
        patience_seconds: float = PATIENCE_SECONDS,
        **options: Any,
    ) -> httpx.Response:
        """Send one request again and again, the same each time, until its answer is final.

        Args:
            expect: the answers that are good.
            again: the answers after which to ask again. While a clock is wrong, 401 belongs to them.
            or_codes: of problems that are good too: such as say that an earlier attempt, whose answer was lost, went through.
            options: as for `ask`. A POST gets an Idempotency-Key, the same for every attempt.

        Raises:
            GaveUpError: patience, or the load, came to an end first.
            RefusedError: another answer came.
        """
        if method == "POST" and (options.get("headers") or {}).get("Idempotency-Key") is None:
            options["headers"] = {**(options.get("headers") or {}), "Idempotency-Key": str(uuid4())}
        ends_at = time.monotonic() + patience_seconds
        pause_seconds = 0.1
        while True:
            reply = self.ask(method, path, **dict(options))
            status = 0 if reply is None else reply.status_code
            if reply is not None and status in expect:
                return reply
            is_final = status not in again and not (status == 401 and self.is_clock_wrong.is_set())
            if reply is not None and is_final:
                if or_codes and code_of(reply) in or_codes:
                    return reply
                raise RefusedError(f"{method} {path}: {status} {reply.text[:300]}")
            told = _retry_after_seconds(reply)
            pause_seconds = min(_LONGEST_PAUSE_SECONDS, max(told, pause_seconds * 2))
            pause = pause_seconds * random.uniform(0.7, 1.0)  # noqa: S311  # spreads callers, guards nothing
            if time.monotonic() + pause > ends_at or self.stop.wait(pause):
                raise GaveUpError(f"{method} {path}: at last {status}")


def document(reply: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    found: dict[str, Any] = reply.json()
    return found


def code_of(reply: httpx.Response) -> str:
    """Return the code of an answer's problem; empty for none."""
    return _judge(reply)[1]


def _judge(reply: httpx.Response | None) -> tuple[int, str, bool]:
    """Return the status of an answer, its problem's code, and whether an error is of a documented shape."""
    if reply is None:
        return 0, "", True
    if reply.status_code < 400:
        return reply.status_code, "", True
    content_type = reply.headers.get("content-type", "").partition(";")[0]
    found: Mapping[str, Any] = {}
    try:
        parsed = reply.json()
        found = parsed if isinstance(parsed, dict) else {}
    except ValueError:
        pass  # an error that is not JSON has no shape: that is what is told
    return reply.status_code, str(found.get("code", "")), content_type in _PROBLEM_TYPES and bool(found)


def _retry_after_seconds(reply: httpx.Response | None) -> float:
    text = "" if reply is None else reply.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0
