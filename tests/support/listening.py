"""What a running suite tells on `org-events`, heard by a subscription of the test's own."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local_emulator.names import PROJECT

from .scanning import Estate

_ENDED = "test:listener:ended"
_PULL_SECONDS = 30.0


@dataclass
class Listener:
    """A subscription of one's own: it keeps what is told, also while nobody asks and while the back end starts again."""

    estate: Estate
    subscription: str
    heard: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def start(cls, estate: Estate) -> Listener:
        """Begin to listen."""
        name = f"projects/{PROJECT}/subscriptions/listener-{uuid4().hex[:8]}"
        listener = cls(estate, name)
        with listener._client() as client:
            client.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/org-events")
        return listener

    def hear(self) -> dict[str, set[str]]:
        """Take in what was told until now; returns, of all that was heard, delivery to the ids of the events that told of it."""
        marker = uuid4().hex
        with self._client() as client:
            self.estate.publish("org-events", {"event": _ENDED}, org_id=str(uuid4()), event_id=marker)
            is_over = False
            while not is_over:
                found = client.pull(subscription=self.subscription, max_messages=1000, timeout=_PULL_SECONDS)
                received = found.received_messages
                client.acknowledge(subscription=self.subscription, ack_ids=[item.ack_id for item in received])
                for item in received:
                    told, event_id = json.loads(item.message.data), item.message.attributes["event_id"]
                    is_over |= event_id == marker
                    if told["event"].startswith("webhook:delivery:"):
                        self.heard.setdefault(told["delivery_id"], set()).add(event_id)
        return self.heard

    def end(self) -> None:
        """Take the subscription away."""
        with self._client() as client:
            client.delete_subscription(subscription=self.subscription)

    @contextmanager
    def _client(self) -> Generator[SubscriberClient]:
        with grpc.insecure_channel(self.estate.described["google"]["grpc"]) as channel:
            yield SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


@contextmanager
def told_of_deliveries(estate: Estate) -> Generator[dict[str, set[str]]]:
    """Listen to events of deliveries; after the block: delivery to the ids of the events that told of it."""
    listener = Listener.start(estate)
    try:
        yield listener.heard
        listener.hear()
    finally:
        listener.end()
