"""Exchanges with a code host: one deadline, retries where they do no harm, limits kept, strangers' answers read with care.

What may have been done is not done again: a request that makes something is sent anew only when the host says that it refused it.
Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api;
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api;
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from shared.ports.clock import Clock, Entropy
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressPolicy,
    EgressResponse,
    EgressTimeout,
    EgressTooLarge,
)

from ..errors import CodeHostAway, CodeHostRefused

POLICY: Final = EgressPolicy(
    methods=frozenset({"GET", "POST", "PATCH", "PUT"}),
    deadline_seconds=15.0,
    most_request_bytes=2 * 1024 * 1024,
    most_response_bytes=4 * 1024 * 1024,
)
MOST_ATTEMPTS: Final = 4
_MOST_VALUES = 400_000
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 8.0
_SHORT_WAIT_SECONDS = 5.0  # a longer one is left to the queue
_SECONDARY_SECONDS, _MOST_REST_SECONDS = 60.0, 3600.0
_MOST_RESTING = 1000
_LIMITED = frozenset({403, 429})
_TOO_MANY = 429
_MOST_DIGITS = 12
_SERVER_ERROR = 500
_LIMIT_WORDS = ("rate limit", "abuse detection")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read.

    Attributes:
        headers: names in lower case.
        document: what the body says, None when it is no JSON.
    """

    status: int
    headers: Mapping[str, str]
    document: Any

    def member(self, *path: str) -> Any:
        """Return a value inside the document, None where there is none."""
        found = self.document
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def number(self, *path: str) -> int:
        """Return a positive whole number inside the document.

        Raises:
            CodeHostRefused: (422 `code_host_answer`) there is none.
        """
        found = self.member(*path)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < 2**63:
            raise CodeHostRefused(member=".".join(path))
        return found

    def text(self, *path: str) -> str:
        """Return a text inside the document.

        Raises:
            CodeHostRefused: (422 `code_host_answer`) there is none.
        """
        found = self.member(*path)
        if not isinstance(found, str) or not found:
            raise CodeHostRefused(member=".".join(path))
        return found


class TooMuch(CodeHostRefused):
    """422 `code_host_answer`: an answer is over the cap; asking for less of a list may help."""


class Rests:
    """Which connections are left alone, and until when, as their host said so. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, key: Hashable) -> None:
        """Let a call through, or not.

        Raises:
            CodeHostAway: (503 `code_host_away`) says when to come back.
        """
        now = self._clock.monotonic_seconds()
        with self._lock:
            until, _ = self._until.get(key, (0.0, 0))
        if now < until:
            raise CodeHostAway(retry_after_seconds=int(until - now) + 1)

    def note(self, key: Hashable, seconds: float | None) -> float:
        """Leave a connection alone; returns for how long.

        Args:
            key: which.
            seconds: as the host says; None when it does not say, which is a minute, and twice as long each further time.
        """
        with self._lock:
            _, strikes = self._until.get(key, (0.0, 0))
            chosen = _SECONDARY_SECONDS * 2.0**strikes if seconds is None else seconds
            chosen = min(max(chosen, 0.0), _MOST_REST_SECONDS)
            self._until[key] = self._clock.monotonic_seconds() + chosen, min(strikes + 1, 6)
            self._until.move_to_end(key)
            while len(self._until) > _MOST_RESTING:
                self._until.popitem(last=False)
        return chosen

    def forget(self, key: Hashable) -> None:
        """A connection's host answers again."""
        with self._lock:
            self._until.pop(key, None)


