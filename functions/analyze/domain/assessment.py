"""The whole judgement of a plan by an organisation: its rulebook, and the open drift that the plan would undo. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from shared.rules.levels import Level, rank
from shared.rules.plan import Plan

from .facts import Facts
from .open_drift import DriftItem, Link, drift_findings, link_drift
from .policy import Judged, level_of
from .rulebook import Judgement, Rulebook, judge


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is said about a plan.

    Attributes:
        plan: as it was read.
        level: the worst severity that counts.
        findings: by the severity that counts, worst first, then by address and rule; what is accepted comes last.
        judgement: by the rulebook; holds the noise, the notes and what no rule looks into.
        links: what the plan would do to open drift.
        policy_version: of the policy that was applied; 0 for none.
    """

    plan: Plan
    level: Level
    findings: tuple[Judged, ...]
    judgement: Judgement
    links: tuple[Link, ...]
    policy_version: int


def assess(
    plan: Plan, rulebook: Rulebook, drift: Iterable[DriftItem], is_over: Callable[[], bool] = lambda: False
) -> Assessment:
    """Judge a plan.

    Args:
        plan: the plan.
        rulebook: how the organisation wants it judged.
        drift: open drift of resources that the plan names.
        is_over: asked before each change; True ends the judging.

    Raises:
        PlanTooComplex: `is_over` said so.
    """
    links = tuple(link_drift(plan, drift))
    judgement = judge(plan, rulebook, is_over, drift_findings(plan, links))
    judged = sorted(judgement.findings, key=_order)
    return Assessment(plan, level_of(judged), tuple(judged), judgement, links, rulebook.policy.version)


def facts_of(assessment: Assessment) -> Facts:
    """Return what a narrative is made from: the findings that count, as severe as they count."""
    verdict = assessment.judgement.verdict
    return Facts(
        level=assessment.level,
        findings=tuple(
            replace(item.finding, severity=item.severity) for item in assessment.findings if item.severity != "none"
        ),
        counts=verdict.counts,
        uncovered=verdict.uncovered,
        noise=len(verdict.noise),
        notes=notes_of(assessment),
    )


def notes_of(assessment: Assessment) -> tuple[str, ...]:
    """Return what a reader must know: how the plan was read, and what the organisation's own rules could not say."""
    own = (
        f"the custom rule {note.rule} could not judge {note.changes or 'any'} changes ({note.trouble}): {note.message}"
        for note in assessment.judgement.notes
    )
    return (*assessment.plan.notes, *own)


def _order(item: Judged) -> tuple[int, str, str, str]:
    return -rank(item.severity), item.finding.address, item.finding.rule, item.finding.id
