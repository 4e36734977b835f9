"""Judges plans and changes by every rule there is.

The level of a plan is the worst severity among its findings, `none` without any. Each change is judged by itself and plan-wide
rules only count upwards, so that one more change can never lower the level. The same plan always gives the same answer in the
same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .families import RULES
from .levels import Level, Severity, highest, rank, worst
from .noise import Noise, judge_noise
from .plan import Change, Plan, unknown_at
from .rule import Evidence, Finding, Match, Rule, finding, seen
from .selection import Selection
from .switches import rule_of
from .values import get_at

MANY_GONE: tuple[tuple[int, Severity], ...] = ((50, "critical"), (25, "high"), (10, "medium"))
MANY_CHANGED: tuple[tuple[int, Severity], ...] = ((500, "high"), (100, "medium"))
MANY_REKEYED = 3
_MOST_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said about a plan.

    Attributes:
        level: the worst severity among the findings.
        findings: worst first, then by address and rule.
        noise: (address, noise) of changes that are spelled differently only.
        uncovered: type -> how many changes no rule looks into.
        counts: action word -> number of changes.
    """

    level: Level
    findings: tuple[Finding, ...]
    noise: tuple[tuple[str, Noise], ...]
    uncovered: Mapping[str, int]
    counts: Mapping[str, int]


class PlanTooComplex(Exception):
    """Judging took longer than it may.

    Attributes:
        judged: how many changes were judged.
        total: how many there are.
    """

    def __init__(self, judged: int, total: int) -> None:
        super().__init__(f"{judged} of {total} changes were judged in the time there was")
        self.judged = judged
        self.total = total


