"""A call that CloudTrail recorded: who made it, how, and what it was about.

Decides what a record means; must not ask AWS.
Source: AWS CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity events" and
"CloudTrail userIdentity element".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

Channel = Literal["console", "terraform", "cli", "service", "api"]

_MOST_TEXT = 500
_MOST_RECORD_CHARACTERS = 512 * 1024  # CloudTrail cuts a record at 256 KB. Source: "CloudTrail record contents"
_MOST_DEPTH = 12
_ARN_COLONS = 5
_ARN_KIND = re.compile(r"^[a-z-]+[:/]")
_SERVICE_HOST = ".amazonaws.com"
_CONSOLE_AGENTS = (
    "console.amazonaws.com",
    "signin.amazonaws.com",
    "console.ec2.amazonaws.com",
    "s3console",
    "mozilla/",
)
_TERRAFORM_AGENTS = ("terraform", "opentofu", "terragrunt")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a call.

    Attributes:
        type: CloudTrail's word, e.g. `IAMUser`, `AssumedRole`, `Root`, `AWSService`.
        arn: of the principal; of a session it names the role and the session.
        user_name: friendly name of the user, or of the role behind a session.
        session_name: how the session was called by whoever took the role on.
        issuer_arn: the role (or user) that issued a session.
        invoked_by: the AWS service that made the call for somebody.
    """

    type: str
    arn: str | None
    user_name: str | None
    session_name: str | None
    issuer_arn: str | None
    invoked_by: str | None

    @property
    def name(self) -> str:
        """What people call the actor: the principal's ARN, else the service, else the kind of identity."""
        return self.arn or self.invoked_by or self.user_name or self.type


@dataclass(frozen=True)
class TrailEvent:
    """One recorded call.

    Attributes:
        id: CloudTrail's id of the event.
        time: when the call was made, aware, UTC.
        source: e.g. `ec2.amazonaws.com`.
        name: e.g. `ModifyVpcAttribute`.
        region: where the call was made.
        actor: who made it.
        address: the caller's address, or the host name of the AWS service that called; None when not told.
        user_agent: what the caller says it is, at most 500 characters.
        channel: what the call came through.
        request_id: of the call itself.
        is_read_only: it changed nothing.
        error_code: why it failed; None for a call that went through.
        resources: names of the resources that CloudTrail lists for it.
        request, response: parameters and answer, as recorded (CloudTrail leaves secrets out); only for matching, never stored.
    """

    id: str
    time: datetime
    source: str
    name: str
    region: str
    actor: Actor
    address: str | None
    user_agent: str | None
    channel: Channel
    request_id: str | None
    is_read_only: bool
    error_code: str | None
    resources: frozenset[str]
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    @property
    def call(self) -> str:
        """The call by its full name."""
        return f"{self.source}:{self.name}"

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that the record gives to what the call was about."""
        texts = (*self.resources, *_texts(self.request), *_texts(self.response))
        return frozenset(spelling for text in texts for spelling in spellings(text))


def spellings(text: str) -> tuple[str, ...]:
    """Return a name in the forms that calls use for it: as it is, and of an ARN or URL what stands behind its beginning.

    `arn:aws:logs:us-east-1:1:log-group:/aws/lambda/mailer` is also `/aws/lambda/mailer`; of `user/machines/deploy` the last
    part counts as well.
    """
    if text.startswith("arn:") and text.count(":") >= _ARN_COLONS:
        resource = text.split(":", _ARN_COLONS)[_ARN_COLONS]
        tail = _ARN_KIND.sub("", resource, count=1)
        return (text, tail, tail.rsplit("/", 1)[-1])
    return (text, text.split("://", 1)[1]) if "://" in text else (text,)


def parse_event(item: Mapping[str, Any]) -> TrailEvent | None:
    """Read one element of a `LookupEvents` reply; None when it is no record of an API call.

    Args:
        item: an `Event` of the API: `EventId EventName EventTime EventSource ReadOnly Resources CloudTrailEvent`.

    Source: AWS CloudTrail API Reference, "Event".
    """
    record = _record(item.get("CloudTrailEvent"))
    source, name, time = record.get("eventSource"), record.get("eventName"), item.get("EventTime")
    is_call = record.get("eventType", "AwsApiCall") in {"AwsApiCall", "AwsServiceEvent"}
    if not (is_call and source and name and isinstance(time, datetime) and time.tzinfo):
        return None
    actor = _actor(_mapping(record.get("userIdentity")))
    address, agent = _text(record.get("sourceIPAddress")), _text(record.get("userAgent"))
    return TrailEvent(
        id=str(item.get("EventId") or record.get("eventID") or ""),
        time=time,
        source=str(source),
        name=str(name),
        region=str(record.get("awsRegion") or ""),
        actor=actor,
        address=address,
        user_agent=agent,
        channel=_channel(record, actor, address or "", agent or ""),
        request_id=_text(record.get("requestID")),
        is_read_only=str(record.get("readOnly", item.get("ReadOnly", "false"))).lower() == "true",
        error_code=_text(record.get("errorCode")),
        resources=frozenset(str(found["ResourceName"]) for found in item.get("Resources") or () if found.get("ResourceName")),
        request=_mapping(record.get("requestParameters")),
        response=_mapping(record.get("responseElements")),
    )  # fmt: skip


def _record(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str) or len(text) > _MOST_RECORD_CHARACTERS:
        return {}
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _actor(identity: Mapping[str, Any]) -> Actor:
    issuer = _mapping(_mapping(identity.get("sessionContext")).get("sessionIssuer"))
    arn, kind = _text(identity.get("arn")), str(identity.get("type") or "Unknown")
    is_session = kind in {"AssumedRole", "FederatedUser"} and arn is not None and "/" in arn
    return Actor(
        type=kind[:100],
        arn=arn,
        user_name=_text(identity.get("userName")) or _text(issuer.get("userName")),
        session_name=arn.rsplit("/", 1)[1] if is_session and arn else None,
        issuer_arn=_text(issuer.get("arn")),
        invoked_by=_text(identity.get("invokedBy")),
    )


def _channel(record: Mapping[str, Any], actor: Actor, address: str, agent: str) -> Channel:
    """Tell what a call came through; a console session that an AWS service acted for counts as the console."""
    lower = agent.lower()
    if any(word in lower for word in _TERRAFORM_AGENTS):
        return "terraform"
    if str(record.get("sessionCredentialFromConsole", "")).lower() == "true" or any(
        word in lower for word in _CONSOLE_AGENTS
    ):
        return "console"
    if actor.type == "AWSService" or actor.invoked_by or address.endswith(_SERVICE_HOST):
        return "service"
    return "cli" if lower.strip("[").startswith("aws-cli/") else "api"


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif depth < _MOST_DEPTH and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif depth < _MOST_DEPTH and isinstance(value, Sequence):
        for item in value:
            yield from _texts(item, depth + 1)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return str(value).replace("\x00", "")[:_MOST_TEXT] if value not in (None, "") else None
