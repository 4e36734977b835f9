"""What Pub/Sub accepts: the limits of messages and of subscriptions, and what this emulator leaves out.

Source: https://cloud.google.com/pubsub/quotas#resource_limits and the field documentation of google.pubsub.v1
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.pubsub_v1 import types

from local_emulator.google.names import PUBSUB_ID, Shape, id_of, require, require_id
from local_emulator.google.rpc import invalid, unimplemented
from local_emulator.google.storage import Message

MOST_MESSAGES, MOST_PUBLISH_BYTES = 1000, 10_000_000
MOST_ATTRIBUTES, MOST_KEY_BYTES, MOST_VALUE_BYTES = 100, 256, 1024
MOST_ACK_DEADLINE_SECONDS = 600
LEAST_ATTEMPTS, DEFAULT_ATTEMPTS, MOST_ATTEMPTS = 5, 5, 100
RETENTION = timedelta(days=7)
DEFAULT_BACKOFF, MOST_BACKOFF = timedelta(seconds=10), timedelta(seconds=600)
LEFT_OUT = (
    "filter",
    "enable_exactly_once_delivery",
    "bigquery_config",
    "bigtable_config",
    "cloud_storage_config",
    "message_transforms",
)
UPDATES = (
    "push_config",
    "ack_deadline_seconds",
    "retain_acked_messages",
    "message_retention_duration",
    "labels",
    "expiration_policy",
    "dead_letter_policy",
    "retry_policy",
)


def checked_messages(messages: Sequence[types.PubsubMessage]) -> list[Message]:
    """Read the messages of one publish call. Raises: INVALID_ARGUMENT outside the limits."""
    if not 1 <= len(messages) <= MOST_MESSAGES:
        raise invalid(f"A request must have 1 to {MOST_MESSAGES} messages.")
    if len({message.ordering_key for message in messages}) > 1:
        raise invalid("All messages of a request must have the same ordering key.")
    read = [
        Message(0, message.data, dict(message.attributes), message.ordering_key, datetime.now(UTC))
        for message in messages
    ]
    if sum(map(_size, read)) > MOST_PUBLISH_BYTES:
        raise invalid(f"The messages of a request must have at most {MOST_PUBLISH_BYTES} bytes together.")
    for message in read:
        _check_message(message)
    return read


def _size(message: Message) -> int:
    return len(message.data) + sum(len(key) + len(value) for key, value in message.attributes.items())


def _check_message(message: Message) -> None:
    problem = ""
    if not message.data and not message.attributes:
        problem = "A message must have data or at least one attribute."
    elif len(message.attributes) > MOST_ATTRIBUTES or len(message.ordering_key.encode()) > MOST_VALUE_BYTES:
        problem = "A message has too many attributes or too long an ordering key."
    elif any(
        not 1 <= len(key.encode()) <= MOST_KEY_BYTES or len(value.encode()) > MOST_VALUE_BYTES or key.startswith("goog")
        for key, value in message.attributes.items()
    ):
        problem = "An attribute's key or value is too long, or its key is empty or begins with goog."
    if problem:
        raise invalid(problem)


def checked_subscription(given: types.Subscription, least_ack_deadline_seconds: int) -> types.Subscription:
    """Copy a subscription and fill in the defaults.

    Raises: INVALID_ARGUMENT outside the limits, UNIMPLEMENTED for what the emulator leaves out.
    """
    require_id(id_of(require(given.name, Shape.SUBSCRIPTION)), PUBSUB_ID, "subscription")
    for field in LEFT_OUT:
        if getattr(given, field):
            raise unimplemented(f"subscriptions with {field}")
    subscription = types.Subscription(given)
    subscription.state = types.Subscription.State(types.Subscription.State.ACTIVE)
    subscription.ack_deadline_seconds = given.ack_deadline_seconds or least_ack_deadline_seconds
    if not least_ack_deadline_seconds <= subscription.ack_deadline_seconds <= MOST_ACK_DEADLINE_SECONDS:
        raise invalid(f"ack_deadline_seconds must be {least_ack_deadline_seconds} to {MOST_ACK_DEADLINE_SECONDS}.")
    subscription.message_retention_duration = given.message_retention_duration or RETENTION
    if not timedelta(minutes=10) <= subscription.message_retention_duration <= timedelta(days=31):
        raise invalid("message_retention_duration must be 10 minutes to 31 days.")
    _check_push(subscription.push_config)
    if "dead_letter_policy" in given:
        _check_dead_letters(subscription.dead_letter_policy)
    if "retry_policy" in given:
        _check_retries(subscription.retry_policy)
    return subscription


def _check_push(config: types.PushConfig) -> None:
    if config.push_endpoint and not config.push_endpoint.startswith(("http://", "https://")):
        raise invalid("push_endpoint must be a URL.")
    if "no_wrapper" in config:
        raise unimplemented("push without the wrapper")


def _check_dead_letters(policy: types.DeadLetterPolicy) -> None:
    require(policy.dead_letter_topic, Shape.TOPIC)
    policy.max_delivery_attempts = policy.max_delivery_attempts or DEFAULT_ATTEMPTS
    if not LEAST_ATTEMPTS <= policy.max_delivery_attempts <= MOST_ATTEMPTS:
        raise invalid(f"max_delivery_attempts must be {LEAST_ATTEMPTS} to {MOST_ATTEMPTS}.")


def _check_retries(policy: types.RetryPolicy) -> None:
    if "minimum_backoff" not in policy:
        policy.minimum_backoff = DEFAULT_BACKOFF
    if "maximum_backoff" not in policy:
        policy.maximum_backoff = MOST_BACKOFF
    if not timedelta(0) <= policy.minimum_backoff <= policy.maximum_backoff <= MOST_BACKOFF:
        raise invalid("The back-off must be 0 to 600 seconds, the minimum at most the maximum.")
