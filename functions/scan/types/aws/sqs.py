"""SQS queues, and their policies in inline and stand-alone form.

Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon SQS API Reference, SetQueueAttributes.
"""

from __future__ import annotations

import re

from ...domain.resources import Attributes, Parent
from ...domain.shapes import Canonical, Shape, boolean, default_is, document, number, policy, tags, text
from ...domain.specs import KeyRule, ParentRule, TypeSpec

_HOST = re.compile(r"(?:sqs\.(?P<new>[a-z0-9-]+)\.|(?P<old>[a-z0-9-]+)\.queue\.|(?P<oldest>queue)\.)")


def queue_key(url: str) -> str:
    """Return region, account and name of a queue URL, which AWS spells with three kinds of host names.

    `sqs.<region>.amazonaws.com` (also within VPC endpoint names), and the legacy `<region>.queue.amazonaws.com` and
    `queue.amazonaws.com` (us-east-1). Source: Amazon SQS Developer Guide, "Queue and message identifiers".
    """
    host, _, path = url.partition("://")[2].partition("/")
    found = _HOST.search(host)
    region = (found["new"] or found["old"] or "us-east-1") if found else host.partition(":")[0]
    return f"{region}/{path}"


def redrive(value: object) -> Canonical:
    """A redrive policy; `maxReceiveCount` may be written as text, and source queues come in any order."""
    found = document(value)
    if not isinstance(found, dict):
        return found
    if "maxReceiveCount" in found:
        found["maxReceiveCount"] = number(found["maxReceiveCount"])
    sources = found.get("sourceQueueArns")
    if isinstance(sources, list):
        found["sourceQueueArns"] = sorted(sources, key=str)
    return found


def _key(attribute: str) -> KeyRule:
    def key(attributes: Attributes) -> str | None:
        url = attributes.get(attribute)
        return queue_key(url) if isinstance(url, str) and url else None

    return key


def _parent(attribute: str) -> ParentRule:
    key = _key("queue_url")

    def parent(attributes: Attributes) -> Parent | None:
        found = key(attributes)
        return Parent("aws_sqs_queue", found, attribute) if found else None

    return parent


def _stand_alone(kind: str, attribute: str, shape: Shape) -> TypeSpec:
    return TypeSpec(kind, {attribute: shape}, key=_key("queue_url"), parent=_parent(attribute))


SPECS = (
    TypeSpec(
        "aws_sqs_queue",
        {
            "content_based_deduplication": boolean,
            "deduplication_scope": text,
            "delay_seconds": number,
            "fifo_queue": boolean,
            "fifo_throughput_limit": text,
            "kms_data_key_reuse_period_seconds": default_is(300, number),
            "kms_master_key_id": text,
            "max_message_size": number,
            "message_retention_seconds": number,
            "policy": policy,
            "receive_wait_time_seconds": number,
            "redrive_allow_policy": redrive,
            "redrive_policy": redrive,
            "sqs_managed_sse_enabled": boolean,
            "tags": tags,
            "visibility_timeout_seconds": number,
        },
        key=_key("id"),
        inline={
            "policy": ("aws_sqs_queue_policy",),
            "redrive_policy": ("aws_sqs_queue_redrive_policy",),
            "redrive_allow_policy": ("aws_sqs_queue_redrive_allow_policy",),
        },
    ),
    _stand_alone("aws_sqs_queue_policy", "policy", policy),
    _stand_alone("aws_sqs_queue_redrive_policy", "redrive_policy", redrive),
    _stand_alone("aws_sqs_queue_redrive_allow_policy", "redrive_allow_policy", redrive),
)
