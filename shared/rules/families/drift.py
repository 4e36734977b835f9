"""Drift against plan: the apply undoes what somebody changed by hand, perhaps to fix something."""

from __future__ import annotations

from collections.abc import Iterator

from ..levels import Severity
from ..noise import spelled_alike
from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import rule_of
from ..types import STATEFUL
from ..values import holds_mark, raw


def _reverted(change: Change, plan: Plan) -> Iterator[Match]:
    if change.before is None or change.after is None or change.is_noop:
        return
    for drift in plan.drift_of(change.address):
        if drift.before is None or drift.after is None:
            continue
        names = [name for name in sorted({*drift.before, *drift.after}) if _is_undone(change, plan, drift, name)]
        if not names:
            continue
        is_lost = change.is_replace and change.type in STATEFUL
        severity: Severity = "critical" if is_lost else "high" if change.is_replace else "medium"
        note = "Undoing it needs the resource to be made again." if change.is_replace else ""
        yield Match(
            tuple(seen(name, raw(drift.after, name), raw(change.after, name)) for name in names), severity, note
        )


def _is_undone(change: Change, plan: Plan, drift: Change, name: str) -> bool:
    """Say whether an attribute that was changed by hand gets its old value back, or one that is not known yet.

    What a replacement makes the provider compute again is nobody's change (times and ids are new every time).
    """
    old, by_hand, wanted = raw(drift.before, name), raw(drift.after, name), raw(change.after, name)
    if _is_same(change, name, old, by_hand) or _is_same(change, name, wanted, by_hand):
        return False
    if holds_mark(wanted):
        return plan.configured(change, name)
    return _is_same(change, name, wanted, old)


def _is_same(change: Change, name: str, one: object, other: object) -> bool:
    return one == other or spelled_alike(change.type, name, one, other) is not None


RULES: tuple[Rule, ...] = (
    rule_of("drift-reverted", "drift", "drift-reverted", "medium", "A change made by hand is undone", ("*",), _reverted),
)  # fmt: skip
