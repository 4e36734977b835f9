"""Who made a drift: which of the recorded calls explains it, and how sure that is.

Decides; reads nothing. A failed call and a call that only reads did nothing, so they never count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from .partitions import home_region
from .regional import without_region
from .shards import ALL
from .trail import TrailEvent, spellings
from .trail_calls import effect_on, is_call_for, is_global, source_of
from .trail_touches import touches

Confidence = Literal["exact", "likely", "possible"]

HISTORY = timedelta(days=90)  # Source: AWS CloudTrail User Guide, "Working with CloudTrail Event history"
# "On average about 5 minutes" and not guaranteed; who looks earlier may take an older call for the latest.
# Source: AWS CloudTrail User Guide, "How CloudTrail works"
DELIVERY = timedelta(minutes=20)
_MOST_NAMES = 3
_NAME_LENGTH = 2048


class HistoryRefused(Exception):
    """A cloud's history gave no answer.

    Attributes:
        reason: `access_denied`, `throttled`, `unavailable`, `malformed` or `not_enabled`.
        permission: the missing permission, when that is the reason.
    """

    def __init__(self, reason: str, permission: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Question:
    """One drift item, as far as its maker is asked for.

    Attributes:
        kind: `missing`, `unmanaged` or `changed`.
        type: Terraform type.
        key: what it is matched by within its type.
        cloud_id: ARN or id; None when unknown.
        region: where it is; None when the state does not tell.
        path: attribute path of a changed value.
        seen_at: when a scan first showed it as it is now.
        since: when the last good scan before that began; None for an account's first scan.
    """

    kind: str
    type: str
    key: str
    cloud_id: str | None
    region: str | None
    path: str | None
    seen_at: datetime
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The call that explains a drift.

    Attributes:
        event: the recorded call.
        confidence: `exact` when the call does precisely this, `likely` when it changes the resource and may have done it,
            `possible` when it is older than the last scan that did not show the drift.
    """

    event: TrailEvent
    confidence: Confidence


def names_of(question: Question) -> tuple[str, ...]:
    """Return the names under which CloudTrail may know the resource, the most telling first; at most three."""
    whole = (*_parts(question), question.cloud_id or "")
    plain = [name for text in whole for name in spellings(text)[1:] or (text,)]
    usable = dict.fromkeys(name for name in (*plain, *whole) if name and len(name) <= _NAME_LENGTH)
    return tuple(usable)[:_MOST_NAMES]


def regions_of(question: Question, regions: Sequence[str], partition: str) -> tuple[str, ...]:
    """Return where the calls on a resource are recorded, most likely first.

    Args:
        question: the item.
        regions: the account's scanned regions, for an item that names none; where they are not known, its home is asked.
        partition: the account's.
    """
    home = home_region(partition)
    if is_global(question.type) or question.region == "global":
        return (home,)
    cloud_id = question.cloud_id or ""
    of_arn = cloud_id.split(":")[3] if cloud_id.startswith("arn:") and cloud_id.count(":") >= 5 else ""
    where = question.region or of_arn
    return (where,) if where else tuple(name for name in regions if name != ALL) or (home,)


def choose(question: Question, events: Iterable[TrailEvent]) -> Answer | None:
    """Choose the call that explains a drift.

    The newest call that does precisely this wins over the newest that may have; both must lie between the last scan that did
    not show it and the one that did. When none does, an older one is offered as `possible`.

    Args:
        question: the item.
        events: recorded calls, in any order, one perhaps twice.
    """
    source = source_of(question.type)
    names = frozenset((*names_of(question), *_parts(question)))
    fitting: list[tuple[TrailEvent, Confidence]] = []
    for event in events:
        is_write = not event.is_read_only and event.error_code is None and event.source == source
        if is_write and event.time <= question.seen_at and event.names & names:
            certainty = _certainty(question, event)
            if certainty is not None:
                fitting.append((event, certainty))
    return best(question, fitting)


def best(question: Question, fitting: Sequence[tuple[TrailEvent, Confidence]]) -> Answer | None:
    """Choose among calls that may have made a drift: the surest, then the latest; what is older than the last look is only possible.

    Args:
        question: the item.
        fitting: calls, each with how surely it did it.
    """
    inside = [pair for pair in fitting if question.since is None or pair[0].time >= question.since]
    if not fitting:
        return None
    event, surest = max(inside or fitting, key=lambda pair: (pair[1] == "exact", pair[0].time))
    return Answer(event, surest if inside else "possible")


def is_settled(question: Question, answer: Answer | None, now: datetime) -> bool:
    """Say whether looking again later could tell more: recorded calls arrive with a delay."""
    is_sure = answer is not None and answer.confidence == "exact" and question.since is not None
    return is_sure or now >= question.seen_at + DELIVERY


def row_of(answer: Answer) -> dict[str, Any]:
    """Write an answer as the JSON document that is stored with the item."""
    event = answer.event
    return {
        "confidence": answer.confidence,
        "actor": event.actor.name,
        "actor_type": event.actor.type,
        "user_name": event.actor.user_name,
        "session_name": event.actor.session_name,
        "issuer_arn": event.actor.issuer_arn,
        "invoked_by": event.actor.invoked_by,
        "at": event.time.isoformat(),
        "call": event.call[:_NAME_LENGTH],
        "channel": event.channel,
        "source_address": event.address,
        "user_agent": event.user_agent,
        "region": event.region,
        "request_id": event.request_id,
        "event_id": event.id,
        "reason": None,
        "permission": None,
    }


def unknown_row(reason: str, permission: str | None = None) -> dict[str, Any]:
    """Write that nobody knows, and why."""
    return {"reason": reason, "permission": permission}


def _parts(question: Question) -> tuple[str, ...]:
    """Return the parts of a match key: of a link both ends, of an inline policy its owner and its name."""
    key = without_region(question.key, question.region)  # a region is in no call's names
    separator = ":" if "_policy" in question.type and not key.startswith("arn:") and "|" not in key else "|"
    return tuple(part for part in key.split(separator) if part)


def _certainty(question: Question, event: TrailEvent) -> Literal["exact", "likely"] | None:
    if question.kind != "changed":
        if not is_call_for(question.type, question.kind, event.name):
            return None
        return "exact" if all(event.names.intersection(spellings(part)) for part in _parts(question)) else "likely"
    attribute = (question.path or "").split(".", 1)[0].split("[", 1)[0]
    touched = touches(event.name, attribute, _parameters(event))
    if touched is not None:
        return "exact" if touched else None
    return "likely" if effect_on(question.type, event.name) == "modify" or event.name.startswith("Put") else None


def _parameters(event: TrailEvent) -> Mapping[str, object]:
    """Return the names of a call's parameters, and those one level below (`ModifyDBClusterRequest`, `attributes`)."""
    inner = {name: True for value in event.request.values() if isinstance(value, Mapping) for name in value}
    return {**inner, **event.request}
