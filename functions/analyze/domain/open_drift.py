"""Open drift held against a plan: what somebody changed by hand, and what the apply would do to it.

A plan shows what changed outside of Terraform since the last apply only when it refreshed, and never who knows of it. What a
scan found stands beside it here. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from shared.rules.levels import Severity, rank, worst
from shared.rules.plan import Change, Plan
from shared.rules.rule import Finding, Match, finding, seen, whole
from shared.rules.switches import rule_of
from shared.rules.types import STATEFUL
from shared.rules.values import holds_mark, raw

Effect: TypeAlias = Literal["reverted", "replaced", "deleted", "recreated", "adopted", "kept"]

_ARN = "arn:"
_HARMLESS: frozenset[Effect] = frozenset({"adopted", "kept"})


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One open difference that a scan found.

    Attributes:
        id: the item's id.
        kind: `missing`, `unmanaged` or `changed`.
        address: in the state, None for what is in no state.
        cloud_id: the cloud's name of it.
        path: attribute path of a change.
        before: what the state says.
        after: what runs.
        is_sensitive: the two are digests, and equal only when their values are.
        severity: as the comparison judged it.
    """

    id: str
    kind: str
    type: str
    address: str | None
    cloud_id: str | None
    path: str | None
    before: Any
    after: Any
    is_sensitive: bool
    severity: Severity

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> DriftItem:
        """Make an item of a row."""
        given: dict[str, Any] = {name: row[name] for name in cls.__slots__}
        given["id"] = str(given["id"])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Link:
    """What a plan would do to one open drift.

    Attributes:
        effect: `reverted`: the value goes back in place; `replaced`: it goes back by making the resource again; `deleted`: the
            resource goes; `recreated`: what is missing is made again; `adopted`: what was unmanaged is imported; `kept`.
        is_certain: False when only the address tells that both speak of one resource.
    """

    item: DriftItem
    address: str
    effect: Effect
    is_certain: bool


REVERTED = rule_of(
    "open-drift-reverted",
    "drift",
    "drift-reverted",
    "medium",
    "A change that a scan found is undone",
    (),
    lambda _change, _plan: iter(()),
)


def link_drift(plan: Plan, items: Iterable[DriftItem]) -> list[Link]:
    """Return what the plan would do to each open drift that it touches, worst first, then by address.

    Args:
        plan: the plan.
        items: open drift of resources that the plan names.
    """
    by_address = {change.address: change for change in plan.changes if change.mode == "managed" and not change.deposed}
    by_address |= {change.previous_address: change for change in plan.changes if change.previous_address}
    imported = {name: change for change in plan.changes if change.is_import for name in names_of(change.before)}
    found = [link for item in items if (link := _link(item, by_address, imported)) is not None]
    return sorted(
        found, key=lambda link: (_ORDER.index(link.effect), -rank(link.item.severity), link.address, link.item.id)
    )


_ORDER: tuple[Effect, ...] = ("replaced", "deleted", "reverted", "recreated", "adopted", "kept")


def drift_findings(plan: Plan, links: Iterable[Link]) -> Iterator[Finding]:
    """Yield a finding for each resource whose drift the plan undoes, unless the plan's own drift says so already.

    Args:
        plan: the plan.
        links: of `link_drift`.
    """
    by_address = {change.address: change for change in plan.changes if not change.deposed}
    told = {change.address for change in plan.drift}
    groups: dict[str, list[Link]] = {}
    for link in links:
        if link.effect not in _HARMLESS and link.effect != "recreated" and link.address not in told:
            groups.setdefault(link.address, []).append(link)
    for address, group in groups.items():
        change = by_address[address]
        yield finding(REVERTED, _match(change, group), address, change.type)


def _match(change: Change, group: list[Link]) -> Match:
    is_gone = change.destroys
    is_lost = is_gone and change.type in STATEFUL
    severity: Severity = "critical" if is_lost else "high" if is_gone else "medium"
    evidence = tuple(
        seen(link.item.path, link.item.after, raw(change.after, _top(link.item.path)))
        if link.item.path
        else whole(change)
        for link in group
    )
    notes = [
        "Undoing it needs the resource to be made again."
        if change.is_replace
        else "The resource goes."
        if is_gone
        else ""
    ]
    if not all(link.is_certain for link in group):
        notes.append("Matched by address only.")
    return Match(evidence, worst((severity,), "medium"), " ".join(filter(None, notes)))


def _link(item: DriftItem, by_address: Mapping[str, Change], imported: Mapping[str, Change]) -> Link | None:
    if item.kind == "unmanaged":
        change = imported.get(item.cloud_id or "")
        return (
            Link(item, change.address, "adopted", is_certain=True)
            if change is not None and change.type == item.type
            else None
        )
    change = by_address.get(item.address or "")
    if change is None or change.type != item.type:
        return None
    is_same = _is_same(change, item.cloud_id)
    if is_same is False:
        return None
    return Link(item, change.address, _effect(change, item), is_certain=is_same is True)


def _effect(change: Change, item: DriftItem) -> Effect:
    if item.kind == "missing":
        return "recreated" if change.is_create or change.is_replace else "kept"
    if change.is_delete:
        return "deleted"
    if change.is_replace:
        return "replaced"
    top = _top(item.path)
    before, after = raw(change.before, top), raw(change.after, top)
    return "reverted" if not change.is_noop and (before != after or holds_mark(after)) else "kept"


def _is_same(change: Change, cloud_id: str | None) -> bool | None:
    """Say whether a change and a cloud's name speak of one resource; None when that cannot be told."""
    names = names_of(change.before)
    if not cloud_id or cloud_id in names:
        return True if cloud_id else None
    is_other = cloud_id.startswith(_ARN) and any(name.startswith(_ARN) for name in names)
    return False if is_other else None


def names_of(document: Mapping[str, Any] | None) -> list[str]:
    """Return what the cloud may call a resource, as far as its attributes say."""
    found = (raw(document, name) for name in ("arn", "id", "self_link"))
    return [value for value in found if isinstance(value, str) and value]


def _top(path: str | None) -> str:
    return (path or "").split(".", 1)[0].split("[", 1)[0]
