"""An analysis as JUnit XML, for GitLab, Jenkins and Azure Pipelines. Pure.

One suite for each severity, so that what a build shows first is how bad it is. A finding that reaches the gate is a failed test, any
other a passed one whose text stands in the suite's output. GitLab shows a case's `classname` as its suite and takes one case of each
name, so names are unique. Without a finding there is one passed test, as a report without tests is an error in Jenkins.

Source: the Apache Ant JUnit schema (Windy Road), which Jenkins's own is a looser form of; GitLab, "Unit test reports".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # noqa: S405 -- XML is written here, none is read

from shared.reports.text import visible
from shared.rules.levels import SEVERITIES

from .sentences import evidence_of, findings_of, is_stopped, place_of

_MOST_EVIDENCE = 5
_MOST_NAME, _MOST_LINE = 500, 600  # GitLab takes 30 MB: 5,000 findings of these lengths are less
_PACKAGE = "driftwise"
_NO_TIME = "0"
_EPOCH = "1970-01-01T00:00:00+00:00"


def to_junit(answer: Mapping[str, Any]) -> str:
    """Write an analysis as JUnit XML.

    Args:
        answer: as `outputs` says; without `fail_on` nothing fails.
    """
    root = Element("testsuites")
    findings = findings_of(answer)
    groups = {level: [item for item in findings if item["severity"] == level] for level in SEVERITIES}
    for severity, group in groups.items():
        if group:
            _suite(root, answer, f"{severity} risk", group)
    if not findings:
        _suite(root, answer, "no risk", ())
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _suite(root: Element, answer: Mapping[str, Any], name: str, group: Sequence[Mapping[str, Any]]) -> None:
    fail_on = answer.get("fail_on")
    suite = SubElement(
        root,
        "testsuite",
        name=f"DriftWise: {name}",
        package=_PACKAGE,
        id=str(len(root)),
        timestamp=_timestamp(answer.get("created_at")),
        hostname=_PACKAGE,
        tests=str(max(len(group), 1)),
        failures=str(sum(is_stopped(item, fail_on) for item in group)),
        errors="0",
        time=_NO_TIME,
    )
    properties = SubElement(suite, "properties")
    for key in ("id", "risk_level", "fail_on", "terraform_version"):
        if answer.get(key):
            SubElement(properties, "property", name=key, value=visible(str(answer[key]), _MOST_NAME))
    seen: Counter[str] = Counter()
    for item in group:
        _case(suite, item, name, seen, is_failed=is_stopped(item, fail_on))
    if not group:
        SubElement(suite, "testcase", name="The plan carries no finding", classname=_class(name), time=_NO_TIME)
    passed = [_text(item) for item in group if not is_stopped(item, fail_on)]
    SubElement(suite, "system-out").text = "\n\n".join(passed)
    SubElement(suite, "system-err")


def _case(suite: Element, finding: Mapping[str, Any], group: str, seen: Counter[str], *, is_failed: bool) -> None:
    name = visible(f"{finding['title']}: {place_of(finding)}", _MOST_NAME)
    seen[name] += 1
    unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
    case = SubElement(suite, "testcase", name=unique, classname=_class(group), time=_NO_TIME)
    if is_failed:
        failure = SubElement(case, "failure", message=name, type=visible(finding["rule"], _MOST_NAME))
        failure.text = _text(finding)


def _class(group: str) -> str:
    return f"DriftWise.{group.replace(' ', '-')}"


def _text(finding: Mapping[str, Any]) -> str:
    lines = [
        f"{finding['severity']}: {finding['title']}",
        place_of(finding),
        *evidence_of(finding, _MOST_EVIDENCE),
        finding["note"],
        finding["reason"],
        f"What to do: {finding['remedy']}" if finding["remedy"] else "",
        f"See also: {', '.join(finding['references'])}" if finding["references"] else "",
    ]
    return "\n".join(visible(line, _MOST_LINE) for line in lines if line)


def _timestamp(value: object) -> str:
    """Return a time as the schema wants it: UTC, no fraction, no zone; the epoch when none is known."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value or _EPOCH))
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