def judge_plan(
    plan: Plan,
    extra: Sequence[Rule] = (),
    disabled: Collection[str] = (),
    is_over: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Judge every change of a plan, and the plan as a whole.

    Args:
        plan: the plan.
        extra: a customer's own rules, under ids that no built-in rule has.
        disabled: ids of rules that say nothing. What they covered is then uncovered, and counted as such.
        is_over: asked before each change; True ends the judging.

    Raises:
        PlanTooComplex: `is_over` said so; nothing is said about a plan that was judged in part.
    """
    rules = Selection(extra, disabled)
    noise = [(change, item) for change in plan.changes if (item := judge_noise(change, plan)) is not None]
    silent = {change.key for change, item in noise if item.is_whole}
    live = [change for change in plan.changes if is_judged(change) and change.key not in silent]
    uncovered = Counter(change.type for change in live if not rules.covers(change.type))
    found: list[Finding] = []
    for judged, change in enumerate(plan.changes):
        if is_over():
            raise PlanTooComplex(judged, len(plan.changes))
        if change.key in silent or _stays(change):
            found.extend(_judge_around(change, plan, rules))
        elif is_judged(change):
            found.extend(judge_change(change, plan, rules))
    found.extend(finding(*said) for said in _of_the_whole(live, uncovered) if rules.holds(said[0]))
    found.sort(key=lambda item: (-rank(item.severity), item.address, item.rule, item.id))
    return Verdict(
        level=highest(item.severity for item in found),
        findings=tuple(found),
        noise=tuple((change.address, item) for change, item in noise),
        uncovered=dict(sorted(uncovered.items())),
        counts=dict(sorted(Counter(_word(change) for change in plan.changes if change.mode == "managed").items())),
    )


def judge_change(change: Change, plan: Plan, rules: Selection | None = None) -> list[Finding]:
    """Judge one change by every rule about its type, the built-in ones unless others are given."""
    rules = rules or Selection()
    found: list[Finding] = []
    unknown: dict[str, tuple[Evidence, Severity]] = {}
    for rule in rules.rules_of(change.type):
        for match in rule.judge(change, plan):
            if match.is_unknown:
                unknown.update({item.path: (item, "medium") for item in match.evidence})
            else:
                found.append(finding(rule, match, change.address, change.type))
        for path, item in _unknown(rule, change, plan):
            severity: Severity = "medium" if rule.severity in {"high", "critical"} else "low"
            unknown[path] = max((item, severity), unknown.get(path, (item, severity)), key=lambda pair: rank(pair[1]))
    if unknown and rules.holds(UNKNOWN_VALUE):
        named = tuple(unknown[path][0] for path in sorted(unknown))[:_MOST_UNKNOWN]
        grade = worst(item for _, item in unknown.values())
        found.append(finding(UNKNOWN_VALUE, Match(named, grade), change.address, change.type))
    return found


def is_judged(change: Change) -> bool:
    """Say whether anything happens to a resource."""
    return change.mode == "managed" and not change.is_noop


def _stays(change: Change) -> bool:
    return change.mode == "managed" and change.actions == ("no-op",)


def _judge_around(change: Change, plan: Plan, rules: Selection) -> Iterator[Finding]:
    """Judge a resource that stays as it is by what happens around it."""
    for rule in rules.rules_of(change.type):
        if rule.also_unchanged:
            yield from (finding(rule, match, change.address, change.type) for match in rule.judge(change, plan))


def _unknown(rule: Rule, change: Change, plan: Plan) -> Iterator[tuple[str, Evidence]]:
    for path in rule.paths:
        for where in unknown_at(change, path):
            if plan.configured_at(change, where):
                item = seen(where, get_at(change.before, where), get_at(change.after, where))
                yield item.path, item


def _of_the_whole(live: Sequence[Change], uncovered: Mapping[str, int]) -> Iterator[tuple[Rule, Match, str, str]]:
    """Yield (rule, match, address, type) of what only the plan as a whole shows."""
    yield from _many(MANY_GONE_RULE, sum(change.destroys for change in live), MANY_GONE)
    yield from _many(MANY_CHANGED_RULE, len(live), MANY_CHANGED)
    made = Counter(change.type for change in live if change.is_create)
    for kind, number in sorted(Counter(change.type for change in live if change.is_delete).items()):
        if min(number, made[kind]) >= MANY_REKEYED:
            note = f"{number} of {kind} go and {made[kind]} come."
            yield REKEYED_RULE, Match((seen(kind, number, made[kind]),), None, note), kind, kind
    for kind, number in sorted(uncovered.items()):
        yield UNCOVERED_RULE, Match((seen("", None, number),), None, f"{number} changes."), kind, kind


def _many(rule: Rule, number: int, steps: tuple[tuple[int, Severity], ...]) -> Iterator[tuple[Rule, Match, str, str]]:
    for least, severity in steps:
        if number >= least:
            yield rule, Match((seen("", None, number),), severity, f"{number} resources."), "", ""
            return


def _word(change: Change) -> str:
    return "replace" if change.is_replace else "+".join(change.actions) or "no-op"


def _silent(_change: Change, _plan: Plan) -> Iterator[Match]:
    yield from ()


UNKNOWN_VALUE = rule_of(
    "unknown-value",
    "hygiene",
    "unknown-value",
    "medium",
    "A value that decides about safety is not known yet",
    (),
    _silent,
)
MANY_GONE_RULE = rule_of(
    "many-destroyed", "hygiene", "mass-change", "medium", "Many resources are destroyed at once", (), _silent
)
MANY_CHANGED_RULE = rule_of(
    "many-changed", "hygiene", "mass-change", "medium", "Very many resources change at once", (), _silent
)
REKEYED_RULE = rule_of(
    "rekeyed",
    "hygiene",
    "mass-change",
    "medium",
    "Resources of one type go and come: keys may have changed",
    (),
    _silent,
)
UNCOVERED_RULE = rule_of(
    "uncovered-type", "hygiene", "uncovered-type", "low", "No rule looks into this type", (), _silent
)
WHOLE_PLAN_RULES = (UNKNOWN_VALUE, MANY_GONE_RULE, MANY_CHANGED_RULE, REKEYED_RULE, UNCOVERED_RULE)
ALL_RULES: tuple[Rule, ...] = (*RULES, *WHOLE_PLAN_RULES)
