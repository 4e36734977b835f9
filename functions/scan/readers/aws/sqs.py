"""Reads SQS queues and the policies that hang on them; attributes and tags take a call per queue.

Source: Amazon SQS API Reference, ListQueues, GetQueueAttributes, ListQueueTags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource, Parent
from ...types.aws.sqs import queue_key
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each

_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_ATTRIBUTES = {
    "content_based_deduplication": "ContentBasedDeduplication",
    "deduplication_scope": "DeduplicationScope",
    "delay_seconds": "DelaySeconds",
    "fifo_queue": "FifoQueue",
    "fifo_throughput_limit": "FifoThroughputLimit",
    "kms_data_key_reuse_period_seconds": "KmsDataKeyReusePeriodSeconds",
    "kms_master_key_id": "KmsMasterKeyId",
    "max_message_size": "MaximumMessageSize",
    "message_retention_seconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receive_wait_time_seconds": "ReceiveMessageWaitTimeSeconds",
    "redrive_allow_policy": "RedriveAllowPolicy",
    "redrive_policy": "RedrivePolicy",
    "sqs_managed_sse_enabled": "SqsManagedSseEnabled",
    "visibility_timeout_seconds": "VisibilityTimeout",
}
_STAND_ALONE = {
    "policy": "aws_sqs_queue_policy",
    "redrive_policy": "aws_sqs_queue_redrive_policy",
    "redrive_allow_policy": "aws_sqs_queue_redrive_allow_policy",
}


def read_queues(scope: Scope) -> Iterator[Finding]:
    """List queues, each with its attributes, policies and tags."""
    client = scope.client("sqs")
    items: Iterable[Item] = ({"QueueUrl": url} for url in scope.pages("sqs", "list_queues", "QueueUrls"))
    yield from each(items, lambda item: _queue(scope, client, item["QueueUrl"]))


def _queue(scope: Scope, client: Any, url: str) -> Iterable[Finding]:
    key = queue_key(url)
    reply = attempt("sqs", lambda: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]), *_GONE)
    if isinstance(reply, Gap):
        for kind in ("aws_sqs_queue", *_STAND_ALONE.values()):
            yield reply.unread(kind, key)
        return
    found = reply.get("Attributes")
    if not found:  # deleted since the list was made
        return
    attributes: dict[str, object] = {name: found.get(member) for name, member in _ATTRIBUTES.items()}
    tags: dict[str, str] = {}
    tagged = attempt("sqs", lambda: client.list_queue_tags(QueueUrl=url), *_GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread("aws_sqs_queue", key, "tags")
    else:
        attributes["tags"] = tags = tagged.get("Tags") or {}
    yield LiveResource("aws_sqs_queue", key, scope.region, attributes, found["QueueArn"], tags=tags, document=found)
    for name, kind in _STAND_ALONE.items():
        if attributes[name]:
            parent = Parent("aws_sqs_queue", key, name)
            yield LiveResource(kind, key, scope.region, {name: attributes[name]}, found["QueueArn"], parent=parent)


SERVICE = Service(
    "sqs",
    (
        Listing(
            types=("aws_sqs_queue", *_STAND_ALONE.values()),
            read=read_queues,
            permissions=("sqs:ListQueues", "sqs:GetQueueAttributes", "sqs:ListQueueTags"),
        ),
    ),
)
