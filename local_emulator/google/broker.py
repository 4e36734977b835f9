"""The broker: which topics and subscriptions there are, and what happens to a message between them.

Owns the lock, the journal on disk and the push threads. It knows nothing of gRPC beyond the resource types.
Delivery is at least once: what was under way when the process stopped is delivered again. The journal may refuse (a full
disk); then the caller is told, and nothing that is held in memory is held for ever.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Condition, RLock

from google.pubsub_v1 import types

from local_emulator.google.backlog import NEVER, Backlog, Delivery, Policy
from local_emulator.google.names import id_of, parent_of
from local_emulator.google.push import Poster, Pusher, Target
from local_emulator.google.rpc import not_found
from local_emulator.google.storage import Journal, Message, Records

TOPIC, SUBSCRIPTION = "topic", "subscription"
DELETED_TOPIC = "_deleted-topic_"
PUSH_BACKOFF_SECONDS = (0.1, 60.0)  # of a push subscription without a retry policy
ALL = 1_000_000  # waiting callers; the push threads of one subscription are alike, so one wake-up a message is enough
DEAD_LETTER = "CloudPubSubDeadLetterSource"


@dataclass
class Subscription:
    """One subscription at work."""

    config: types.Subscription
    backlog: Backlog
    changed: Condition
    pusher: Pusher | None = None
    acknowledged: deque[Message] = field(default_factory=deque)  # for seek, in memory only

    @property
    def is_push(self) -> bool:
        """Whether messages are pushed rather than pulled."""
        return bool(self.config.push_config.push_endpoint)


class Broker:
    """Topics, subscriptions and the messages in flight."""

    def __init__(
        self, records: Records, journal: Journal, poster: Poster, concurrency_of: Callable[[str], int]
    ) -> None:
        self._records = records
        self._journal = journal
        self._poster = poster
        self._concurrency_of = concurrency_of
        self._stopping = False
        self._closed = False
        self._sequence = max(time.time_ns() // 1000, journal.last_sequence())
        self._subscriptions: dict[str, Subscription] = {}
        self.lock = RLock()
        for body in records.under(SUBSCRIPTION, ""):
            self._open(types.Subscription.deserialize(body))

    def close(self, grace_seconds: float) -> None:
        """Wake every waiting call, stop pushing, and give the requests under way a moment to end.

        Nothing is lost: what is not acknowledged by then is in the journal and is delivered after the next start.
        """
        with self.lock:
            self._stopping = True
            pushers = [found.pusher for found in self._subscriptions.values() if found.pusher is not None]
            for subscription in self._subscriptions.values():
                self._stop_pushing(subscription)
                subscription.changed.notify_all()
        ends_at = time.monotonic() + grace_seconds
        for pusher in pushers:
            pusher.join(ends_at)
        with self.lock:
            self._closed = True

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is delivered by this process."""
        return self._stopping

    # Topics

    def save_topic(self, topic: types.Topic) -> None:
        """Create or replace a topic."""
        self._records.put(TOPIC, topic.name, types.Topic.serialize(topic))

    def find_topic(self, name: str) -> types.Topic | None:
        """Return a topic or None."""
        body = self._records.get(TOPIC, name)
        return None if body is None else types.Topic.deserialize(body)

    def topics(self, project: str) -> list[types.Topic]:
        """List the topics of a project."""
        return [types.Topic.deserialize(body) for body in self._records.under(TOPIC, project)]

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions stay, cut off."""
        with self.lock, self._records.transaction():
            self._records.delete(TOPIC, name)
            for subscription in self.subscribers(name):
                subscription.config.topic = DELETED_TOPIC
                self._save(subscription.config)

    def subscribers(self, topic: str) -> list[Subscription]:
        """List the subscriptions of a topic."""
        return [found for found in self._subscriptions.values() if found.config.topic == topic]

    # Subscriptions

    def create_subscription(self, config: types.Subscription) -> None:
        """Create a subscription; it gets what is published from now on."""
        with self.lock:
            self._save(config)
            self._open(config)

    def find(self, name: str) -> Subscription | None:
        """Return a subscription or None."""
        return self._subscriptions.get(name)

    def subscription(self, name: str) -> Subscription:
        """Return a subscription. Raises: NOT_FOUND."""
        found = self.find(name)
        if found is None:
            raise not_found(f"Subscription {name}")
        return found

    def subscriptions(self, project: str) -> list[types.Subscription]:
        """List the subscriptions of a project."""
        return [found.config for name, found in self._subscriptions.items() if name.startswith(f"{project}/")]

    def change_subscription(self, config: types.Subscription) -> None:
        """Replace a subscription's settings; a change between push and pull takes effect at once."""
        with self.lock:
            subscription = self.subscription(config.name)
            subscription.config = config
            subscription.backlog.policy = policy_of(config)
            self._save(config)
            if not subscription.is_push:
                self._stop_pushing(subscription)
            elif subscription.pusher is None:
                self._start_pushing(subscription)
            subscription.changed.notify_all()

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with its messages."""
        with self.lock, self._records.transaction():
            subscription = self.subscription(name)
            self._stop_pushing(subscription)
            del self._subscriptions[name]
            self._records.delete(SUBSCRIPTION, name)
            self._journal.forget_all(name)
            subscription.changed.notify_all()

    # Messages

    def publish(self, topic: str, messages: Sequence[Message]) -> list[int]:
        """Give each message an id and a time, and put it into every subscription of the topic."""
        with self.lock:
            published = []
            for message in messages:
                self._sequence += 1
                published.append(replace(message, sequence=self._sequence, published_at=datetime.now(UTC), failures=0))
            with self._journal.transaction():
                for subscription in self.subscribers(topic):
                    self._journal.append(subscription.config.name, published)
            now = time.monotonic()
            for subscription in self.subscribers(topic):
                for message in published:
                    subscription.backlog.add(message, now)
                subscription.changed.notify(len(published) if subscription.is_push else ALL)
            return [message.sequence for message in published]

    def take(
        self,
        name: str,
        limit: int,
        *,
        lease_seconds: float | None = None,
        wait_seconds: float,
        cancelled: Callable[[], bool],
    ) -> list[Delivery]:
        """Lease messages, waiting for the first one; empty when the time is over or the caller has gone.

        A lease of None seconds is the subscription's ack deadline; `cancelled` is asked after each `wake`.
        """
        ends_at = time.monotonic() + wait_seconds
        with self.lock:
            while not self._stopping and not cancelled():
                subscription = self.subscription(name)
                now = time.monotonic()
                self._tidy(subscription, now)
                lease = subscription.config.ack_deadline_seconds if lease_seconds is None else lease_seconds
                taken = subscription.backlog.take(limit, lease, now)
                wakes_at = min(subscription.backlog.wakes_at(), ends_at)
                if taken or now >= ends_at:
                    return taken
                subscription.changed.wait(None if wakes_at == NEVER else max(wakes_at - now, 0))
        return []

    def next_push(self, subscription: str, cancelled: Callable[[], bool]) -> tuple[Target, Delivery] | None:
        """Wait for the next message to push (`push.Source`); the reply's timeout takes the place of a lease."""
        with self.lock:
            if subscription not in self._subscriptions:
                return None
            taken = self.take(subscription, 1, lease_seconds=NEVER, wait_seconds=NEVER, cancelled=cancelled)
            return (target_of(self._subscriptions[subscription].config), taken[0]) if taken else None

    def settle(self, subscription: str, ack_id: str, *, delivered: bool) -> None:
        """Acknowledge or give back a pushed message (`push.Source`)."""
        with self.lock:
            if not self._closed and subscription in self._subscriptions:
                (self.acknowledge if delivered else self.give_back)(subscription, [ack_id])

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        """Forget messages; an ack id that is over is ignored, as Google does."""
        with self.lock:
            subscription = self.subscription(name)
            over = [delivery.message for delivery in _held(subscription, ack_ids)]
            self._journal.forget(name, [message.sequence for message in over])
            for message in over:
                subscription.backlog.remove(message.sequence)
            if subscription.config.retain_acked_messages:
                subscription.acknowledged.extend(over)
            subscription.changed.notify(1 if subscription.is_push else ALL)

    def give_back(self, name: str, ack_ids: Sequence[str]) -> None:
        """Count a failure for each message: it waits for its back-off, or goes to the dead letters."""
        with self.lock:
            subscription = self.subscription(name)
            failed = _held(subscription, ack_ids)
            for delivery in failed:
                subscription.backlog.retry(delivery, time.monotonic())
            subscription.changed.notify(1 if subscription.is_push else ALL)
            most = subscription.backlog.policy.max_attempts
            with self._journal.transaction():
                for delivery in failed:
                    self._journal.set_failures(name, delivery.message.sequence, delivery.failures)
                    if most is not None and delivery.failures >= most:
                        self._dead_letter(subscription, delivery)

    def extend(self, name: str, ack_ids: Sequence[str], lease_seconds: float) -> None:
        """Move the end of leases."""
        with self.lock:
            subscription = self.subscription(name)
            for ack_id in ack_ids:
                subscription.backlog.extend(ack_id, lease_seconds, time.monotonic())
            subscription.changed.notify_all()

    def wait_for_end_of_lease(self, name: str, ack_ids: Sequence[str]) -> None:
        """Wait until one of these leases is over, at most a second (leases that run out are noticed by `take`)."""
        with self.lock:
            subscription = self.subscription(name)
            subscription.changed.wait_for(
                lambda: self._stopping or any(subscription.backlog.held(ack_id) is None for ack_id in ack_ids), 1
            )

    def wake(self, name: str) -> None:
        """Make waiting callers of one subscription ask again whether they were cancelled."""
        with self.lock:
            if name in self._subscriptions:
                self._subscriptions[name].changed.notify_all()

    def seek(self, name: str, moment: datetime) -> None:
        """Acknowledge what was published before a time, and bring back what is retained from it on."""
        with self.lock, self._journal.transaction():
            subscription = self.subscription(name)
            known = {message.sequence: message for message in subscription.acknowledged}
            known |= {message.sequence: message for message in subscription.backlog.messages()}
            kept = [known[sequence] for sequence in sorted(known) if known[sequence].published_at >= moment]
            subscription.acknowledged = deque(
                message for message in subscription.acknowledged if message.published_at < moment
            )
            self._journal.forget_all(name)
            self._journal.append(name, kept)
            subscription.backlog = Backlog(subscription.backlog.policy)
            for message in kept:
                subscription.backlog.add(message, time.monotonic())
            subscription.changed.notify_all()

    def _open(self, config: types.Subscription) -> None:
        subscription = Subscription(config, Backlog(policy_of(config)), Condition(self.lock))
        self._subscriptions[config.name] = subscription
        now = time.monotonic()
        for message in self._journal.load(config.name):
            subscription.backlog.add(message, now)
        if subscription.is_push:
            self._start_pushing(subscription)

    def _save(self, config: types.Subscription) -> None:
        self._records.put(SUBSCRIPTION, config.name, types.Subscription.serialize(config))

    def _start_pushing(self, subscription: Subscription) -> None:
        name = subscription.config.name
        subscription.pusher = Pusher(self, self._poster, name, self._concurrency_of(id_of(name)))

    def _stop_pushing(self, subscription: Subscription) -> None:
        if subscription.pusher is not None:
            subscription.pusher.stop()
            subscription.pusher = None

    def _tidy(self, subscription: Subscription, now: float) -> None:
        """Take back what was leased for too long, and drop what is older than the retention."""
        if ended := subscription.backlog.expired(now):
            self.give_back(subscription.config.name, ended)
        oldest_kept = datetime.now(UTC) - subscription.config.message_retention_duration
        while (oldest := subscription.backlog.oldest()) is not None and oldest.published_at < oldest_kept:
            self._drop(subscription, oldest)
        while subscription.acknowledged and subscription.acknowledged[0].published_at < oldest_kept:
            subscription.acknowledged.popleft()

    def _drop(self, subscription: Subscription, message: Message) -> None:
        self._journal.forget(subscription.config.name, [message.sequence])
        subscription.backlog.remove(message.sequence)

    def _dead_letter(self, subscription: Subscription, delivery: Delivery) -> None:
        """Forward a message that failed too often; without its topic it stays and is tried on."""
        topic = subscription.config.dead_letter_policy.dead_letter_topic
        if self.find_topic(topic) is None:
            return
        name, message = subscription.config.name, delivery.message
        attributes = message.attributes | {
            f"{DEAD_LETTER}DeliveryCount": str(delivery.failures),
            f"{DEAD_LETTER}Subscription": id_of(name),
            f"{DEAD_LETTER}SubscriptionProject": id_of(parent_of(name)),
            f"{DEAD_LETTER}TopicPublishTime": message.published_at.isoformat(timespec="milliseconds"),
        }
        self.publish(topic, [replace(message, attributes=attributes)])
        self._drop(subscription, message)


