"""What of a plan is noise to an organisation: what comes back again and again, and what it chose not to see. Pure.

Only an update can be noise: a creation, a deletion and a replacement are always shown. A suppression hides differences of
attributes; a resource with a finding that is high or critical hides nothing, and no finding about a resource is ever hidden.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.rules.engine import MANY_CHANGED, MANY_CHANGED_RULE, Verdict, is_judged
from shared.rules.globs import matches
from shared.rules.levels import rank
from shared.rules.noise import Noise
from shared.rules.plan import Change, Plan, config_address
from shared.rules.rule import Finding, Match, finding, seen
from shared.rules.values import raw

MOST_SUPPRESSIONS = 200


@dataclass(frozen=True, slots=True)
class NoiseKey:
    """One difference that changes nothing, wherever it shows: the address is without index keys."""

    type: str
    address: str
    attribute: str
    reason: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How an organisation wants noise treated.

    Attributes:
        is_enabled: whether noise is remembered and suppressions hold.
        times: how often within `days` makes a noise recurring.
        days: see `times`.
        hides_recurring: whether an update that is nothing but recurring noise is left out of the changes.
    """

    is_enabled: bool = True
    times: int = 3
    days: int = 30
    hides_recurring: bool = False


@dataclass(frozen=True, slots=True)
class Suppression:
    """Differences that an organisation chose not to see.

    Attributes:
        type_pattern, address_pattern, attribute_pattern: globs; None for every one.
        expires_at: None for ever.
    """

    id: UUID
    attribute_pattern: str
    type_pattern: str | None
    address_pattern: str | None
    reason: str
    expires_at: datetime | None = None

    def is_about(self, kind: str) -> bool:
        """Say whether it is about a type."""
        return self.type_pattern is None or matches(self.type_pattern, kind)

    def is_at(self, address: str) -> bool:
        """Say whether it is about an address, which its pattern may give with or without index keys."""
        pattern = self.address_pattern
        return pattern is None or matches(pattern, address) or matches(pattern, config_address(address))

    def covers(self, kind: str, address: str, attribute: str) -> bool:
        """Say whether it is about a difference."""
        return self.is_about(kind) and self.is_at(address) and matches(self.attribute_pattern, attribute)


@dataclass(frozen=True, slots=True)
class NoiseItem:
    """One difference that is noise.

    Attributes:
        address: of the resource, with index keys.
        attribute: the top-level attribute.
        why: the rule that calls it noise; empty when only a suppression does.
        is_recurring: it was seen as often as the settings say.
        suppression: the one that hides it; None when none does.
    """

    address: str
    attribute: str
    why: str
    is_recurring: bool = False
    suppression: Suppression | None = None


@dataclass(frozen=True, slots=True)
class NoiseDecision:
    """What is noise in a plan.

    Attributes:
        items: in the plan's order.
        hidden: keys of updates that are left out of the changes.
        seen: what is to be remembered, without duplicates, in the plan's order.
    """

    items: tuple[NoiseItem, ...] = ()
    hidden: frozenset[tuple[str, str]] = frozenset()
    seen: tuple[NoiseKey, ...] = ()


def decide(
    plan: Plan,
    noise: Iterable[tuple[str, Noise]],
    loud: Collection[str],
    settings: Settings,
    recurring: Collection[NoiseKey],
    suppressions: Sequence[Suppression],
) -> NoiseDecision:
    """Decide what of a plan is noise.

    Args:
        plan: the plan.
        noise: (address, noise) of what the built-in rules call noise.
        loud: addresses where nothing is hidden.
        settings: how the organisation wants noise treated.
        recurring: what was seen as often as the settings say.
        suppressions: those that hold now.
    """
    noises = dict(noise)
    active = _Suppressions(suppressions if settings.is_enabled else ())
    items: list[NoiseItem] = []
    hidden: set[tuple[str, str]] = set()
    remembered: dict[NoiseKey, None] = {}
    for change in plan.changes:
        reasons = dict(noises[change.address].reasons) if change.address in noises and change.is_update else {}
        keys = {name: NoiseKey(change.type, config_address(change.address), name, why) for name, why in reasons.items()}
        remembered.update(dict.fromkeys(keys.values()))
        may_hide = _may_hide(change) and change.address not in loud
        near = active.near(change) if may_hide else []
        if not reasons and not near:
            continue
        found = [
            NoiseItem(
                change.address,
                name,
                reasons.get(name, ""),
                is_recurring=settings.is_enabled and keys.get(name) in recurring,
                suppression=next((one for one in near if matches(one.attribute_pattern, name)), None),
            )
            for name in differing(change)
        ]
        items.extend(item for item in found if item.why or item.suppression)
        if may_hide and found and all(_is_out_of_sight(item, settings) for item in found):
            hidden.add(change.key)
    return NoiseDecision(tuple(items), frozenset(hidden), tuple(remembered) if settings.is_enabled else ())


class _Suppressions:
    """Suppressions, asked by change; each type is looked up once."""

    def __init__(self, all_of_them: Sequence[Suppression]) -> None:
        self._all = all_of_them
        self._by_type: dict[str, list[Suppression]] = {}

    def near(self, change: Change) -> list[Suppression]:
        """Return those about a change's type and address."""
        if change.type not in self._by_type:
            self._by_type[change.type] = [one for one in self._all if one.is_about(change.type)]
        return [one for one in self._by_type[change.type] if one.is_at(change.address)]


def without_hidden(plan: Plan, verdict: Verdict, hidden: Collection[tuple[str, str]]) -> tuple[Finding, ...]:
    """Return the findings with hidden updates taken out of the count of what changes; every other finding stays as it is."""
    silent = {address for address, noise in verdict.noise if noise.is_whole}
    gone = sum(change.key in hidden and is_judged(change) and change.address not in silent for change in plan.changes)
    if not gone:
        return verdict.findings
    counted = (_recounted(item, gone) if item.rule == MANY_CHANGED_RULE.id else item for item in verdict.findings)
    left = (item for item in counted if item is not None)
    return tuple(sorted(left, key=worst_first))


def worst_first(item: Finding) -> tuple[int, str, str, str]:
    """Return what findings are sorted by, as in the rules' verdict."""
    return -rank(item.severity), item.address, item.rule, item.id


def differing(change: Change) -> Iterator[str]:
    """Yield the top-level attributes that differ, in order of their names."""
    before, after = change.before or {}, change.after or {}
    for name in sorted({*before, *after}):
        if raw(change.before, name) != raw(change.after, name):
            yield name


def _may_hide(change: Change) -> bool:
    return (
        change.is_update
        and change.mode == "managed"
        and not change.is_import
        and change.previous_address is None
        and change.deferred is None
        and change.deposed is None
    )


def _is_out_of_sight(item: NoiseItem, settings: Settings) -> bool:
    return item.suppression is not None or (settings.hides_recurring and item.is_recurring and bool(item.why))


def _recounted(item: Finding, gone: int) -> Finding | None:
    number = int(item.evidence[0].after) - gone
    for least, severity in MANY_CHANGED:
        if number >= least:
            return finding(
                MANY_CHANGED_RULE, Match((seen("", None, number),), severity, f"{number} resources."), "", ""
            )
    return None
