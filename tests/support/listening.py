"""What a running suite tells on `org-events`, heard by a subscription of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import grpc
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local_emulator.names import PROJECT

from .scanning import Estate

_ENDED = "test:listener:ended"
_PULL_SECONDS = 30.0


@contextmanager
def told_of_deliveries(estate: Estate) -> Iterator[dict[str, set[str]]]:
    """Listen to events of deliveries; after the block: delivery to the ids of the events that told of it."""
    name = f"projects/{PROJECT}/subscriptions/listener-{uuid4().hex[:8]}"
    heard: dict[str, set[str]] = {}
    with grpc.insecure_channel(estate.described["google"]["grpc"]) as channel:
        client = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        client.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/org-events")
        try:
            yield heard
            estate.publish("org-events", {"event": _ENDED}, org_id=str(uuid4()), event_id=uuid4().hex)
            is_over = False
            while not is_over:
                found = client.pull(subscription=name, max_messages=1000, timeout=_PULL_SECONDS).received_messages
                client.acknowledge(subscription=name, ack_ids=[item.ack_id for item in found])
                for item in found:
                    told = json.loads(item.message.data)
                    is_over |= told["event"] == _ENDED
                    if told["event"].startswith("webhook:delivery:"):
                        heard.setdefault(told["delivery_id"], set()).add(item.message.attributes["event_id"])
        finally:
            client.delete_subscription(subscription=name)
