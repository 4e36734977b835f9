"""What a check comes to: passed, failed, or not run with the reason. What was not run is never a pass.

Source: infra/adr/0044-supply-chain.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

PASSED_STATUS = 0
FAILED_STATUS = 1
NOT_RUN_STATUS = 3
_SHOWN = 50


class ScannerMissing(Exception):
    """A scanner, or the data that it judges by, is not there; the text says what."""


class ScannerBroken(Exception):
    """A scanner did not run to its end; the text holds the end of what it said."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that a scanner does not like.

    Attributes:
        place: path below the scanned tree, or the name of a distribution.
        rule: the scanner's name of what is wrong.
        text: in words; never a secret itself.
        line: in the file; 0 where there is none.
    """

    place: str
    rule: str
    text: str
    line: int = 0

    def shown(self) -> str:
        """Return it on one line."""
        where = f"{self.place}:{self.line}" if self.line else self.place
        return f"{where}: {self.rule}: {' '.join(self.text.split())}"


class Verdict(Enum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Result:
    """One check, done.

    Attributes:
        name: of the check.
        verdict: what it came to.
        why: one sentence.
        findings: what is wrong, sorted.
        seconds: how long it took.
    """

    name: str
    verdict: Verdict
    why: str
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0


def status(results: Sequence[Result], *, allow_not_run: bool) -> int:
    """Return the exit status: 1 when anything failed, 3 when anything was not run and that was not allowed."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts:
        return FAILED_STATUS
    if Verdict.NOT_RUN in verdicts and not allow_not_run:
        return NOT_RUN_STATUS
    return PASSED_STATUS


def table(results: Sequence[Result]) -> str:
    """Return everything as text: findings first, the table last."""
    lines: list[str] = []
    for result in results:
        lines += [f"{result.name}: {finding.shown()}" for finding in result.findings[:_SHOWN]]
        if len(result.findings) > _SHOWN:
            lines.append(f"{result.name}: and {len(result.findings) - _SHOWN} more")
    width = max((len(result.name) for result in results), default=0)
    lines += [
        f"{result.name:<{width}}  {result.verdict.value:<7}  {result.seconds:6.1f} s  {result.why}"
        for result in results
    ]
    counts = [
        f"{sum(result.verdict is verdict for result in results)} {verdict.value}"
        for verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.NOT_RUN)
    ]
    return "\n".join([*lines, f"supply chain: {', '.join(counts)}"]) + "\n"
