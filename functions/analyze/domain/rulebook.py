"""How an organisation wants plans judged, and the judgement of a plan by it. Pure.

`judge` is the whole: the rules built in without those that are switched off, the organisation's own, its policy, and its noise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from shared.rules.engine import Verdict, judge_plan
from shared.rules.levels import Level, highest, rank
from shared.rules.plan import Plan
from shared.rules.rule import Finding

from .custom_rules import Compiled, Judging, Note
from .plan_noise import NoiseDecision, NoiseKey, Settings, Suppression, decide, without_hidden, worst_first
from .policy import Judged, Policy, apply, level_of


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything an organisation has set about judging.

    Attributes:
        policy: which severity counts.
        disabled: ids of built-in rules that say nothing.
        custom: its own rules, compiled.
        noise: how noise is treated.
        recurring: noise that was seen as often as the settings say.
        suppressions: those that hold.
    """

    policy: Policy = field(default_factory=Policy)
    disabled: frozenset[str] = frozenset()
    custom: tuple[Compiled, ...] = ()
    noise: Settings = field(default_factory=Settings)
    recurring: frozenset[NoiseKey] = frozenset()
    suppressions: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said about a plan by an organisation's rulebook.

    Attributes:
        level: the worst severity that counts.
        findings: in the order of the rules' verdict, each with the severity that counts.
        noise: what is noise, which updates are hidden, and what is to be remembered.
        notes: what the organisation's own rules could not say.
        verdict: what the rules said, before the policy.
    """

    level: Level
    findings: tuple[Judged, ...]
    noise: NoiseDecision
    notes: tuple[Note, ...]
    verdict: Verdict


def judge(
    plan: Plan, rulebook: Rulebook, is_over: Callable[[], bool] = lambda: False, more: Iterable[Finding] = ()
) -> Judgement:
    """Judge a plan by an organisation's rulebook.

    Args:
        plan: the plan.
        rulebook: of the organisation.
        is_over: asked before each change; True ends the judging.
        more: findings of whoever knows more than the plan shows, such as open drift; policy and switched-off rules hold for them.

    Raises:
        PlanTooComplex: `is_over` said so.
    """
    judging = Judging(rulebook.custom, plan)
    verdict = _joined(judge_plan(plan, judging.rules(), rulebook.disabled, is_over), more, rulebook.disabled)
    loud = loud_addresses(apply(rulebook.policy, verdict.findings))
    noise = decide(plan, verdict.noise, loud, rulebook.noise, rulebook.recurring, rulebook.suppressions)
    judged = tuple(apply(rulebook.policy, without_hidden(plan, verdict, noise.hidden)))
    return Judgement(level_of(judged), judged, noise, judging.notes(), verdict)


def _joined(verdict: Verdict, more: Iterable[Finding], disabled: Collection[str]) -> Verdict:
    """Add findings to a verdict; the level can only rise."""
    added = [item for item in more if item.rule not in disabled]
    if not added:
        return verdict
    found = sorted((*verdict.findings, *added), key=worst_first)
    return replace(verdict, findings=tuple(found), level=highest(item.severity for item in found))


def loud_addresses(judged: Iterable[Judged]) -> frozenset[str]:
    """Return the addresses with a finding that is high or critical, by the rules or by the policy: nothing there is hidden."""
    least = rank("high")
    return frozenset(
        item.finding.address for item in judged if max(rank(item.severity), rank(item.severity_before)) >= least
    )
