"""Findings that stand, each with its reason: `accepted.toml`. One that nothing needs any more fails, like a finding."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .results import Finding

FILE = Path(__file__).with_name("accepted.toml")
_SHORTEST_REASON = 15


class AcceptedError(Exception):
    """The file says something that it may not say."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One finding, or one kind of findings, that stands.

    Attributes:
        check: name of the check.
        rule: pattern of the scanner's rule (`*` and `?`).
        place: pattern of the place.
        reason: why it may stand.
        until: the last day on which it does; None for as long as it is true.
    """

    check: str
    rule: str
    place: str
    reason: str
    until: date | None = None

    def covers(self, check: str, finding: Finding, today: date) -> bool:
        """Whether a finding is one of these."""
        return (
            self.check == check
            and fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.place, self.place)
            and (self.until is None or today <= self.until)
        )


def read(text: str) -> list[Accepted]:
    """Read the file's text.

    Raises:
        AcceptedError: an entry has no reason worth the name, or accepts everything.
    """
    return [_entry(check, item) for check, items in tomllib.loads(text).items() for item in items]


def sift(
    check: str, findings: Iterable[Finding], accepted: Sequence[Accepted], today: date
) -> tuple[list[Finding], list[Accepted]]:
    """Take the accepted ones away.

    Args:
        check: name of the check.
        findings: what its scanner found.
        accepted: every entry of the file.
        today: what `until` is compared with.

    Returns:
        What remains, sorted, and the entries that really stood for something.
    """
    left: list[Finding] = []
    used: list[Accepted] = []
    for finding in findings:
        covering = [entry for entry in accepted if entry.covers(check, finding, today)]
        used += covering
        if not covering:
            left.append(finding)
    return sorted(set(left)), used


def stale(check: str, accepted: Sequence[Accepted], used: Sequence[Accepted]) -> list[Finding]:
    """Return a finding for each entry that stood for nothing."""
    return [
        Finding(FILE.name, "not needed", f"nothing is found any more for {entry.rule} in {entry.place}: take it out")
        for entry in accepted
        if entry.check == check and entry not in used
    ]


def _entry(check: str, item: Mapping[str, Any]) -> Accepted:
    try:
        entry = Accepted(check, item["rule"], item["place"], item["reason"], item.get("until"))
    except KeyError as error:
        raise AcceptedError(f"{check}: an entry has no {error}") from error
    if len(entry.reason) < _SHORTEST_REASON:
        raise AcceptedError(f"{check}: {entry.rule} in {entry.place} is accepted without a reason")
    if not entry.rule.strip("*?") and not entry.place.strip("*?/"):
        raise AcceptedError(f"{check}: an entry accepts everything")
    return entry
