"""A plan that Terraform makes today is judged as the recorded one of the same case was."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan
from tests.support.aws_account import ProviderUnavailable, why_no_terraform
from tests.support.plan_cases import outline, problems
from tests.support.record_plans import FOLDER, make_plan

# One with ids of what exists, one with steps between apply and plan, one with values that are not known.
CASES = ("modules", "drift", "unknown")


@pytest.mark.terraform
@pytest.mark.skipif(why_no_terraform() is not None, reason=str(why_no_terraform()))
@pytest.mark.parametrize("name", CASES)
def test_a_plan_made_anew_is_judged_as_the_recorded_one(name: str, tmp_path: Path) -> None:
    try:
        plan = make_plan(name, tmp_path)
    except ProviderUnavailable as error:
        pytest.skip(
            f"Terraform's AWS provider is not available; DRIFTWISE_TF_MIRROR may name a mirror: {str(error)[:200]}"
        )
    assert list(problems(name, plan)) == []
    recorded = judge_plan(read_plan((FOLDER / name / "plan.json").read_bytes()))
    assert outline(judge_plan(read_plan(plan))) == outline(recorded)
