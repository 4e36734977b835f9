"""What becomes of a new revision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.deploy.canary import Calls, Decision, Objective, judge

OBJECTIVE = Objective(availability=0.999, step_seconds=600)
CALM = Calls(10_000, 1)
calls = st.integers(0, 100_000).flatmap(lambda total: st.builds(Calls, st.just(total), st.integers(0, total)))


@pytest.mark.parametrize(
    ("canary", "stable", "elapsed", "decision"),
    [
        (Calls(1_000, 0), CALM, 30, Decision.WAIT),
        (Calls(1_000, 0), CALM, 600, Decision.PROMOTE),
        (Calls(1_000, 20), CALM, 30, Decision.ROLL_BACK),
        (Calls(1_000, 8), CALM, 30, Decision.WAIT),
        (Calls(1_000, 8), CALM, 600, Decision.ROLL_BACK),
        (Calls(1_000, 1), CALM, 600, Decision.PROMOTE),
        (Calls(0, 0), CALM, 30, Decision.WAIT),
        (Calls(0, 0), CALM, 600, Decision.PROMOTE),
        (Calls(10, 1), CALM, 600, Decision.PROMOTE),
        (Calls(10, 10), CALM, 30, Decision.WAIT),
        (Calls(10, 10), CALM, 600, Decision.ROLL_BACK),
        (Calls(1_000, 20), Calls(20_000, 400), 30, Decision.WAIT),
        (Calls(1_000, 20), Calls(20_000, 400), 600, Decision.PROMOTE),
        (Calls(1_000, 50), Calls(20_000, 400), 30, Decision.ROLL_BACK),
    ],
    ids=[
        "it is early", "all is well", "it burns fast", "it burns slowly, and it is early", "it burned slowly for a whole step",
        "as many fail as may", "nobody called yet", "nobody called", "one failure says nothing", "few calls, and it is early",
        "every call fails", "the old one burns as fast", "and still does", "the old one burns, this one more",
    ],
)  # fmt: skip
def test_decisions(canary: Calls, stable: Calls, elapsed: float, decision: Decision) -> None:
    assert judge(canary, stable, OBJECTIVE, elapsed) is decision


@given(calls, calls, st.floats(0, 10_000))
def test_a_step_that_is_over_is_decided(canary: Calls, stable: Calls, elapsed: float) -> None:
    decided = judge(canary, stable, OBJECTIVE, elapsed)
    assert (decided is Decision.PROMOTE) <= (elapsed >= OBJECTIVE.step_seconds)
    assert (elapsed >= OBJECTIVE.step_seconds) <= (decided is not Decision.WAIT)


@given(calls, st.floats(0, 10_000))
def test_who_fails_less_is_never_judged_worse(canary: Calls, elapsed: float) -> None:
    better = Calls(canary.total, canary.failed // 2)
    if judge(better, CALM, OBJECTIVE, elapsed) is Decision.ROLL_BACK:
        assert judge(canary, CALM, OBJECTIVE, elapsed) is Decision.ROLL_BACK


@pytest.mark.parametrize("availability", [0, 1, 99.9])
def test_an_objective_is_a_share(availability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Objective(availability, 600)
