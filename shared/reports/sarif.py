"""SARIF 2.1.0 as GitHub's code scanning takes it. Pure.

What GitHub reads, and what follows: the severity stands on the rule (`security-severity`), so a rule is written once for each severity
it was found with; of the fingerprints only `primaryLocationLineHash` counts; a result needs a place in a file, which a plan has not, so
it stands in a file of its own, named for the resource; a log over 10 MB compressed or of more than 25,000 results is refused.

Source: SARIF 2.1.0 (OASIS, errata 01), sections 3.4 to 3.58; GitHub, "SARIF support for code scanning".
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from shared.rules.levels import Severity

from .text import visible

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final[Mapping[Severity, str]] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
SCORES: Final[Mapping[Severity, str]] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}
MOST_RESULTS: Final = 25_000
MOST_PACKED_BYTES: Final = 9_000_000  # the compressor holds some back, and the frame comes to it
_MOST_TAGS = 10
_MOST_TITLE, _MOST_TEXT, _MOST_MESSAGE = 200, 1_000, 2_000
_MOST_NOTES = 100


@dataclass(frozen=True, slots=True)
class SarifRule:
    """What a result is an instance of.

    Attributes:
        name: id of the rule.
        title: what happened, a few words.
        reason: why that is bad.
        remedy: what to do; may be empty.
        tags: what results are filtered by.
        help_uri: address of a page about it; only https is written.
        help_markdown: the same for people, with nothing in it that acts; made of `reason` and `remedy` when empty.
    """

    name: str
    severity: Severity
    title: str
    reason: str
    remedy: str = ""
    tags: tuple[str, ...] = ()
    help_uri: str = ""
    help_markdown: str = ""

    @property
    def id(self) -> str:
        """Return the id in the log. Source: SARIF 3.5.4, hierarchical strings."""
        return f"{self.name}/{self.severity}"


@dataclass(frozen=True, slots=True)
class SarifResult:
    """One finding.

    Attributes:
        rule: what it is an instance of.
        message: the first sentence is the title that people see.
        place: address of the resource; empty for what is about the whole.
        fingerprint: the same for the same finding in every run.
        properties: anything more, ready for JSON.
        accepted: why it was accepted, which suppresses it; None when it was not.
    """

    rule: SarifRule
    message: str
    place: str
    fingerprint: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    accepted: str | None = None


def write_log(
    results: Iterable[SarifResult],
    *,
    folder: str,
    category: str,
    notes: Sequence[str] = (),
    provenance: Mapping[str, str] | None = None,
) -> str:
    """Write a log.

    Args:
        results: worst first: what is over a limit is left out from the end, and a note says so.
        folder: name of the folder that the results' places stand in, e.g. `terraform-plan`.
        category: what the log is about, and of which run: `category/run`.
        notes: what a reader must know about the run.
        provenance: `url`, `branch`, `revision` of the repository, as far as they are known.
    """
    everything = list(results)
    rules, written = _within(everything, folder)
    told = list(notes[:_MOST_NOTES])
    if len(written) < len(everything):
        told.append(f"{len(everything) - len(written)} more results are left out: GitHub takes no larger log.")
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "DriftWise", "rules": rules}},
        "automationDetails": {"id": category},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": visible(note, _MOST_TEXT)}} for note in told
                ],
            }
        ],
        "results": written,
    }
    if origin := _origin(provenance or {}):
        run["versionControlProvenance"] = [origin]
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _within(results: Sequence[SarifResult], folder: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rules and results, as many as GitHub takes."""
    has_accepted = any(result.accepted is not None for result in results)
    index: dict[str, int] = {}
    rules: list[dict[str, Any]] = []
    written: list[dict[str, Any]] = []
    packer = zlib.compressobj(1)  # the quickest level, which packs no better than the one in use
    size = 0
    for result in results[:MOST_RESULTS]:
        number = index.setdefault(result.rule.id, len(rules))
        added = [_rule(result.rule)] if number == len(rules) else []
        item = _result(result, number, folder, has_accepted=has_accepted)
        size += len(packer.compress(json.dumps([*added, item]).encode()))
        if size > MOST_PACKED_BYTES:
            break
        rules += added
        written.append(item)
    return rules, written


def _rule(rule: SarifRule) -> dict[str, Any]:
    title, reason, remedy = (visible(text, _MOST_TEXT) for text in (rule.title, rule.reason, rule.remedy))
    described: dict[str, Any] = {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in visible(rule.name, _MOST_TITLE).split("-")),
        "shortDescription": {"text": title or visible(rule.name, _MOST_TITLE)},
        "fullDescription": {"text": reason or title},
        "help": {"text": "\n\n".join(part for part in (reason, remedy) if part) or title},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "security-severity": SCORES[rule.severity],
            "precision": "high",
            "tags": list(dict.fromkeys(["security", *(visible(tag, _MOST_TITLE) for tag in rule.tags)]))[:_MOST_TAGS],
        },
    }
    if rule.help_markdown:
        described["help"]["markdown"] = rule.help_markdown
    if rule.help_uri.startswith("https://"):
        described["helpUri"] = quote(rule.help_uri, safe=":/?#[]@!$&'()*+,;=%-._~")
    return described


def _result(result: SarifResult, index: int, folder: str, *, has_accepted: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "ruleId": result.rule.id,
        "ruleIndex": index,
        "level": LEVELS[result.rule.severity],
        "message": {"text": _message(result.message)},
        "locations": [_location(result.place, folder)],
        "partialFingerprints": {"primaryLocationLineHash": result.fingerprint, "driftwise/v1": result.fingerprint},
        "properties": {**result.properties, "severity": result.rule.severity},
    }
    if has_accepted:  # some with and some without would read as unknown. Source: SARIF 3.27.23
        why = None if result.accepted is None else visible(result.accepted, _MOST_TEXT)
        written["suppressions"] = (
            [] if why is None else [{"kind": "external", "status": "accepted", "justification": why or "accepted"}]
        )
    return written


def _message(text: str) -> str:
    """Return text in which nothing is a link: `[text](target)` is one in a message. Source: SARIF 3.11.6."""
    lines = [visible(line) for line in text[:_MOST_MESSAGE].split("\n")]
    return "\n".join(lines).replace("](", "] (")


def _location(place: str, folder: str) -> dict[str, Any]:
    name = visible(place, _MOST_TEXT)
    file = quote(name, safe="") if name.strip(".") else "whole"
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": f"{folder}/{file}"},
            "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
        }
    }
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    return location


def _origin(provenance: Mapping[str, str]) -> dict[str, str]:
    """Return where the run's input comes from; nothing without a plain https address."""
    url = provenance.get("url", "")
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        return {}
    origin = {"repositoryUri": quote(url, safe=":/?#[]@!$&'()*+,;=%-._~")}
    for ours, theirs in (("revision", "revisionId"), ("branch", "branch")):
        if provenance.get(ours):
            origin[theirs] = visible(provenance[ours], _MOST_TITLE)
    return origin
