"""What is told about a plan, as the caller reads it and as it is stored. Pure.

Bounded: the changes and findings that are listed are the worst ones, and how many there are is always said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from shared.rules.engine import is_judged
from shared.rules.levels import SEVERITIES, Level, highest, rank
from shared.rules.plan import Change, Plan
from shared.rules.values import dotted
from shared.security.redact import redact, redact_text

from .assessment import Assessment, notes_of
from .open_drift import Link
from .plan_noise import NoiseItem, differing
from .policy import Judged

MOST_CHANGES = 5_000
MOST_FINDINGS = 5_000
MOST_NOISE = 1_000
MOST_LINKS = 1_000
_MOST_NAMES = 50
_MOST_DEPENDENTS = 20
_MOST_TYPES = 200
_MOST_NOTES = 100
_VERBS = (
    ("create", "to add"), ("update", "to change"), ("replace", "to replace"), ("delete", "to destroy"), ("forget", "to forget"),
)  # fmt: skip


def write_answer(assessment: Assessment, ci: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return everything that is told but the narrative, ready for JSON.

    Args:
        assessment: the whole judgement.
        ci: where the plan comes from.
    """
    plan, verdict, noise = assessment.plan, assessment.judgement.verdict, assessment.judgement.noise
    findings_of = _by_address(assessment.findings)
    told = sorted(
        (change for change in plan.changes if _is_told(change) and change.key not in noise.hidden),
        key=lambda change: (-rank(_level(findings_of, change)), change.address, change.deposed or ""),
    )
    return {
        "risk_level": assessment.level,
        "summary": summarise(assessment),
        "counts": dict(verdict.counts),
        "changes": [_change(change, plan, findings_of) for change in told[:MOST_CHANGES]],
        "changes_total": len(told),
        "findings": [_finding(item) for item in assessment.findings[:MOST_FINDINGS]],
        "findings_total": len(assessment.findings),
        "plan_noise": {
            "changes_only_noise": sum(item.is_whole for _, item in verdict.noise),
            "changes_hidden": len(noise.hidden),
            "differences": [_noise(item) for item in noise.items[:MOST_NOISE]],
            "differences_total": len(noise.items),
        },
        "drift": [_link(link) for link in assessment.links[:MOST_LINKS]],
        "uncovered": dict(list(verdict.uncovered.items())[:_MOST_TYPES]),
        "checks": [list(check) for check in plan.checks[:_MOST_NOTES]],
        "notes": [redact_text(note[:500]) for note in notes_of(assessment)[:_MOST_NOTES]],
        "policy_version": assessment.policy_version,
        "ci": redact(dict(ci), has_people=True) if ci else None,  # whoever pushed is the organisation's own
        "terraform_version": plan.terraform_version,
        "format_version": plan.format_version,
    }


def summarise(assessment: Assessment) -> str:
    """Return one sentence: what happens, and how bad it is."""
    counts = assessment.judgement.verdict.counts
    doing = [f"{counts[name]} {verb}" for name, verb in _VERBS if counts.get(name)]
    numbers = Counter(item.severity for item in assessment.findings)
    found = [f"{numbers[severity]} {severity}" for severity in SEVERITIES if numbers[severity]]
    noun = "finding" if sum(numbers[severity] for severity in SEVERITIES) == 1 else "findings"
    risks = f"{', '.join(found)} {noun}" if found else "no finding"
    accepted = f", {numbers['none']} accepted" if numbers["none"] else ""
    return f"{', '.join(doing) if doing else 'Nothing to do'}; {risks}{accepted}."


def _is_told(change: Change) -> bool:
    return is_judged(change) or change.is_import or change.previous_address is not None or change.deferred is not None


def _by_address(findings: Iterable[Judged]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {}
    for item in findings:
        found.setdefault(item.finding.address, []).append(item)
    return found


def _level(findings_of: Mapping[str, Sequence[Judged]], change: Change) -> Level:
    return highest(item.severity for item in findings_of.get(change.address, ()))


def _change(change: Change, plan: Plan, findings_of: Mapping[str, Sequence[Judged]]) -> dict[str, Any]:
    dependents = plan.dependents(change) if change.destroys else ()
    return {
        "address": change.address,
        "type": change.type,
        "provider": change.provider,
        "action": action_of(change),
        "actions": list(change.actions),
        "reason": change.reason,
        "replace_paths": [dotted(path) for path in change.replace_paths[:_MOST_NAMES]],
        "changed_attributes": list(islice(differing(change), _MOST_NAMES)) if change.before and change.after else [],
        "previous_address": change.previous_address,
        "is_import": change.is_import,
        "deferred": change.deferred,
        "deposed": change.deposed,
        "risk_level": _level(findings_of, change),
        "findings": [item.finding.id for item in findings_of.get(change.address, ())],
        "dependents": list(dependents[:_MOST_DEPENDENTS]),
        "dependents_total": len(dependents),
    }


def action_of(change: Change) -> str:
    """Return what happens to a resource in one word."""
    if change.is_replace:
        return "replace"
    for word in ("create", "update", "delete", "forget"):
        if change.actions == (word,):
            return word
    if change.is_import:
        return "import"
    if change.previous_address is not None:
        return "move"
    return "read" if change.actions == ("read",) else "no-op"


def _finding(judged: Judged) -> dict[str, Any]:
    item, rule = judged.finding, judged.override
    override = rule and {"rule": rule.id, "severity_before": judged.severity_before, "reason": rule.reason}
    return {
        "id": item.id,
        "rule": item.rule,
        "flag": item.flag,
        "severity": judged.severity,
        "address": item.address,
        "type": item.type,
        "title": item.title,
        "reason": item.reason,
        "remedy": item.remedy,
        "note": redact_text(item.note),
        "references": list(item.references),
        "evidence": [
            {"path": seen.path, "before": redact(seen.before), "after": redact(seen.after)} for seen in item.evidence
        ],
        "override": override,
    }


def _noise(item: NoiseItem) -> dict[str, Any]:
    return {
        "address": item.address,
        "attribute": item.attribute,
        "why": item.why or (f"suppressed: {item.suppression.reason}" if item.suppression else ""),
        "is_recurring": item.is_recurring,
        "suppression_id": str(item.suppression.id) if item.suppression else None,
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "drift_id": link.item.id,
        "address": link.address,
        "kind": link.item.kind,
        "path": link.item.path,
        "severity": link.item.severity,
        "effect": link.effect,
        "is_certain": link.is_certain,
    }
