"""Whole plans of Google Cloud and Azure give the findings that were written down before the rules were."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan

FOLDER = Path(__file__).parents[2] / "fixtures" / "plans"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_plan_gives_exactly_the_findings_that_were_expected(name: str) -> None:
    verdict = judge_plan(read_plan((FOLDER / f"{name}.json").read_bytes()))
    found: dict[str, list[str]] = defaultdict(list)
    for item in verdict.findings:
        if item.flag != "mass-change":
            found[item.address].append(f"{item.flag} {item.severity}")
    assert {address: sorted(flags) for address, flags in found.items()} == EXPECTED[name]["findings"]
    assert verdict.level == EXPECTED[name]["level"]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_same_updates_the_other_way_round_are_never_flagged(name: str) -> None:
    plan = read_plan((FOLDER / f"{name}.json").read_bytes())
    back = tuple(
        replace(change, before=change.after, after=change.before) for change in plan.changes if change.is_update
    )
    found = [(item.address, item.flag) for item in judge_plan(replace(plan, changes=back, drift=())).findings]
    assert [item for item in found if item[1] not in {"dns-change", "unknown-value"}] == []
