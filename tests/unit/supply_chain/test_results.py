"""What was not run is never a pass; what stands has a reason, and goes when nothing needs it any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from infra.supply_chain import accepted
from infra.supply_chain.accepted import Accepted, AcceptedError
from infra.supply_chain.checks import CHECKS, Check, run
from infra.supply_chain.results import Finding, Result, ScannerBroken, ScannerMissing, Verdict, status, table

TODAY = date(2026, 11, 26)
FOUND = Finding("functions/a.py", "R1", "unsafe", 3)


def result(verdict: Verdict) -> Result:
    return Result("a-check", verdict, "why")


@pytest.mark.parametrize(
    ("verdicts", "allowed", "expected"),
    [
        ([], False, 0),
        ([Verdict.PASSED], False, 0),
        ([Verdict.PASSED, Verdict.NOT_RUN], False, 3),
        ([Verdict.PASSED, Verdict.NOT_RUN], True, 0),
        ([Verdict.NOT_RUN, Verdict.FAILED], False, 1),
        ([Verdict.NOT_RUN, Verdict.FAILED], True, 1),
    ],
)
def test_the_status_tells_failed_from_not_run(verdicts: list[Verdict], allowed: bool, expected: int) -> None:
    assert status([result(verdict) for verdict in verdicts], allow_not_run=allowed) == expected


def test_the_table_says_what_was_found_and_why_something_was_not_run() -> None:
    results = [
        Result("one", Verdict.FAILED, "1 found", (FOUND,), 1.25),
        Result("another", Verdict.NOT_RUN, "its data is away"),
    ]
    text = table(results)
    assert "one: functions/a.py:3: R1: unsafe\n" in text
    assert "another  not run     0.0 s  its data is away\n" in text
    assert text.endswith("supply chain: 0 passed, 1 failed, 1 not run\n")


# One check: its planted defect first


def plant(root: Path) -> None:
    (root / "planted").write_text("")


def check_of(*, sees: bool = True, real: tuple[Finding, ...] = (), needs: str | None = None) -> Check:
    def scan(root: Path) -> Iterator[Finding]:
        if (root / "planted").exists():
            yield from (FOUND,) if sees else ()
        else:
            yield from real

    return Check("a-check", "unsafe things", scan, plant, needs=needs)


def test_a_clean_tree_passes(tmp_path: Path) -> None:
    assert run(check_of(), tmp_path, [], TODAY).verdict is Verdict.PASSED


def test_a_finding_fails(tmp_path: Path) -> None:
    done = run(check_of(real=(FOUND, FOUND)), tmp_path, [], TODAY)
    assert (done.verdict, done.findings) == (Verdict.FAILED, (FOUND,))


def test_a_scanner_that_does_not_see_its_planted_defect_is_not_believed(tmp_path: Path) -> None:
    done = run(check_of(sees=False), tmp_path, [], TODAY)
    assert done.verdict is Verdict.FAILED
    assert "planted" in done.why


def test_a_scanner_without_its_data_was_not_run(tmp_path: Path) -> None:
    done = run(check_of(sees=False, needs="the database"), tmp_path, [], TODAY)
    assert done.verdict is Verdict.NOT_RUN
    assert "the database" in done.why


@pytest.mark.parametrize(
    ("raised", "verdict"),
    [(ScannerMissing("it is away"), Verdict.NOT_RUN), (ScannerBroken("it fell over"), Verdict.FAILED)],
)
def test_a_scanner_that_is_away_was_not_run_and_one_that_broke_failed(
    tmp_path: Path, raised: Exception, verdict: Verdict
) -> None:
    def scan(root: Path) -> list[Finding]:
        raise raised

    done = run(Check("a-check", "unsafe things", scan, plant), tmp_path, [], TODAY)
    assert (done.verdict, done.why) == (verdict, str(raised))


# What may stand

STANDS = Accepted("a-check", "R?", "functions/*.py", "a reason that somebody can judge")


def test_what_is_accepted_passes_and_is_counted(tmp_path: Path) -> None:
    done = run(check_of(real=(FOUND,)), tmp_path, [STANDS], TODAY)
    assert (done.verdict, done.why) == (Verdict.PASSED, "unsafe things: none, 1 accepted")


@pytest.mark.parametrize(
    "other",
    [
        Accepted("another", "R?", "functions/*.py", STANDS.reason),
        Accepted("a-check", "X?", "functions/*.py", STANDS.reason),
        Accepted("a-check", "R?", "shared/*.py", STANDS.reason),
        Accepted("a-check", "R?", "functions/*.py", STANDS.reason, until=date(2026, 11, 25)),
    ],
)
def test_what_is_accepted_stands_for_its_check_rule_place_and_time_alone(tmp_path: Path, other: Accepted) -> None:
    assert FOUND in run(check_of(real=(FOUND,)), tmp_path, [other], TODAY).findings


def test_what_nothing_needs_any_more_fails(tmp_path: Path) -> None:
    done = run(check_of(), tmp_path, [STANDS], TODAY)
    assert (done.verdict, [item.rule for item in done.findings]) == (Verdict.FAILED, ["not needed"])


@pytest.mark.parametrize(
    "text",
    [
        '[[a]]\nrule = "R"\nplace = "p"\n',
        '[[a]]\nrule = "R"\nplace = "p"\nreason = "because"\n',
        '[[a]]\nrule = "*"\nplace = "*"\nreason = "a reason that somebody can judge"\n',
    ],
)
def test_nothing_is_accepted_without_a_reason_or_everywhere(text: str) -> None:
    with pytest.raises(AcceptedError):
        accepted.read(text)


def test_what_this_tree_accepts_is_of_checks_that_exist() -> None:
    stands = accepted.read(accepted.FILE.read_text("utf-8"))
    assert {entry.check for entry in stands} <= {check.name for check in CHECKS}
