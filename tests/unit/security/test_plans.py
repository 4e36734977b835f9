"""What each plan allows, against the product's table as it is written for customers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.security import plans
from shared.security.plans import FeatureRequired, LimitReached, ModelCallsUsed, Plan, has_feature, limit_of

# The contract, as its page says it: columns are free, team, enterprise; None is "no limit".
CONTRACT: dict[str, tuple[int | None, int | None, int | None]] = {
    "cloud_accounts": (1, 10, None),
    "state_sources": (1, 10, None),
    "schedules": (1, 20, None),
    "api_keys": (2, 10, None),
    "seats": (1, 10, None),
    "concurrent_scans": (1, 20, None),
}
NAMES: tuple[Plan, ...] = ("free", "team", "enterprise")
FEATURES = {"saml": "no yes yes", "slack": "no yes yes", "compliance": "no yes yes", "scim": "no no yes"}


def test_the_limits_are_those_of_the_contract() -> None:
    found = {name: tuple(limit_of(name, plan).most for plan in NAMES) for name in plans.LIMITS}
    assert found == CONTRACT


def test_intervals_history_model_calls_and_windows_are_those_of_the_contract() -> None:
    hours = [plans.SHORTEST_INTERVALS[plan] / timedelta(hours=1) for plan in NAMES]
    assert hours == [24, 1, pytest.approx(5 / 60)]
    assert [plans.HISTORY[plan] for plan in NAMES] == [timedelta(hours=24), timedelta(days=30), None]
    assert [plans.MODEL_CALLS[plan] for plan in NAMES] == [(5, "week"), (20, "hour"), None]
    assert {"team": timedelta(days=30), "enterprise": None} == plans.COMPLIANCE_WINDOWS


@pytest.mark.parametrize("feature", FEATURES)
def test_the_features_are_those_of_the_contract(feature: str) -> None:
    assert set(plans.FEATURES) == set(FEATURES)
    for plan, word in zip(NAMES, FEATURES[feature].split(), strict=True):
        assert has_feature(feature, plan) is (word == "yes"), plan
        if word == "yes":
            plans.require_feature(feature, plan)
            continue
        with pytest.raises(FeatureRequired) as caught:
            plans.require_feature(feature, plan)
        facts = caught.value.facts
        assert (facts["required_feature"], facts["used"], facts["cap"]) == (feature, 0, 0)
        assert has_feature(feature, str(facts["required_plan"])), "the plan that is named does not have it either"


@pytest.mark.parametrize("name", CONTRACT)
def test_a_dearer_plan_never_allows_less(name: str) -> None:
    caps = [limit_of(name, plan).most for plan in NAMES]
    numbers = [float("inf") if cap is None else cap for cap in caps]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("used, is_reached", [(0, False), (1, False), (2, True), (3, True)])
def test_a_limit_is_reached_when_one_more_would_be_too_many(used: int, is_reached: bool) -> None:
    assert limit_of("api_keys", "free").is_reached(used) is is_reached
    assert not limit_of("api_keys", "enterprise").is_reached(10**9)


@pytest.mark.parametrize(
    "name, plan, used, needed",
    [("api_keys", "free", 2, "team"), ("api_keys", "free", 9, "team"), ("api_keys", "free", 10, "enterprise"),
     ("api_keys", "team", 10, "enterprise"), ("seats", "free", 15, "enterprise")],
)  # fmt: skip
def test_a_refusal_names_the_cheapest_plan_that_would_allow_it(name: str, plan: str, used: int, needed: str) -> None:
    limit = limit_of(name, plan)
    error = LimitReached(limit, used)
    assert error.status == 402
    assert error.facts == {"limit": name, "plan": plan, "required_plan": needed, "used": used, "cap": limit.most}


def test_no_plan_is_named_for_what_the_plan_allows() -> None:
    assert limit_of("seats", "team").plan_for(10) is None
    assert limit_of("seats", "enterprise").plan_for(10**6) is None


def test_a_limit_feature_or_plan_nobody_wrote_down_is_an_error_and_not_unlimited() -> None:
    for ask in (
        lambda: limit_of("moon_landings", "free"),
        lambda: limit_of("api_keys", "gold"),
        lambda: has_feature("moon", "free"),
        lambda: has_feature("saml", "gold"),
    ):
        with pytest.raises(KeyError):
            ask()


def test_every_402_says_what_would_help_and_what_is_used() -> None:
    """Whatever a function refuses for the plan's sake is one of three kinds, and each carries the facts."""
    import functions.auth.errors
    import functions.keys.errors
    import functions.scan.errors
    from shared.http.errors import AppError

    def below(kind: type[Any]) -> set[type[Any]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    for_the_plan = {kind for kind in below(AppError) if kind.status == 402}
    assert {functions.keys.errors.KeyLimitReached, FeatureRequired, ModelCallsUsed} < for_the_plan
    assert for_the_plan <= below(plans.PlanRefused)
    for kind in for_the_plan - {plans.PlanRefused}:
        error: AppError
        if issubclass(kind, LimitReached):
            error = kind(limit_of("seats", "free"), 1)
        elif kind is FeatureRequired:
            error = kind("saml", "free")
        elif kind is functions.scan.errors.IntervalTooShort:
            error = kind("free", timedelta(hours=1), timedelta(hours=24))
        elif kind is functions.auth.errors.AuditWindowTooLong:
            error = kind("team", used_days=31, cap_days=30)
        else:
            error = kind("free", used=5, cap=5, window="week", resets_at="2026-01-05T00:00:00+00:00")
        assert {"used", "cap"} <= set(error.facts), kind
        assert {"required_plan", "required_feature"} & set(error.facts), kind
        assert error.code != "internal_error", f"{kind} has no code of its own"
