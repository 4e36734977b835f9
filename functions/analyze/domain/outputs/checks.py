"""An analysis as a check run of GitHub: a conclusion, a summary, and one annotation for each finding, worst first. Pure.

A plan has no lines in files, so an annotation stands at the first line of `terraform-plan/ADDRESS`, as a result in SARIF does.
Source: https://docs.github.com/en/rest/checks/runs#create-a-check-run (a title of 255 characters, a summary of 65,535, 50 annotations in
one request).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.reports.text import visible
from shared.rules.levels import Severity, rank

from .markdown import to_markdown
from .sentences import evidence_of, findings_of, place_of

Conclusion = Literal["success", "failure", "neutral"]
NAME: Final = "DriftWise"
MOST_ANNOTATIONS: Final = 200
_MOST_TITLE, _MOST_WORDS, _MOST_PATH, _MOST_EVIDENCE = 255, 2_000, 300, 5
_LEVELS: Final[Mapping[str, str]] = {"critical": "failure", "high": "failure", "medium": "warning", "low": "notice"}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.\-\[\]]")


@dataclass(frozen=True, slots=True)
class Check:
    """A check run.

    Attributes:
        external_id: the analysis, by which a check run is found again.
        annotations: as the API takes them.
    """

    external_id: str
    conclusion: Conclusion
    title: str
    summary: str
    annotations: list[dict[str, Any]]
    name: str = NAME


def to_check(answer: Mapping[str, Any], fail_on: Severity | None) -> Check:
    """Write an analysis as a check run.

    Args:
        answer: as `outputs` says, with `id` and `fail_on` beside it.
        fail_on: the gate where the plan came without one; None for none.
    """
    findings = findings_of(answer)
    return Check(
        external_id=str(answer["id"]),
        conclusion=_conclusion(answer, answer.get("fail_on") or fail_on),
        title=visible(f"{answer['risk_level'].capitalize()} risk: {answer['summary']}", _MOST_TITLE),
        summary=to_markdown(answer),
        annotations=[_annotation(item) for item in findings[:MOST_ANNOTATIONS]],
    )


def _conclusion(answer: Mapping[str, Any], fail_on: Severity | None) -> Conclusion:
    """Return how the check ends: by the gate where there is one; without one it warns and stops nobody."""
    level = answer["risk_level"]
    if fail_on is not None:
        return "failure" if rank(level) >= rank(fail_on) else "success"
    return "success" if level == "none" else "neutral"


def _annotation(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return one annotation. GitHub shows its texts as they are, so nothing in them acts; what hides is spelled out."""
    words = " ".join(text for text in (finding["note"], finding["reason"], finding["remedy"]) if text)
    lines = [visible(f"{place_of(finding)}: {words}", _MOST_WORDS), *evidence_of(finding, _MOST_EVIDENCE)]
    return {
        "path": f"terraform-plan/{_UNSAFE.sub('_', finding['address'] or 'plan')[:_MOST_PATH]}",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": _LEVELS.get(finding["severity"], "notice"),
        "title": visible(finding["title"], _MOST_TITLE),
        "message": "\n".join(lines),
    }
