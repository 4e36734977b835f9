"""An organisation's own rules: expressions in CEL that become rules like those built in. Pure.

A rule that cannot say anything about a change is told about in a note, with its name and how often; it ends nothing and hides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from shared.rules.levels import Severity
from shared.rules.plan import Change, Plan, unknown_at
from shared.rules.rule import CUSTOM, Evidence, Match, Rule, seen, whole
from shared.rules.texts import REASONS, REMEDIES
from shared.rules.values import at, get_at, holds_mark

from . import cel
from .cel.costs import Facts

MOST_RULES = 100
ID_PREFIX = "custom-"
_MOST_EVIDENCE = 5
_ACTION_WORDS = ("create", "update", "delete", "replace", "forget", "no-op", "read")

Trouble: TypeAlias = Literal["does_not_compile", "failed", "too_costly", "budget_spent"]


@dataclass(frozen=True, slots=True)
class CustomRule:
    """One rule as it is stored.

    Attributes:
        name: unique in the organisation; the rule's id is made from it.
        expression: in CEL; true raises a finding.
        resource_pattern: glob over the type; None for every type.
    """

    name: str
    title: str
    expression: str
    severity: Severity
    reason: str = ""
    remedy: str = ""
    resource_pattern: str | None = None

    @property
    def id(self) -> str:
        """Return the id under which findings and policies know it."""
        return f"{ID_PREFIX}{self.name}"

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> CustomRule:
        """Read a rule as it is stored."""
        names = ("name", "title", "expression", "severity", "reason", "remedy", "resource_pattern")
        return cls(**{name: stored[name] for name in names})


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule and its program; None when the expression is no longer taken, and then `problem` says why."""

    rule: CustomRule
    program: cel.Program | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a rule could not say.

    Attributes:
        rule: its id.
        trouble: what happened.
        changes: to how many changes; 0 when it is about the rule itself.
        example: address of the first one.
        message: of the first one.
    """

    rule: str
    trouble: Trouble
    changes: int
    example: str
    message: str


def compile_rule(rule: CustomRule) -> Compiled:
    """Compile a rule as it was stored; one that is no longer taken becomes a note when plans are judged."""
    try:
        return Compiled(rule, cel.compile_expression(rule.expression))
    except cel.ExpressionRefused as error:
        return Compiled(rule, None, error.problem)


class Judging:
    """The evaluation of an organisation's rules over one plan: made for it, and used once."""

    def __init__(
        self, compiled: Sequence[Compiled], plan: Plan, budget_nanoseconds: int = cel.BUDGET_NANOSECONDS
    ) -> None:
        """Prepare.

        Args:
            compiled: at most `MOST_RULES`.
            plan: the plan.
            budget_nanoseconds: what all evaluations together may cost, by the bound that is computed before each.
        """
        self._compiled = compiled
        self._left = budget_nanoseconds
        self._wanted = _all_facts(item.program.facts for item in compiled if item.program is not None)
        self._plan = cel.describe_plan(plan, _counts(plan)) if compiled else {}
        self._prepared: tuple[Change, cel.Change] | None = None
        self._trouble: dict[tuple[str, Trouble], Note] = {
            (item.rule.id, "does_not_compile"): Note(item.rule.id, "does_not_compile", 0, "", item.problem)
            for item in compiled
            if item.program is None
        }

    def rules(self) -> list[Rule]:
        """Return the rules in the form that plans are judged by."""
        return [
            _rule_of(item.rule, item.program, self._judge_by) for item in self._compiled if item.program is not None
        ]

    def notes(self) -> tuple[Note, ...]:
        """Return what could not be said, once the plan was judged."""
        return tuple(self._trouble[key] for key in sorted(self._trouble))

    def _judge_by(self, rule: CustomRule, program: cel.Program, change: Change, plan: Plan) -> Iterator[Match]:
        prepared = self._prepare(change)
        bound = program.bound(prepared)
        if bound <= cel.MOST_NANOSECONDS:  # what costs more is not evaluated at all
            if bound > self._left:
                self._note(
                    rule, "budget_spent", change, "the organisation's rules took all the time there is for one plan"
                )
                return
            self._left -= bound
        outcome = program.evaluate(prepared, bound)
        if outcome.kind == "matched":
            yield Match(_evidence(program.facts, change))
            return
        if outcome.kind in {"failed", "too_costly"}:
            self._note(rule, "failed" if outcome.kind == "failed" else "too_costly", change, outcome.message)
        if "after" in program.facts.whole:
            yield from _unknown(change, plan)

    def _prepare(self, change: Change) -> cel.Change:
        if self._prepared is None or self._prepared[0] is not change:
            self._prepared = change, cel.Change(change, self._plan, self._wanted)
        return self._prepared[1]

    def _note(self, rule: CustomRule, trouble: Trouble, change: Change, message: str) -> None:
        known = self._trouble.get((rule.id, trouble), Note(rule.id, trouble, 0, change.address, message))
        more = Note(known.rule, trouble, known.changes + 1, known.example, known.message)
        self._trouble[rule.id, trouble] = more


