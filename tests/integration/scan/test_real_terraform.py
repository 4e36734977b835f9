"""What Terraform does today with the recorded configurations: an apply shows no drift, a plan is judged as the recorded one.

The AWS provider waits a minute and more for every database that it makes, so several run side by side, each against an account of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_plan
from tests.support.aws_account import (
    FIXTURES,
    Expected,
    ProviderUnavailable,
    drifts,
    moto_account,
    scan,
    terraform_apply,
    why_no_terraform,
)
from tests.support.made_by_aws import keys_of_aws, made_by_services
from tests.support.plan_cases import outline, problems
from tests.support.record_plans import FOLDER, make_plan

_AT_ONCE = 3  # each is a provider and a server with one and a half GB between them
GROUPS = sorted(path.parent.name for path in FIXTURES.glob("*/requests.jsonl.gz"))
# One with ids of what exists, one with steps between apply and plan, one with values that are not known.
CASES = ("modules", "drift", "unknown")

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(why_no_terraform() is not None, reason=str(why_no_terraform())),
]


def drifts_after_apply(group: str, work: Path) -> Expected:
    """Apply a group's configuration and scan; returns the drifts but those of what AWS made for itself."""
    with moto_account() as endpoint:
        state = terraform_apply(FIXTURES / group, endpoint, work)
        return drifts(state, scan(endpoint)) - keys_of_aws(endpoint) - made_by_services(endpoint)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Any]]]:
    """What comes of the runs that the selected tests ask for, longest first; by the group's or the case's name."""
    runs: dict[str, Callable[[str, Path], Any]] = {
        **dict.fromkeys(CASES, make_plan),
        **dict.fromkeys(GROUPS, drifts_after_apply),
    }
    asked = {
        item.callspec.params["name"]
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function)
    }
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {
            name: pool.submit(run, name, tmp_path_factory.mktemp(name)) for name, run in runs.items() if name in asked
        }
        pool.shutdown(cancel_futures=True)


def outcome(found: Future[Any]) -> Any:
    try:
        return found.result()
    except ProviderUnavailable as error:
        pytest.skip(
            f"Terraform's AWS provider is not available; DRIFTWISE_TF_MIRROR may name a mirror: {str(error)[:200]}"
        )


@pytest.mark.parametrize("name", CASES)
def test_a_plan_made_anew_is_judged_as_the_recorded_one(name: str, outcomes: Mapping[str, Future[Any]]) -> None:
    plan = outcome(outcomes[name])
    assert list(problems(name, plan)) == []
    recorded = judge_plan(read_plan((FOLDER / name / "plan.json").read_bytes()))
    assert outline(judge_plan(read_plan(plan))) == outline(recorded)


@pytest.mark.parametrize("name", GROUPS)
def test_real_apply_shows_no_drift(name: str, outcomes: Mapping[str, Future[Any]]) -> None:
    assert outcome(outcomes[name]) == set()
