"""Who made a drift in a cluster, by the managers of fields in the report that came last.

A manager is a program (`kubectl-edit`, `helm`, a controller), not a person: who ran it stands in the cluster's audit log, which the operator
does not read. Of an object that is gone nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from shared.ports.errors import CiphertextRefused, ServiceAway

from ..domain.attribution import Answer, Confidence, HistoryRefused, Question, best
from ..domain.trail import Actor, Channel, TrailEvent
from ..types.kubernetes import GENERIC, by_type
from ..types.kubernetes.managers import Manager, managers_of, members_of, owners

Found: TypeAlias = Callable[[str, str], Mapping[str, Any] | None]

_SOURCE: Final = "kubernetes"
_CHANNELS: Sequence[tuple[str, Channel]] = (
    ("terraform", "terraform"), ("hashicorp", "terraform"), ("opentofu", "terraform"), ("kubectl", "cli"), ("helm", "cli"), ("k9s", "cli"),
    ("mozilla", "console"), ("dashboard", "console"), ("kube-controller-manager", "service"), ("kube-scheduler", "service"), ("kubelet", "service"),
)  # fmt: skip


@dataclass(slots=True)
class KubernetesHistory:
    """What the objects of one cluster tell.

    Attributes:
        found: returns an object by kind and key, as it was reported; None when the report has none.
        requests: how many objects were looked at.
    """

    found: Found
    requests: int = 0

    def explain(self, question: Question, now: datetime) -> Answer | None:  # noqa: ARG002  # the port's
        """Return the manager of what changed.

        Raises:
            HistoryRefused: the object is gone, or nobody told who manages its fields.
        """
        if question.kind == "missing":
            raise HistoryRefused("not_enabled")
        kind, key = object_of(question)
        self.requests += 1
        try:
            item = self.found(kind, key)
        except CiphertextRefused as error:
            raise HistoryRefused("malformed") from error
        except ServiceAway as error:
            raise HistoryRefused("throttled") from error  # KMS is away: everything after it waits too
        if item is None:
            raise HistoryRefused("unavailable")
        managers = managers_of(item)
        if not managers:
            raise HistoryRefused("not_enabled")
        return choose(question, managers)


def object_of(question: Question) -> tuple[str, str]:
    """Return kind and key of the object that a drift is about."""
    if question.type == GENERIC:
        kind, _, key = question.key.partition(" ")
        return kind, key
    mapped = by_type().get(question.type)
    if mapped is None:
        raise HistoryRefused("not_enabled")  # a release: Helm's record has no managers
    return mapped.kind.kind, question.key


def choose(question: Question, managers: Iterable[Manager]) -> Answer | None:
    """Choose the manager that explains a drift.

    The only owner of a changed field did change it; among several, and of what lies inside of a changed block, it is likely. An object that
    nobody declared was made by whoever came first.

    Args:
        question: the item.
        managers: of the object's fields.
    """
    known = [item for item in managers if item.time <= question.seen_at]
    if question.kind == "unmanaged":
        first = min(known, key=lambda item: item.time, default=None)
        return None if first is None else best(question, [(event_of(first), "likely")])
    path = members_of(by_type().get(question.type), question.path or "")
    found = list(owners(path, known))
    is_alone = len(found) == 1 and not any(item.is_cut for item in known)
    fitting: list[tuple[TrailEvent, Confidence]] = [
        (event_of(item), "exact" if is_its and is_alone else "likely") for item, is_its in found
    ]
    return best(question, fitting)


def event_of(manager: Manager) -> TrailEvent:
    """Write what a manager did as the call that it was; a cluster tells no address and no id."""
    through = f"/{manager.subresource}" if manager.subresource else ""
    return TrailEvent(
        id=f"{manager.name} {manager.time.isoformat()}",
        time=manager.time,
        source=_SOURCE,
        name=f"{manager.operation or 'Update'}{through}",
        region="global",
        actor=Actor("FieldManager", None, manager.name, None, None, None),
        address=None,
        user_agent=None,
        channel=_channel(manager.name),
        request_id=None,
        is_read_only=False,
        error_code=None,
        resources=frozenset(),
        request={},
        response={},
    )


def _channel(name: str) -> Channel:
    text = name.lower()
    for word, channel in _CHANNELS:
        if word in text:
            return channel
    return "api"
