"""Plans that a real Terraform made give the findings that were written down before the rules saw them, and no others."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan
from tests.support.plan_cases import EXPECTED, problems
from tests.support.record_plans import FOLDER, NAMES


def test_every_case_has_its_expectation() -> None:
    assert sorted(EXPECTED) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_plan_gives_the_findings_that_were_expected(name: str) -> None:
    found = list(problems(name, (FOLDER / name / "plan.json").read_bytes()))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_members_and_of_resources_carries_no_meaning(name: str) -> None:
    document = json.loads((FOLDER / name / "plan.json").read_bytes())
    mixed = _mixed(document, random.Random(name))
    mixed["resource_changes"].reverse()
    assert judge_plan(read_plan(mixed)) == judge_plan(read_plan(document))


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_plan_names_no_machine(name: str) -> None:
    text = (FOLDER / name / "plan.json").read_text("utf-8")
    assert "127.0.0.1" not in text
    assert "/tmp" not in text  # noqa: S108 -- looked for, not used
    assert "/root" not in text


def _mixed(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        order.shuffle(names)
        return {name: _mixed(value[name], order) for name in names}
    return [_mixed(item, order) for item in value] if isinstance(value, list) else value
