"""What all forms say of a finding, in one wording. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.reports.text import shown, visible
from shared.rules.levels import SEVERITIES, Severity, rank

WHOLE_PLAN: Final = "the plan as a whole"
_MOST_VALUE = 300
_ARROW = "->"


def findings_of(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the findings that count, worst first; those that a policy accepts are not among them."""
    return [item for item in answer.get("findings", ()) if item["severity"] in SEVERITIES]


def accepted_of(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the findings that a policy of the organisation accepts."""
    return [item for item in answer.get("findings", ()) if item["severity"] not in SEVERITIES]


def severity_of(finding: Mapping[str, Any]) -> Severity:
    """Return how bad a finding is; of an accepted one, how bad it would be."""
    found: Any = finding["severity"]
    if found not in SEVERITIES:
        found = (finding.get("override") or {}).get("severity_before")
    return found if found in SEVERITIES else "low"


def is_stopped(finding: Mapping[str, Any], fail_on: Severity | None) -> bool:
    """Say whether a finding reaches the gate."""
    return fail_on is not None and rank(finding["severity"]) >= rank(fail_on)


def place_of(finding: Mapping[str, Any]) -> str:
    """Return where a finding is: the resource's address, or the plan."""
    return str(finding["address"]) or WHOLE_PLAN


def evidence_of(finding: Mapping[str, Any], most: int) -> list[str]:
    """Return what a rule saw, one line each: `ingress[0].cidr_blocks: ["10.0.0.0/8"] -> ["0.0.0.0/0"]`."""
    seen = attributes_of(finding)
    lines = [
        f"{visible(item['path'], _MOST_VALUE)}: {_value(item['before'])} {_ARROW} {_value(item['after'])}"
        for item in seen[:most]
    ]
    return [*lines, more(len(seen) - most, "attribute")] if len(seen) > most else lines


def attributes_of(finding: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the attributes among the evidence; that a resource is there or not its title says already."""
    return [item for item in finding["evidence"] if item["path"]]


def more(number: int, noun: str) -> str:
    """Say how many are not shown."""
    return f"… {number} more {noun}{'' if number == 1 else 's'}"


def _value(value: object) -> str:
    return "(none)" if value is None else shown(value, _MOST_VALUE)
