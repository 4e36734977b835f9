"""What is told about a plan, as the caller reads it and as it is stored. Pure.

Bounded: the changes and findings that are listed are the worst ones, and how many there are is always said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.rules.engine import Verdict, is_judged
from shared.rules.levels import SEVERITIES, Level, highest, rank
from shared.rules.plan import Change, Plan
from shared.rules.rule import Finding
from shared.rules.values import dotted, raw
from shared.security.redact import redact, redact_text

from .open_drift import Link

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


def write_answer(plan: Plan, verdict: Verdict, links: Sequence[Link], ci: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return everything that is told, ready for JSON.

    Args:
        plan: as it was read.
        verdict: what the rules say.
        links: open drift that the plan touches.
        ci: where the plan comes from.
    """
    findings_of = _by_address(verdict.findings)
    shown = sorted(
        (change for change in plan.changes if _is_told(change)),
        key=lambda change: (-rank(_level(findings_of, change)), change.address, change.deposed or ""),
    )
    noise = [
        {"address": address, "attribute": name, "why": why, "is_whole_change": item.is_whole}
        for address, item in verdict.noise
        for name, why in item.reasons
    ]
    return {
        "risk_level": verdict.level,
        "summary": summarise(verdict),
        "counts": dict(verdict.counts),
        "changes": [_change(change, plan, findings_of) for change in shown[:MOST_CHANGES]],
        "changes_total": len(shown),
        "findings": [_finding(item) for item in verdict.findings[:MOST_FINDINGS]],
        "findings_total": len(verdict.findings),
        "plan_noise": {
            "changes_only_noise": sum(item.is_whole for _, item in verdict.noise),
            "differences": noise[:MOST_NOISE],
            "differences_total": len(noise),
        },
        "drift": [_link(link) for link in links[:MOST_LINKS]],
        "uncovered": dict(list(verdict.uncovered.items())[:_MOST_TYPES]),
        "checks": [list(check) for check in plan.checks[:_MOST_NOTES]],
        "notes": [note[:500] for note in plan.notes[:_MOST_NOTES]],
        "ci": redact(dict(ci), has_people=True) if ci else None,  # whoever pushed is the organisation's own
        "terraform_version": plan.terraform_version,
        "format_version": plan.format_version,
    }


def summarise(verdict: Verdict) -> str:
    """Return one sentence: what happens, and how bad it is."""
    doing = [f"{verdict.counts[name]} {verb}" for name, verb in _VERBS if verdict.counts.get(name)]
    found = [
        f"{number} {severity}"
        for severity in SEVERITIES
        if (number := sum(item.severity == severity for item in verdict.findings))
    ]
    risks = f"{', '.join(found)} {'finding' if len(verdict.findings) == 1 else 'findings'}" if found else "no finding"
    return f"{', '.join(doing) if doing else 'Nothing to do'}; {risks}."


def _is_told(change: Change) -> bool:
    return is_judged(change) or change.is_import or change.previous_address is not None or change.deferred is not None


def _by_address(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for item in findings:
        found.setdefault(item.address, []).append(item)
    return found


def _level(findings_of: Mapping[str, Sequence[Finding]], change: Change) -> Level:
    return highest(item.severity for item in findings_of.get(change.address, ()))


def _change(change: Change, plan: Plan, findings_of: Mapping[str, Sequence[Finding]]) -> dict[str, Any]:
    dependents = plan.dependents(change) if change.destroys else ()
    return {
        "address": change.address,
        "type": change.type,
        "provider": change.provider,
        "action": action_of(change),
        "actions": list(change.actions),
        "reason": change.reason,
        "replace_paths": [dotted(path) for path in change.replace_paths[:_MOST_NAMES]],
        "changed_attributes": list(_changed(change))[:_MOST_NAMES],
        "previous_address": change.previous_address,
        "is_import": change.is_import,
        "deferred": change.deferred,
        "deposed": change.deposed,
        "risk_level": _level(findings_of, change),
        "findings": [item.id for item in findings_of.get(change.address, ())],
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


def _changed(change: Change) -> Iterator[str]:
    if change.before is None or change.after is None:
        return
    for name in sorted({*change.before, *change.after}):
        if raw(change.before, name) != raw(change.after, name):
            yield name


def _finding(item: Finding) -> dict[str, Any]:
    return {
        "id": item.id,
        "rule": item.rule,
        "flag": item.flag,
        "severity": item.severity,
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
        "override": None,
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
