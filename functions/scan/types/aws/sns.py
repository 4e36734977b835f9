"""SNS topics, their policies in inline and stand-alone form, and subscriptions.

Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon SNS API Reference, SetTopicAttributes.
"""

from __future__ import annotations

import re

from ...domain.resources import Attributes, Parent
from ...domain.shapes import Canonical, Shape, boolean, default_is, document, number, policy, tags, text
from ...domain.specs import TypeSpec, by

_CREDENTIALS = re.compile(r"^(https?://)[^/@]*@")
_PROTOCOLS = {"application": "Application", "firehose": "Firehose", "http": "HTTP", "lambda": "Lambda", "sqs": "SQS"}
FEEDBACK = {
    f"{protocol}_{suffix}": f"{word}{member}"
    for protocol, word in _PROTOCOLS.items()
    for suffix, member in (
        ("failure_feedback_role_arn", "FailureFeedbackRoleArn"),
        ("success_feedback_role_arn", "SuccessFeedbackRoleArn"),
        ("success_feedback_sample_rate", "SuccessFeedbackSampleRate"),
    )
}


def subscription_key(topic: str, protocol: str, endpoint: str) -> str:
    """Return the identity of a subscription: SNS keeps one per topic, protocol and endpoint.

    The ARN would not do: an unconfirmed subscription is listed without it. SNS masks the password in an HTTP endpoint.
    """
    bare = _CREDENTIALS.sub(lambda found: found[1], endpoint)
    return f"{topic}|{protocol}|{bare}"


def _subscription(attributes: Attributes) -> str | None:
    parts = [str(attributes.get(name) or "") for name in ("topic_arn", "protocol", "endpoint")]
    return subscription_key(*parts) if all(parts) else None


def _topic(attributes: Attributes) -> Parent | None:
    arn = attributes.get("arn")
    return Parent("aws_sns_topic", str(arn), "policy") if arn else None


def signature_version(value: object) -> Canonical:
    """The version that signs messages: 1 unless set; the provider writes 0 for "not set"."""
    found = number(value)
    return None if found in (0, 1) else found


_FEEDBACK_SHAPES: dict[str, Shape] = {
    name: default_is(0, number) if name.endswith("rate") else text for name in FEEDBACK
}

SPECS = (
    TypeSpec(
        "aws_sns_topic",
        {
            "archive_policy": document,
            "content_based_deduplication": boolean,
            "delivery_policy": document,
            "display_name": text,
            "fifo_throughput_scope": text,
            "fifo_topic": boolean,
            "kms_master_key_id": text,
            "policy": policy,
            "signature_version": signature_version,
            "tags": tags,
            "tracing_config": default_is("PassThrough", text),
            **_FEEDBACK_SHAPES,
        },
        key=by("arn"),
        inline={"policy": ("aws_sns_topic_policy",)},
    ),
    TypeSpec("aws_sns_topic_policy", {"policy": policy}, key=by("arn"), parent=_topic),
    TypeSpec(
        "aws_sns_topic_subscription",
        {
            "delivery_policy": document,
            "filter_policy": document,
            "filter_policy_scope": default_is("MessageAttributes", text),
            "raw_message_delivery": boolean,
            "redrive_policy": document,
            "replay_policy": document,
            "subscription_role_arn": text,
        },
        key=_subscription,
    ),
)
