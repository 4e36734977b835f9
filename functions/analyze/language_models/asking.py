"""Asks a model: attempts with jitter under one deadline, `Retry-After` honoured, a circuit breaker, and a span.

Knows no vendor. The only way out is the sender that it is given: the egress guard for every address that a user gave and for
the vendors' own, the operator's calls for an endpoint that stands in the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from shared.ports.clock import Clock, Entropy
from shared.ports.errors import ServiceAway
from shared.ports.language_model import Answer, AnswerUnusable, ModelAway, ModelFailed, Prompt
from shared.security.egress import (
    EgressFailed,
    EgressGuard,
    EgressPolicy,
    EgressResponse,
    EgressTimeout,
    EgressTooLarge,
)
from shared.telemetry.traces import span

from .breakers import Breakers
from .exchange import Request, Vendor, read

Sender: TypeAlias = Callable[[Request, float], EgressResponse]

POLICY: Final = EgressPolicy(
    methods=frozenset({"POST"}), deadline_seconds=60.0, most_request_bytes=512 * 1024, most_response_bytes=256 * 1024
)
MOST_ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 8.0
_LEAST_SECONDS = 1.0  # an attempt with less left is not worth its price


class AskedModel:
    """A language model behind HTTP."""

    def __init__(
        self, vendor: Vendor, send: Sender, *, owner: Hashable, clock: Clock, entropy: Entropy, breakers: Breakers
    ) -> None:
        """Make one.

        Args:
            vendor: whose, with its credentials.
            send: makes one exchange.
            owner: whose key it is, so that one's broken endpoint closes nobody else's.
            clock: time.
            entropy: for the jitter.
            breakers: of this process.
        """
        self._vendor = vendor
        self._send = send
        self._endpoint = (owner, vendor.name, urlsplit(vendor.url).netloc, vendor.model)
        self._clock = clock
        self._entropy = entropy
        self._breakers = breakers

    @property
    def is_resting(self) -> bool:
        """Whether it is left alone for now, as it did not answer: asking would fail at once."""
        return self._breakers.is_open(self._endpoint)

    def ask(self, prompt: Prompt, *, within_seconds: float) -> Answer:
        """Ask once; see the port."""
        endpoint = self._endpoint
        self._breakers.check(endpoint)
        try:
            with span("language model", kind="client", attributes={"gen_ai.provider.name": self._vendor.name}):
                found = self._attempts(prompt, self._clock.monotonic_seconds() + within_seconds)
        except ModelAway:
            self._breakers.note(endpoint, answered=False)
            raise
        except ModelFailed:
            self._breakers.note(endpoint, answered=True)
            raise
        self._breakers.note(endpoint, answered=True)
        return found

    def _attempts(self, prompt: Prompt, ends_at: float) -> Answer:
        for attempt in range(MOST_ATTEMPTS):
            asked_for = 0.0
            left = ends_at - self._clock.monotonic_seconds()
            if left <= 0:
                break
            try:
                reply = self._send(self._vendor.request(prompt), left)
                asked_for = _retry_after_seconds(reply, self._clock)
                return read(self._vendor, reply.status, reply.content)
            except EgressTooLarge as error:
                raise AnswerUnusable from error
            except (EgressFailed, EgressTimeout, ServiceAway, ModelAway) as error:
                pause = max(asked_for, self._pause_seconds(attempt))
                left = ends_at - self._clock.monotonic_seconds()
                if attempt == MOST_ATTEMPTS - 1 or left - pause < _LEAST_SECONDS:
                    raise ModelAway(retry_after_seconds=_whole(asked_for)) from error
                self._clock.sleep_seconds(pause)
        raise ModelAway

    def _pause_seconds(self, attempt: int) -> float:
        """Return a pause between nothing and twice as much as before ("full jitter").

        Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/.
        """
        share = int.from_bytes(self._entropy.token_bytes(4)) / 2**32
        return float(share * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt))


def guarded(guard: EgressGuard) -> Sender:
    """Return a sender through the egress guard."""

    def send(request: Request, left_seconds: float) -> EgressResponse:
        return guard.request(
            "POST", request.url, headers=request.headers, content=request.content, within_seconds=left_seconds
        )

    return send


def _retry_after_seconds(reply: EgressResponse, clock: Clock) -> float:
    """Return how long the server asks to wait, 0 when it does not say or says it in no known form (RFC 9110 section 10.2.3)."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal() and len(text) <= 6:
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - clock.now()).total_seconds(), 0.0) if text else 0.0
    except (ValueError, TypeError):
        return 0.0


def _whole(seconds: float) -> int | None:
    return min(int(seconds) + 1, 3600) if seconds else None
