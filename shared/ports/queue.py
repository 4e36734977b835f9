"""The queue between functions: Pub/Sub topics."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .errors import ServiceAway
from .google import deadline_seconds, insecure_channel, retry_within_deadline

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherClient

    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        payload: a JSON object; never holds a secret.
        attributes: text attributes: `event_id` and `org_id` always, `traceparent` when traced.
        ordering_key: messages of one key arrive in order; empty for none.
    """

    payload: Mapping[str, object]
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""


class Queue(Protocol):
    """Publishes messages, at least once."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand messages over; when it returns, the queue owns them.

        Raises:
            ServiceAway: (503 `service_away`) some or all may not have been taken; publish all of them again.
        """
        ...


class GoogleQueue:
    """Pub/Sub, by its plain publish call: what is handed over is durable when the call returns.

    The batching client of google-cloud-pubsub keeps messages in memory for a while, which an instance that shuts down
    would lose. Source: https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1#publisher
    """

    _most_per_call = 500

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parent = f"projects/{settings.project}/topics"
        self._lock = threading.Lock()
        self._client: PublisherClient | None = None

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.pubsub_v1.types import PubsubMessage

        client = self._publisher()
        for start in range(0, len(messages), self._most_per_call):
            batch = [
                PubsubMessage(
                    data=json.dumps(item.payload, separators=(",", ":")).encode(),
                    attributes=dict(item.attributes),
                    ordering_key=item.ordering_key,
                )
                for item in messages[start : start + self._most_per_call]
            ]
            try:
                client.publish(
                    topic=f"{self._parent}/{topic}",
                    messages=batch,
                    timeout=deadline_seconds(),
                    retry=retry_within_deadline(),
                )
            except (GoogleAPICallError, RetryError) as error:
                raise ServiceAway("pubsub") from error

    def _publisher(self) -> PublisherClient:
        """Return the client, made with the first message: most requests publish nothing."""
        with self._lock:
            if self._client is None:
                from google.pubsub_v1 import PublisherClient

                self._client = _client(PublisherClient, self._settings)
            return self._client


def _client(kind: type[PublisherClient], settings: Settings) -> PublisherClient:
    if not settings.pubsub_endpoint:
        return kind()
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    return kind(transport=PublisherGrpcTransport(channel=insecure_channel(settings.pubsub_endpoint)))
