"""Destruction: what goes, what was in it, and what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..levels import Severity, raised
from ..plan import MOST_DEPENDENTS, Change, Plan
from ..rule import Evidence, Match, Rule, seen, whole
from ..switches import rule_of
from ..types import CONTAINERS, STATEFUL
from ..values import first, get_at, truth

_FAMILY = "destruction"
MANY_DEPENDENTS = 10
_MOST_NAMED = 5
_WHY = {
    "replace_because_tainted": "It is tainted.",
    "replace_by_request": "It was asked for with -replace.",
    "replace_because_cannot_update": "It cannot be changed in place.",
    "replace_by_triggers": "`replace_triggered_by` asks for it.",
    "delete_because_no_resource_config": "It is no longer in the configuration.",
    "delete_because_wrong_repetition": "`count` or `for_each` was added or removed.",
    "delete_because_count_index": "Its index is beyond `count`.",
    "delete_because_each_key": "Its key is no longer in `for_each`.",
    "delete_because_no_module": "Its module is no longer in the configuration.",
    "delete_because_no_move_target": "It was moved to where there is no configuration.",
}


def _destroyed_with_data(change: Change, plan: Plan) -> Iterator[Match]:
    if not change.destroys:
        return
    verb = "replaced" if change.is_replace else "deleted"
    severity: Severity = "high" if _keeps_snapshot(change) else "critical"
    note = f"It is {verb}{'; a final snapshot is kept' if severity == 'high' else ''}."
    yield _with_dependents(Match((whole(change), *_causes(change)), severity, note), change, plan)


def _deleted(change: Change, plan: Plan) -> Iterator[Match]:
    if change.type in STATEFUL or not change.is_delete:
        return
    if change.deposed is not None:
        yield Match((whole(change),), "low", "It is what an earlier replacement left over.")
        return
    severity: Severity = "critical" if change.type in CONTAINERS else "medium"
    note = "Everything in it goes too." if change.type in CONTAINERS else ""
    yield _with_dependents(Match((whole(change),), severity, _joined(note, _why(change))), change, plan)


def _forgotten(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.actions == ("forget",):
        yield Match((whole(change),))


def _replaced(change: Change, plan: Plan) -> Iterator[Match]:
    if not change.is_replace:
        return
    is_overlapping = change.actions[0] == "create"
    order = "The new one is made first." if is_overlapping else ""
    match = Match(
        _causes(change) or (whole(change),), "low" if is_overlapping else "medium", _joined(_why(change), order)
    )
    yield _with_dependents(match, change, plan)


def _causes(change: Change) -> tuple[Evidence, ...]:
    return tuple(seen(path, get_at(change.before, path), get_at(change.after, path)) for path in change.replace_paths)


def _keeps_snapshot(change: Change) -> bool:
    return truth(first(change.before, "skip_final_snapshot")) is False and bool(
        first(change.before, "final_snapshot_identifier")
    )


def _with_dependents(match: Match, change: Change, plan: Plan) -> Match:
    """Add how far it reaches: what depends on it by the configuration."""
    users = plan.dependents(change)
    if not users:
        return match
    names = ", ".join(users[:_MOST_NAMED]) + (", …" if len(users) > _MOST_NAMED else "")
    number = f"{len(users)}{' or more' if len(users) >= MOST_DEPENDENTS else ''}"
    severity = match.severity or "medium"
    return replace(
        match,
        severity=raised(severity) if len(users) >= MANY_DEPENDENTS else severity,
        note=_joined(match.note, f"{number} depend on it: {names}."),
    )


def _why(change: Change) -> str:
    return _WHY.get(change.reason or "", "")


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


RULES: tuple[Rule, ...] = (
    rule_of("stateful-destroyed", _FAMILY, "stateful-resource-destruction", "critical", "A resource that holds data is destroyed",
            tuple(sorted(STATEFUL)), _destroyed_with_data, refs=("CWE-404",)),
    rule_of("resource-deleted", _FAMILY, "resource-deletion", "medium", "A resource is deleted", ("*",), _deleted),
    rule_of("resource-forgotten", _FAMILY, "resource-deletion", "low", "A resource leaves Terraform's care and keeps running", ("*",), _forgotten),
    rule_of("resource-replaced", _FAMILY, "forced-replacement", "medium", "A resource is destroyed and made again", ("*",), _replaced,
            refs=("https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle",)),
)  # fmt: skip
