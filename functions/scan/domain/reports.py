"""Drift in the forms that other tools and people read: CSV, SARIF, Markdown, one HTML file. Pure text from rows.

A report holds a bounded number of items; `left_out` says that there are milder ones beyond it, and each form says so in its own way.

Source: RFC 4180 for CSV; `shared/reports` for the others.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.reports import page
from shared.reports.cells import inert
from shared.reports.markdown import cell
from shared.reports.sarif import SarifResult, SarifRule, write_log
from shared.rules.levels import SEVERITIES
from shared.rules.texts import REASONS

ATTRIBUTION_COLUMNS = ("actor", "acted_at", "call", "channel", "source_address", "confidence", "unknown_reason")
COLUMNS = (
    "severity",
    "kind",
    "type",
    "address",
    "cloud_id",
    "region",
    "path",
    "before",
    "after",
    "rule",
    "first_seen_at",
    *ATTRIBUTION_COLUMNS,
)
_LEFT_OUT = "This report holds the worst items; there are milder ones that are not in it. Filter by account, type or severity for these."
_HIDDEN = "(sensitive)"
_NONE = "(none)"
_SHOWN_LENGTH = 120
_REASONS = {
    "changed": "Somebody or something changed it outside of Terraform; the next apply would undo that or fail on it.",
    "missing": "The state names a resource that the cloud has not got; the next apply would make it again.",
    "unmanaged": "It is in the cloud and in no state: nobody reviews it, and nothing would make it again.",
}
_SURE = {"exact": "Made by", "likely": "Likely made by", "possible": "Possibly made, before the last scan, by"}
_CHANNELS = {
    "console": "in the console",
    "terraform": "through Terraform",
    "cli": "with the AWS CLI",
    "service": "through an AWS service",
    "api": "through the API",
}
_FLAG_REASONS = {str(flag): reason for flag, reason in REASONS.items()}
_REMEDIES = {
    "changed": "Take the change into the configuration, or apply to set it back.",
    "missing": "Apply to make it again, or take it out of the state.",
    "unmanaged": "Import it, delete it, or ignore it by a rule with a reason.",
}


def by_severity(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Order items for people: the worst first, then by where they are."""
    return sorted(
        rows,
        key=lambda row: (
            SEVERITIES.index(row["severity"]),
            row["type"],
            row["address"] or row["cloud_id"] or "",
            row["path"] or "",
        ),
    )


