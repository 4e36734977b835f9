"""Pub/Sub: the RPCs of publishers and subscribers over the broker.

Left out, and refused so that nothing seems to work that does not: schemas, snapshots, filters, exactly-once delivery,
exports, transforms, unwrapped push. One message of an ordering key is out at a time, for pull as well as for push.
Source: https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread

import grpc
from google.pubsub_v1 import types

from local_emulator.google.backlog import Delivery
from local_emulator.google.broker import Broker, Subscription
from local_emulator.google.names import PUBSUB_ID, Shape, id_of, require, require_id
from local_emulator.google.pubsub_rules import (
    MOST_ACK_DEADLINE_SECONDS,
    MOST_MESSAGES,
    UPDATES,
    checked_messages,
    checked_subscription,
)
from local_emulator.google.rpc import (
    Refused,
    already_exists,
    failed_precondition,
    invalid,
    not_found,
    page_of,
    unimplemented,
)

PULL_WAIT_SECONDS = 20.0
REPLY_SECONDS = 0.5  # before the client gives up, so that no message is leased to nobody
STREAM_BATCH = 100


class PublisherService:
    """google.pubsub.v1.Publisher."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def create_topic(self, request: types.Topic) -> types.Topic:
        """Create a topic."""
        require_id(id_of(require(request.name, Shape.TOPIC)), PUBSUB_ID, "topic")
        topic = types.Topic(request)
        topic.state = types.Topic.State(types.Topic.State.ACTIVE)
        with self._broker.lock:
            if self._broker.find_topic(topic.name) is not None:
                raise already_exists(f"Topic {topic.name}")
            self._broker.save_topic(topic)
        return topic

    def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """Return a topic."""
        return _topic(self._broker, request.topic)

    def list_topics(self, request: types.ListTopicsRequest) -> types.ListTopicsResponse:
        """List the topics of a project."""
        topics = self._broker.topics(require(request.project, Shape.PROJECT))
        page, token = page_of(len(topics), request.page_size, request.page_token)
        return types.ListTopicsResponse(topics=topics[page], next_page_token=token)

    def list_topic_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest
    ) -> types.ListTopicSubscriptionsResponse:
        """List the names of a topic's subscriptions."""
        names = [found.config.name for found in self._broker.subscribers(_topic(self._broker, request.topic).name)]
        page, token = page_of(len(names), request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse(subscriptions=names[page], next_page_token=token)

    def delete_topic(self, request: types.DeleteTopicRequest) -> None:
        """Delete a topic."""
        self._broker.delete_topic(_topic(self._broker, request.topic).name)

    def publish(self, request: types.PublishRequest) -> types.PublishResponse:
        """Publish messages; the reply is sent once they are on disk."""
        topic = _topic(self._broker, request.topic)
        ids = self._broker.publish(topic.name, checked_messages(request.messages))
        return types.PublishResponse(message_ids=[str(number) for number in ids])


class SubscriberService:
    """google.pubsub.v1.Subscriber."""

    def __init__(self, broker: Broker, least_ack_deadline_seconds: int) -> None:
        self._broker = broker
        self._least_ack_deadline_seconds = least_ack_deadline_seconds

    def create_subscription(self, request: types.Subscription) -> types.Subscription:
        """Create a subscription, push or pull."""
        subscription = self._checked(request)
        with self._broker.lock:
            _topic(self._broker, subscription.topic)
            if self._broker.find(subscription.name) is not None:
                raise already_exists(f"Subscription {subscription.name}")
            self._broker.create_subscription(subscription)
        return subscription

    def get_subscription(self, request: types.GetSubscriptionRequest) -> types.Subscription:
        """Return a subscription."""
        return self._find(request.subscription).config

    def list_subscriptions(self, request: types.ListSubscriptionsRequest) -> types.ListSubscriptionsResponse:
        """List the subscriptions of a project."""
        found = self._broker.subscriptions(require(request.project, Shape.PROJECT))
        page, token = page_of(len(found), request.page_size, request.page_token)
        return types.ListSubscriptionsResponse(subscriptions=found[page], next_page_token=token)

    def update_subscription(self, request: types.UpdateSubscriptionRequest) -> types.Subscription:
        """Change whole fields of a subscription."""
        paths = list(request.update_mask.paths) if request.update_mask else []
        if not paths or any(path not in UPDATES for path in paths):
            raise invalid(f"update_mask must name some of {', '.join(UPDATES)}.")
        with self._broker.lock:
            changed = types.Subscription(self._find(request.subscription.name).config)
            for path in paths:
                is_given = path in request.subscription
                setattr(changed, path, getattr(request.subscription, path) if is_given else None)
            changed = self._checked(changed)
            self._broker.change_subscription(changed)
        return changed

    def modify_push_config(self, request: types.ModifyPushConfigRequest) -> None:
        """Turn a subscription to another endpoint, or to pull."""
        with self._broker.lock:
            changed = types.Subscription(self._find(request.subscription).config)
            changed.push_config = request.push_config
            self._broker.change_subscription(self._checked(changed))

    def delete_subscription(self, request: types.DeleteSubscriptionRequest) -> None:
        """Delete a subscription and its messages."""
        with self._broker.lock:
            self._broker.delete_subscription(self._find(request.subscription).config.name)

    def pull(self, request: types.PullRequest, context: grpc.ServicerContext) -> types.PullResponse:
        """Lease messages, waiting for the first a while unless `return_immediately`."""
        subscription = self._pullable(request.subscription)
        if request.max_messages < 1:
            raise invalid("max_messages must be at least 1.")
        wait_seconds = max(min(PULL_WAIT_SECONDS, context.time_remaining() - REPLY_SECONDS), 0)
        context.add_callback(lambda: self._broker.wake(request.subscription))
        taken = self._broker.take(
            request.subscription,
            min(request.max_messages, MOST_MESSAGES),
            wait_seconds=0 if request.return_immediately else wait_seconds,
            cancelled=lambda: not context.is_active(),
        )
        return types.PullResponse(received_messages=_received(subscription, taken))

    def streaming_pull(
        self, request: Iterator[types.StreamingPullRequest], context: grpc.ServicerContext
    ) -> Iterator[types.StreamingPullResponse]:
        """Send messages as they come, up to the number the client wants to hold, until it goes."""
        first = next(request)
        subscription = self._pullable(first.subscription)
        name, most = first.subscription, first.max_outstanding_messages
        lease_seconds = first.stream_ack_deadline_seconds or subscription.config.ack_deadline_seconds
        over = Event()

        def end() -> None:
            over.set()
            self._broker.wake(name)

        context.add_callback(end)
        Thread(target=self._read_stream, args=(name, request, end), daemon=True).start()
        yield types.StreamingPullResponse(
            subscription_properties={"message_ordering_enabled": subscription.config.enable_message_ordering}
        )
        out: list[str] = []
        while not (over.is_set() or self._broker.is_stopping):
            out = [ack_id for ack_id in out if subscription.backlog.held(ack_id) is not None]
            room = min(most - len(out), STREAM_BATCH) if most > 0 else STREAM_BATCH
            if room <= 0:
                self._broker.wait_for_end_of_lease(name, out)
            taken = self._broker.take(
                name,
                max(room, 0),
                lease_seconds=lease_seconds,
                wait_seconds=PULL_WAIT_SECONDS if room > 0 else 0,
                cancelled=over.is_set,
            )
            out += [delivery.ack_id for delivery in taken]
            if taken:
                yield types.StreamingPullResponse(received_messages=_received(subscription, taken))

    def acknowledge(self, request: types.AcknowledgeRequest) -> None:
        """Acknowledge messages; ack ids that are over are ignored."""
        self._broker.acknowledge(self._pullable(request.subscription).config.name, request.ack_ids)

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> None:
        """Move the end of leases; 0 gives the messages back."""
        name = self._pullable(request.subscription).config.name
        self._modify(name, request.ack_ids, request.ack_deadline_seconds)

    def seek(self, request: types.SeekRequest) -> types.SeekResponse:
        """Go to a time; going back needs `retain_acked_messages` (those are kept in memory only)."""
        subscription = self._find(request.subscription)
        if "time" not in request:
            raise unimplemented("snapshots")
        self._broker.seek(subscription.config.name, request.time)
        return types.SeekResponse()

    def _read_stream(self, name: str, requests: Iterator[types.StreamingPullRequest], end: Callable[[], None]) -> None:
        try:
            for request in requests:
                if request.ack_ids:
                    self._broker.acknowledge(name, request.ack_ids)
                for ack_id, seconds in zip(
                    request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True
                ):
                    self._modify(name, [ack_id], seconds)
        except (grpc.RpcError, Refused, ValueError):
            pass  # the client has gone, the subscription is deleted or the request is malformed: the stream ends
        finally:
            end()

    def _modify(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        if not 0 <= seconds <= MOST_ACK_DEADLINE_SECONDS:
            raise invalid(f"The ack deadline must be 0 to {MOST_ACK_DEADLINE_SECONDS} seconds.")
        if seconds:
            self._broker.extend(name, ack_ids, seconds)
        else:
            self._broker.give_back(name, ack_ids)

    def _checked(self, given: types.Subscription) -> types.Subscription:
        subscription = checked_subscription(given, self._least_ack_deadline_seconds)
        dead_letters = subscription.dead_letter_policy.dead_letter_topic
        if dead_letters:
            _topic(self._broker, dead_letters)
        return subscription

    def _find(self, name: str) -> Subscription:
        return self._broker.subscription(require(name, Shape.SUBSCRIPTION))

    def _pullable(self, name: str) -> Subscription:
        subscription = self._find(name)
        if subscription.is_push:
            raise failed_precondition("This method is not supported for this subscription type.")
        return subscription


def _topic(broker: Broker, name: str) -> types.Topic:
    topic = broker.find_topic(require(name, Shape.TOPIC))
    if topic is None:
        raise not_found(f"Topic {name}")
    return topic


def _received(subscription: Subscription, taken: Sequence[Delivery]) -> list[types.ReceivedMessage]:
    has_dead_letters = bool(subscription.config.dead_letter_policy.dead_letter_topic)
    return [
        types.ReceivedMessage(
            ack_id=delivery.ack_id,
            delivery_attempt=delivery.attempt if has_dead_letters else 0,
            message=types.PubsubMessage(
                data=delivery.message.data,
                attributes=delivery.message.attributes,
                message_id=str(delivery.message.sequence),
                publish_time=delivery.message.published_at,
                ordering_key=delivery.message.ordering_key,
            ),
        )
        for delivery in taken
    ]
