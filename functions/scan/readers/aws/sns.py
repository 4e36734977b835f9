"""Reads SNS topics, their policies and subscriptions; attributes and tags take calls per topic and subscription.

Source: Amazon SNS API Reference, ListTopics, GetTopicAttributes, ListTagsForResource, ListSubscriptions,
GetSubscriptionAttributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from ...types.aws.sns import FEEDBACK, subscription_key
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_GONE = ("NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException")
_TOPIC = {
    "archive_policy": "ArchivePolicy",
    "content_based_deduplication": "ContentBasedDeduplication",
    "delivery_policy": "DeliveryPolicy",
    "display_name": "DisplayName",
    "fifo_throughput_scope": "FifoThroughputScope",
    "fifo_topic": "FifoTopic",
    "kms_master_key_id": "KmsMasterKeyId",
    "policy": "Policy",
    "signature_version": "SignatureVersion",
    "tracing_config": "TracingConfig",
    **FEEDBACK,
}
_SUBSCRIPTION = {
    "delivery_policy": "DeliveryPolicy",
    "filter_policy": "FilterPolicy",
    "filter_policy_scope": "FilterPolicyScope",
    "raw_message_delivery": "RawMessageDelivery",
    "redrive_policy": "RedrivePolicy",
    "replay_policy": "ReplayPolicy",
    "subscription_role_arn": "SubscriptionRoleArn",
}


def read_topics(scope: Scope) -> Iterator[Finding]:
    """List topics, each with its attributes, policy and tags."""
    client = scope.client("sns")
    yield from each(scope.pages("sns", "list_topics", "Topics"), lambda item: _topic(scope, client, item["TopicArn"]))


def _topic(scope: Scope, client: Any, arn: str) -> Iterable[Finding]:
    reply = attempt("sns", lambda: client.get_topic_attributes(TopicArn=arn), *_GONE)
    if isinstance(reply, Gap):
        yield reply.unread("aws_sns_topic", arn)
        yield reply.unread("aws_sns_topic_policy", arn)
        return
    found = reply.get("Attributes")
    if not found:  # deleted since the list was made
        return
    attributes: dict[str, object] = {name: found.get(member) for name, member in _TOPIC.items()}
    tags: dict[str, str] = {}
    tagged = attempt("sns", lambda: client.list_tags_for_resource(ResourceArn=arn), *_GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread("aws_sns_topic", arn, "tags")
    else:
        attributes["tags"] = tags = tag_map(tagged.get("Tags"))
    yield LiveResource("aws_sns_topic", arn, scope.region, attributes, arn, tags=tags, document=found)
    yield LiveResource(
        type="aws_sns_topic_policy",
        key=arn,
        region=scope.region,
        cloud_id=arn,
        parent=Parent("aws_sns_topic", arn, "policy"),
        attributes={"policy": attributes["policy"]},
    )


def read_subscriptions(scope: Scope) -> Iterator[Finding]:
    """List subscriptions; one that is not confirmed yet has no ARN, so that only its existence is known."""
    client = scope.client("sns")
    items = scope.pages("sns", "list_subscriptions", "Subscriptions")
    yield from each(items, lambda item: _subscription(scope, client, item))


def _subscription(scope: Scope, client: Any, item: Item) -> Iterable[Finding]:
    key, arn = subscription_key(item["TopicArn"], item["Protocol"], item["Endpoint"]), item["SubscriptionArn"]
    attributes: dict[str, object] = {}
    if arn.startswith("arn:"):
        reply = attempt("sns", lambda: client.get_subscription_attributes(SubscriptionArn=arn), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread("aws_sns_topic_subscription", key)
            return
        found = reply.get("Attributes")
        if not found:
            return
        attributes = {name: found.get(member) for name, member in _SUBSCRIPTION.items()}
    elif arn == "Deleted":
        return
    cloud_id = arn if arn.startswith("arn:") else key
    yield LiveResource("aws_sns_topic_subscription", key, scope.region, attributes, cloud_id)


SERVICE = Service(
    "sns",
    (
        Listing(
            types=("aws_sns_topic", "aws_sns_topic_policy"),
            read=read_topics,
            permissions=("sns:ListTopics", "sns:GetTopicAttributes", "sns:ListTagsForResource"),
        ),
        Listing(
            types=("aws_sns_topic_subscription",),
            read=read_subscriptions,
            permissions=("sns:ListSubscriptions", "sns:GetSubscriptionAttributes"),
        ),
    ),
)