def to_csv(rows: Sequence[Mapping[str, Any]], *, left_out: bool = False) -> str:  # noqa: ARG001  # a row that is no item would be read as one
    """Write items as CSV with a header line; cells that a spreadsheet would run as a formula are quoted."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(COLUMNS)
    for row in by_severity(rows):
        writer.writerow([inert(_cell(row, name)) for name in COLUMNS])
    return target.getvalue()


def to_markdown(rows: Sequence[Mapping[str, Any]], *, left_out: bool = False) -> str:
    """Write items as a Markdown table."""
    if not rows:
        return "# Drift report\n\nNo drift: the cloud is what the state says.\n"
    lines = [
        "# Drift report",
        "",
        f"{len(rows)} finding{'s' if len(rows) > 1 else ''}.",
        "",
        "| Severity | Kind | Resource | Attribute | State | Cloud | Who |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in by_severity(rows):
        named = (name_of(row), row["path"] or "", *values(row), who(row))
        lines.append("| " + " | ".join((row["severity"], row["kind"], *(cell(text) for text in named))) + " |")
    if left_out:
        lines += ["", _LEFT_OUT]
    return "\n".join(lines) + "\n"


def to_sarif(rows: Sequence[Mapping[str, Any]], *, left_out: bool = False) -> str:
    """Write items as a SARIF 2.1.0 log: one result per item."""
    notes = [_LEFT_OUT] if left_out else []
    results = [_result(row) for row in by_severity(rows)]
    return write_log(results, folder="drift", category="driftwise/drift/", notes=notes)


def to_html(rows: Sequence[Mapping[str, Any]], *, left_out: bool = False) -> str:
    """Write items as one HTML file with a chart and a table; see `shared/reports/page.py` for why nothing in it acts."""
    if not rows:
        return page.page("Drift report", [page.paragraph("No drift: the cloud is what the state says.")])
    counts = Counter(row["severity"] for row in rows)
    parts = [
        page.paragraph(f"{len(rows)} finding{'s' if len(rows) > 1 else ''}."),
        page.chart("Findings by severity", [page.Bar(name, counts[name], name) for name in SEVERITIES]),
    ]
    if left_out:
        parts.append(page.paragraph(_LEFT_OUT))
    heads = ("Severity", "Kind", "Resource", "Attribute", "State", "Cloud", "First seen", "Who")
    table = (
        (
            row["severity"],
            row["kind"],
            name_of(row),
            row["path"] or "",
            *values(row),
            str(row["first_seen_at"]),
            who(row),
        )
        for row in by_severity(rows)
    )
    return page.page("Drift report", [*parts, page.table("Findings, the worst first", heads, table)])


def _result(row: Mapping[str, Any]) -> SarifResult:
    return SarifResult(
        rule=SarifRule(
            name=row["rule"],
            severity=row["severity"],
            title=row["rule"].replace("-", " ").capitalize(),
            reason=_FLAG_REASONS.get(row["rule"]) or _REASONS[row["kind"]],
            remedy=_REMEDIES[row["kind"]],
            tags=("drift",),
        ),
        message=f"{sentence(row)} {who(row)}".rstrip(),
        place=row["address"] or row["cloud_id"] or row["key"],
        fingerprint=str(row["id"]),
        properties={"kind": row["kind"], "type": row["type"], **_attributed(row)},
    )


def sentence(row: Mapping[str, Any]) -> str:
    """Say in one sentence what an item is about."""
    name = row["address"] or row["cloud_id"]
    if row["kind"] == "missing":
        return f"{name} is in the state and not in the cloud."
    if row["kind"] == "unmanaged":
        return f"{row['cloud_id']} ({row['type']}) is in the cloud and in no state."
    before, after = values(row)
    if row.get("detector") == "baseline":
        return f"{name}: {row['path']} is {after} in the cloud, and was {before} when the state last changed."
    return f"{name}: {row['path']} is {after} in the cloud, {before} in the state."


def who(row: Mapping[str, Any]) -> str:
    """Say in one sentence who made a drift; empty while that is being looked up.

    Source of the words: `attribution.py`.
    """
    found = row["attribution"]
    if row["attribution_status"] == "found":
        name = found["session_name"] or found["user_name"] or found["actor"]
        through = _CHANNELS[found["channel"]]
        return f"{_SURE[found['confidence']]} {_shorten(name)} by {found['call'].split(':', 1)[1]}, {found['at'][:16]}Z, {through}."
    if row["attribution_status"] == "unknown":
        missing = f" ({found['permission']} is not granted)" if found.get("permission") else ""
        return f"Nobody knows who: {found['reason'].replace('_', ' ')}{missing}."
    return ""


def _attributed(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what CSV and SARIF tell of the recorded call, empty where nothing is known."""
    found = row["attribution"]
    told = {name: found.get(name) for name in ("actor", "call", "channel", "source_address", "confidence")}
    told |= {"acted_at": found.get("at"), "unknown_reason": found.get("reason")}
    return {name: str(told[name] or "") for name in ATTRIBUTION_COLUMNS}


def values(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return state and live value as short text; sensitive ones hidden; empty for whole resources.

    Of two collections only what is not in both is shown: one rule more in a security group of forty is one rule.
    """
    if row["kind"] != "changed":
        return "", ""
    if row["is_sensitive"]:
        return _HIDDEN, _HIDDEN
    before, after = row["before"], row["after"]
    if isinstance(before, list) and isinstance(after, list):
        before, after = (
            [item for item in one if item not in other] for one, other in ((before, after), (after, before))
        )
    return _short(before), _short(after)


def name_of(row: Mapping[str, Any]) -> str:
    """Return what people call the resource: its address, or its type and cloud name when no state has it."""
    return str(row["address"] or f"{row['type']} {row['key']}")


def _short(value: object) -> str:
    if value is None or value == []:
        return _NONE
    plain = _without_nulls(value)
    return _shorten(plain if isinstance(plain, str) else json.dumps(plain, default=str, ensure_ascii=False))


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


def _without_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return _without_nulls(value[0]) if len(value) == 1 else [_without_nulls(item) for item in value]
    return value


def _cell(row: Mapping[str, Any], name: str) -> str:
    if name in {"before", "after"}:
        if row["kind"] != "changed":
            return ""
        return _HIDDEN if row["is_sensitive"] else json.dumps(row[name], default=str)
    if name in ATTRIBUTION_COLUMNS:
        return _attributed(row)[name]
    found = row[name]
    return "" if found is None else str(found)