@dataclass(frozen=True, slots=True)
class HostApi:
    """One host's API for one connection, up to a deadline.

    Attributes:
        guard: the only way out.
        url: of the API, without a slash at its end.
        key: the connection, so that one's limits are nobody else's.
        ends_at: on the monotonic clock.
    """

    guard: EgressGuard
    url: str
    key: Hashable
    clock: Clock
    entropy: Entropy
    rests: Rests
    ends_at: float

    def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Read something."""
        return self.send("GET", path, headers, repeats=True)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: object = None, *, repeats: bool) -> Answer:
        """Send one request.

        Args:
            method: in capitals.
            path: below the API's address, with its query; every piece of it checked or quoted.
            headers: with credentials.
            body: becomes JSON.
            repeats: sending it twice does what sending it once does.

        Raises:
            CodeHostAway: (503 `code_host_away`) no answer, trouble, or a limit.
            TooMuch: the answer is over the cap.
            EgressRefused: (422 `egress_refused`) the host must not be called.
        """
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        named = {**headers, **({"Content-Type": "application/json"} if content else {})}
        for attempt in range(MOST_ATTEMPTS):
            self.rests.check(self.key)
            reply = self._try(method, path, named, content)
            pause = self._pause_seconds(attempt)
            may_repeat = repeats
            if reply is not None and _is_limited(reply):
                pause = self.rests.note(self.key, _limit_seconds(reply, self.clock.now()))
                may_repeat = pause <= _SHORT_WAIT_SECONDS  # it was refused, so nothing was done
            elif reply is not None and reply.status < _SERVER_ERROR:
                self.rests.forget(self.key)
                return Answer(reply.status, reply.headers, _document(reply.content))
            left = self.ends_at - self.clock.monotonic_seconds()
            if not may_repeat or attempt == MOST_ATTEMPTS - 1 or left <= pause:
                raise CodeHostAway(retry_after_seconds=int(pause) + 1)
            self.clock.sleep_seconds(pause)
        raise CodeHostAway

    def _try(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> EgressResponse | None:
        """Make one exchange; None when nobody knows how it ended."""
        left = self.ends_at - self.clock.monotonic_seconds()
        if left <= 0:
            raise CodeHostAway
        try:
            return self.guard.request(
                method, f"{self.url}{path}", headers=headers, content=content, within_seconds=left
            )
        except EgressTooLarge as error:
            raise TooMuch from error
        except (EgressFailed, EgressTimeout):
            return None

    def _pause_seconds(self, attempt: int) -> float:
        """Return a pause between nothing and twice as much as before ("full jitter")."""
        share = int.from_bytes(self.entropy.token_bytes(4)) / 2**32
        return float(share * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt))


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time that the host says it is; None when it does not (RFC 9110 section 6.6.1)."""
    try:
        found = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else None


def _is_limited(reply: EgressResponse) -> bool:
    """Say whether an answer is a limit, of requests in an hour or of too many at once."""
    if reply.status == _TOO_MANY:
        return True
    if reply.status not in _LIMITED:
        return False
    if "retry-after" in reply.headers or _remaining(reply.headers) == "0":
        return True
    document = _document(reply.content)
    message = document.get("message") if isinstance(document, Mapping) else None
    return isinstance(message, str) and any(words in message.lower() for words in _LIMIT_WORDS)


def _limit_seconds(reply: EgressResponse, now: datetime) -> float | None:
    """Return how long to wait; None when the host does not say. The host's own clock counts, where it tells it."""
    asked = _whole(reply.headers.get("retry-after", ""))
    if asked is not None:
        return float(asked)
    reset = _whole(reply.headers.get("x-ratelimit-reset") or reply.headers.get("ratelimit-reset") or "")
    if _remaining(reply.headers) == "0" and reset is not None:
        return float(max(reset - int((server_time(reply.headers) or now).timestamp()), 0)) + 1.0
    return None


def _remaining(headers: Mapping[str, str]) -> str:
    return headers.get("x-ratelimit-remaining") or headers.get("ratelimit-remaining") or ""


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _document(content: bytes) -> Any:
    """Return what a body says, None when that cannot be told.

    Not as strict as the border: a comment with half a character in it, by anyone, must not hide the ones after it.
    """
    if content.count(b",") + content.count(b"{") + content.count(b"[") > _MOST_VALUES:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
