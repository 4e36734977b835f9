"""The queue between functions: Pub/Sub topics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from .google import GoogleService, deadline_seconds, open_channel, retry_within_deadline

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherClient
    from google.pubsub_v1.types import PubsubMessage

    from shared.settings import Settings


# The attribute that Pub/Sub puts on a dead letter: the subscription that gave it up.
# Source: https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic
DEAD_LETTER_SOURCE = "CloudPubSubDeadLetterSourceSubscription"


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
        self._parent = f"projects/{settings.project}/topics"
        self._service = GoogleService("pubsub", lambda: _client(settings))

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        from google.pubsub_v1.types import PubsubMessage

        for start in range(0, len(messages), self._most_per_call):
            batch = [
                PubsubMessage(
                    data=json.dumps(item.payload, separators=(",", ":")).encode(),
                    attributes=dict(item.attributes),
                    ordering_key=item.ordering_key,
                )
                for item in messages[start : start + self._most_per_call]
            ]
            self._service.call(partial(self._publish, f"{self._parent}/{topic}", batch))

    @staticmethod
    def _publish(topic: str, batch: list[PubsubMessage], client: PublisherClient) -> None:
        client.publish(topic=topic, messages=batch, timeout=deadline_seconds(), retry=retry_within_deadline())


def _client(settings: Settings) -> PublisherClient:
    from google.pubsub_v1 import PublisherClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport as Transport

    return PublisherClient(transport=Transport(channel=open_channel(settings.pubsub_endpoint, Transport)))