def _held(subscription: Subscription, ack_ids: Sequence[str]) -> list[Delivery]:
    found = [subscription.backlog.held(ack_id) for ack_id in dict.fromkeys(ack_ids)]
    return [delivery for delivery in found if delivery is not None]


def policy_of(config: types.Subscription) -> Policy:
    """Read the delivery policy out of a subscription."""
    least, most = PUSH_BACKOFF_SECONDS if config.push_config.push_endpoint else (None, 600.0)
    if "retry_policy" in config:
        least = config.retry_policy.minimum_backoff.total_seconds()
        most = config.retry_policy.maximum_backoff.total_seconds()
    has_dead_letters = bool(config.dead_letter_policy.dead_letter_topic)
    return Policy(
        is_ordered=config.enable_message_ordering,
        minimum_backoff_seconds=least,
        maximum_backoff_seconds=most,
        max_attempts=config.dead_letter_policy.max_delivery_attempts if has_dead_letters else None,
    )


def target_of(config: types.Subscription) -> Target:
    """Read the push target out of a subscription."""
    token = config.push_config.oidc_token
    return Target(
        subscription=config.name,
        endpoint=config.push_config.push_endpoint,
        email=token.service_account_email,
        audience=token.audience,
        deadline_seconds=config.ack_deadline_seconds,
        counts_attempts=bool(config.dead_letter_policy.dead_letter_topic),
    )
