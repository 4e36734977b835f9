"""Push delivery: POSTs the messages of one subscription to its endpoint, a few at once, with a token.

Source: https://cloud.google.com/pubsub/docs/push (body, statuses that acknowledge) and
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions (token).
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Protocol, TypeVar

import httpx

from local_emulator.google.backlog import Delivery
from local_emulator.google.issuer import Issuer

LOGGER = logging.getLogger(__name__)
PAUSE_SECONDS = 0.5
T = TypeVar("T")
ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
USER_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"


@dataclass(frozen=True)
class Target:
    """Where a subscription pushes to. `email` "" means without a token; the deadline is the time a reply may take."""

    subscription: str
    endpoint: str
    email: str
    audience: str
    deadline_seconds: float
    counts_attempts: bool


class Source(Protocol):
    """Where deliveries come from and where their fate is reported."""

    def next_push(self, subscription: str, cancelled: Callable[[], bool]) -> tuple[Target, Delivery] | None:
        """Wait for a message to push; None when the subscription is no longer a push one, or on `cancelled`."""

    def settle(self, subscription: str, ack_id: str, *, delivered: bool) -> None:
        """Acknowledge a message, or count a failure."""


class Poster:
    """Sends one message and says whether it was acknowledged. Shared by all subscriptions."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._client = httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=None))

    def deliver(self, target: Target, delivery: Delivery) -> bool:
        """POST one message. Returns: True for an acknowledging status within the deadline."""
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        if target.email:
            token = self._issuer.token(target.audience or target.endpoint, target.email)
            headers["Authorization"] = f"Bearer {token}"
        try:
            reply = self._client.post(
                target.endpoint, content=body_of(target, delivery), headers=headers, timeout=target.deadline_seconds
            )
        except httpx.HTTPError as error:
            LOGGER.info("push_failed subscription=%s error=%s", target.subscription, type(error).__name__)
            return False
        if reply.status_code not in ACKNOWLEDGED:
            LOGGER.info("push_refused subscription=%s status=%d", target.subscription, reply.status_code)
        return reply.status_code in ACKNOWLEDGED

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def body_of(target: Target, delivery: Delivery) -> bytes:
    """Write the wrapped message; like Google's, empty data and attributes are left out."""
    message = delivery.message
    published = message.published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    wrapped: dict[str, object] = {
        "messageId": str(message.sequence),
        "message_id": str(message.sequence),
        "publishTime": published,
        "publish_time": published,
    }
    if message.data:
        wrapped["data"] = base64.b64encode(message.data).decode("ascii")
    if message.attributes:
        wrapped["attributes"] = message.attributes
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    body: dict[str, object] = {"message": wrapped, "subscription": target.subscription}
    if target.counts_attempts:
        body["deliveryAttempt"] = delivery.attempt
    return json.dumps(body).encode()


class Pusher:
    """The threads that push one subscription. They end when it turns to pull, is deleted, or on `stop`."""

    def __init__(self, source: Source, poster: Poster, subscription: str, concurrency: int) -> None:
        self._source = source
        self._poster = poster
        self._subscription = subscription
        self._stopped = Event()
        self._threads = [
            Thread(target=self._work, name=f"push-{subscription}-{number}", daemon=True)
            for number in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no further message; requests under way end on their own."""
        self._stopped.set()

    def join(self, ends_at: float) -> None:
        """Wait for the requests under way, until a time (monotonic)."""
        for thread in self._threads:
            thread.join(max(ends_at - time.monotonic(), 0))

    def _work(self) -> None:
        while (work := self._insist(self._next)) is not None:
            target, delivery = work
            ack_id, delivered = delivery.ack_id, False
            try:
                delivered = self._poster.deliver(target, delivery)
            except Exception:
                LOGGER.exception("push_broke subscription=%s", target.subscription)
            self._insist(partial(self._source.settle, self._subscription, ack_id, delivered=delivered))

    def _next(self) -> tuple[Target, Delivery] | None:
        return self._source.next_push(self._subscription, self._stopped.is_set)

    def _insist(self, ask: Callable[[], T]) -> T | None:
        """Ask until the journal can be written: a thread that ended by a full disk would never deliver anything again."""
        while True:
            try:
                return ask()
            except sqlite3.OperationalError as error:
                LOGGER.warning("push_waits subscription=%s error=%s", self._subscription, error)
            if self._stopped.wait(PAUSE_SECONDS):
                return None