_JudgeBy: TypeAlias = Callable[[CustomRule, cel.Program, Change, Plan], Iterator[Match]]


def _rule_of(rule: CustomRule, program: cel.Program, judge_by: _JudgeBy) -> Rule:
    return Rule(
        id=rule.id,
        family="custom",
        flag=CUSTOM,
        severity=rule.severity,
        title=rule.title,
        reason=rule.reason or REASONS[CUSTOM],
        remedy=rule.remedy or REMEDIES[CUSTOM],
        types=(rule.resource_pattern or "*",),
        judge=lambda change, plan: judge_by(rule, program, change, plan),
        paths=() if "after" in program.facts.whole else program.facts.attributes("after"),
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What an expression said about one change.

    Attributes:
        outcome: what became of the evaluation.
        evidence: what a finding would show; empty when there is none.
        unknown: attributes it looks at that are hidden or not known yet: they become an `unknown-value` finding.
    """

    outcome: cel.Outcome
    evidence: tuple[Evidence, ...]
    unknown: tuple[str, ...]


def try_rule(expression: str, change: Change, plan: Plan) -> Trial:
    """Evaluate an expression over one change, for whoever writes a rule.

    Raises:
        ExpressionRefused: the expression is not taken.
    """
    program = cel.compile_expression(expression)
    prepared = cel.Change(change, cel.describe_plan(plan, _counts(plan)), program.facts)
    outcome = program.evaluate(prepared)
    unknown = [path for path in program.facts.attributes("after") if unknown_at(change, path)]
    evidence = _evidence(program.facts, change) if outcome.kind == "matched" else ()
    return Trial(outcome, evidence, tuple(unknown))


def _evidence(facts: Facts, change: Change) -> tuple[Evidence, ...]:
    """Return what an expression looked at, before and after."""
    found: dict[str, Evidence] = {}
    for path in (*facts.attributes("after"), *facts.attributes("before")):
        for side in (change.after, change.before):
            where = next((place for place, _ in at(side, path)), None) if side is not None else None
            if where is not None:
                item = seen(where, get_at(change.before, where), get_at(change.after, where))
                found.setdefault(item.path, item)
                break
    return tuple(found.values())[:_MOST_EVIDENCE] or (whole(change),)


def _unknown(change: Change, plan: Plan) -> Iterator[Match]:
    """Yield what is hidden or not known yet, for an expression that does not name what it looks at."""
    for name, value in (change.after or {}).items():
        if holds_mark(value) and plan.configured(change, name):
            yield Match((seen((name,), get_at(change.before, (name,)), value),), is_unknown=True)


def _counts(plan: Plan) -> Mapping[str, int]:
    found = Counter("replace" if change.is_replace else "+".join(change.actions) for change in plan.changes)
    return {**dict.fromkeys(_ACTION_WORDS, 0), **found}


def _all_facts(facts: Iterator[Facts]) -> Facts:
    """Return what all expressions together look at."""
    together = Facts()
    for item in facts:
        together.paths.update(item.paths)
        together.whole.update(item.whole)
    together.close()
    return together
