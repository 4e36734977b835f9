"""An analysis as SARIF 2.1.0, for GitHub's code scanning and whatever else reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.reports import markdown
from shared.reports.sarif import SarifResult, SarifRule, write_log

from .sentences import accepted_of, evidence_of, findings_of, place_of, severity_of

_FOLDER = "terraform-plan"
_MOST_EVIDENCE = 5
_CWE = "CWE-"
_MOST_WORDS = 1_000


def to_sarif(answer: Mapping[str, Any]) -> str:
    """Write an analysis as a SARIF log: one result for each finding, accepted ones suppressed.

    Args:
        answer: as `outputs` says.
    """
    ci = answer.get("ci") or {}
    rules: dict[tuple[str, str], SarifRule] = {}
    return write_log(
        [_result(item, rules) for item in (*findings_of(answer), *accepted_of(answer))],
        folder=_FOLDER,
        category=f"driftwise/plan/{answer.get('id', '')}",
        notes=[*answer.get("notes", ()), *_unshown(answer)],
        provenance={
            "url": ci.get("repo_url") or "",
            "branch": ci.get("branch") or "",
            "revision": ci.get("commit_sha") or "",
        },
    )


def _result(finding: Mapping[str, Any], rules: dict[tuple[str, str], SarifRule]) -> SarifResult:
    """Return a finding as a result; a rule is described once for each severity."""
    key = (finding["rule"], severity_of(finding))
    if key not in rules:
        rules[key] = _rule(finding)
    override = finding.get("override")
    is_accepted = finding["severity"] == "none"
    first = f"{finding['title']}: {place_of(finding)}."
    return SarifResult(
        rule=rules[key],
        message="\n".join((" ".join(filter(None, (first, finding["note"]))), *evidence_of(finding, _MOST_EVIDENCE))),
        place=finding["address"],
        fingerprint=finding["id"],
        properties={name: finding[name] for name in ("flag", "type") if finding[name]},
        accepted=((override or {}).get("reason") or "") if is_accepted else None,
    )


def _rule(finding: Mapping[str, Any]) -> SarifRule:
    references = [str(item) for item in finding["references"]]
    return SarifRule(
        name=finding["rule"],
        severity=severity_of(finding),
        title=finding["title"],
        reason=finding["reason"],
        remedy=finding["remedy"],
        tags=(finding["flag"], *(_tag(item) for item in references if not item.startswith("https://"))),
        help_uri=next((item for item in references if item.startswith("https://")), ""),
        help_markdown=_help(finding, references),
    )


def _help(finding: Mapping[str, Any], references: list[str]) -> str:
    parts = [markdown.prose(finding["reason"], _MOST_WORDS)]
    if finding["remedy"]:
        parts.append(f"**What to do:** {markdown.prose(finding['remedy'], _MOST_WORDS)}")
    if references:
        parts.append(f"**See also:** {', '.join(markdown.code(item, 200) for item in references)}")
    return "\n\n".join(part for part in parts if part)


def _tag(reference: str) -> str:
    """Return a catalogue's id as a tag; weaknesses in the form that code scanning knows."""
    return f"external/cwe/{reference.lower()}" if reference.startswith(_CWE) else reference


def _unshown(answer: Mapping[str, Any]) -> Iterator[str]:
    total = answer.get("findings_total", 0)
    if total > len(answer.get("findings", ())):
        yield f"{total} findings in all; the worst {len(answer['findings'])} are here."
    for kind, number in (answer.get("uncovered") or {}).items():
        yield f"No rule looks into {kind}: {number} {'change' if number == 1 else 'changes'} not judged."
