"""Who made a drift in Azure, by what Resource Graph remembers of changes for fourteen days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.attribution import Answer, Confidence, HistoryRefused, Question, best
from ..domain.trail import Actor, Channel, TrailEvent
from ..readers.azure.changes import HISTORY, ResourceChange, read_changes
from ..readers.azure.client import Arm, CallFailed

_KINDS = {"missing": "delete", "unmanaged": "create", "changed": "update"}
_CHANNELS: tuple[tuple[str, Channel], ...] = (
    ("terraform", "terraform"), ("portal", "console"), ("cli", "cli"), ("powershell", "cli"),
)  # fmt: skip


@dataclass(slots=True)
class AzureHistory:
    """The changes of one subscription.

    Attributes:
        arm: signed in.
        subscription: its id.
        requests: how often changes were asked for.
        refused: one refusal speaks for the subscription; it is not asked for each item.
    """

    arm: Arm
    subscription: str
    requests: int = 0
    refused: HistoryRefused | None = field(default=None)

    def explain(self, question: Question, now: datetime) -> Answer | None:
        """Return the best explanation.

        Raises:
            HistoryRefused: there is none, and why.
        """
        if self.refused is not None:
            raise self.refused
        self.requests += 1
        targets = _targets(question)
        try:
            changes = list(read_changes(self.arm, self.subscription, targets, now - HISTORY, question.seen_at))
        except CallFailed as failure:
            error = HistoryRefused(failure.reason, failure.permission)
            if error.reason != "throttled":
                self.refused = error
            raise error from failure
        return choose(question, changes)


def choose(question: Question, changes: Iterable[ResourceChange]) -> Answer | None:
    """Choose the change that explains a drift, as `attribution.choose` does it for AWS.

    Args:
        question: the item.
        changes: of the resource and of what it lies in, in any order.
    """
    fitting: list[tuple[TrailEvent, Confidence]] = []
    for one in changes:
        certainty = _certainty(question, one) if one.at <= question.seen_at else None
        if certainty is not None:
            fitting.append((event_of(one), certainty))
    return best(question, fitting)


def event_of(change: ResourceChange) -> TrailEvent:
    """Write a change as the call that it was; Azure tells no address of whoever made it."""
    kind = change.actor_type or "Unknown"
    service = change.actor or "Azure" if kind == "System" else None
    source, _, name = (change.operation or f"{change.target_type}/{change.kind}").partition("/")
    return TrailEvent(
        id=change.id,
        time=change.at,
        source=source,
        name=name,
        region="global",
        actor=Actor(kind, None, change.actor, None, None, service),
        address=None,
        user_agent=change.client,
        channel=_channel(change.client, service),
        request_id=change.correlation_id,
        is_read_only=False,
        error_code=None,
        resources=frozenset({change.target}),
        request={},
        response={},
    )


def _targets(question: Question) -> tuple[str, ...]:
    """Return the resource and, as some are kept inside of others, what it lies in; of a link both ends."""
    names = [name for name in (*question.key.split("|"), question.cloud_id or "") if name.startswith("/")]
    above = [name.rsplit("/", 2)[0] for name in names if name.lower().partition("/providers/")[2].count("/") > 2]
    return tuple(dict.fromkeys(name.lower() for name in (*names, *above)))


def _certainty(question: Question, change: ResourceChange) -> Confidence | None:
    is_itself = change.target in {question.key.lower(), (question.cloud_id or "").lower()}
    if not is_itself:  # something that is kept inside of it was changed with it
        return "likely" if change.kind == "update" else None
    if change.kind != _KINDS[question.kind]:
        return None
    if question.kind != "changed":
        return "exact"
    attribute = (question.path or "").split(".", 1)[0].split("[", 1)[0]
    return "exact" if attribute in change.attributes() else "likely" if change.is_truncated else None


def _channel(client: str | None, service: str | None) -> Channel:
    text = (client or "").lower()
    for word, channel in _CHANNELS:
        if word in text:
            return channel
    return "service" if service else "api"
