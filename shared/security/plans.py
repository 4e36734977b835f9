"""What each plan allows: one table of every limit and feature, and what a caller hears who wants more.

Owns the numbers and the form of 402 answers. Counts nothing: who asks brings what is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from shared.http.errors import AppError

Plan: TypeAlias = Literal["free", "team", "enterprise"]
Window: TypeAlias = Literal["hour", "week"]
PLANS: tuple[Plan, ...] = ("free", "team", "enterprise")  # each allows what the one before it allows, and more

_DAY = timedelta(days=1)

# How many at a time; None for no limit.
LIMITS: Mapping[str, tuple[int | None, int | None, int | None]] = {
    "cloud_accounts": (1, 10, None),
    "state_sources": (1, 10, None),
    "schedules": (1, 20, None),
    "api_keys": (2, 10, None),
    "seats": (1, 10, None),
    "concurrent_scans": (1, 20, None),
}
# Calls to the platform's language model, in which window; None for by contract. A model key of one's own has no cap.
MODEL_CALLS: Mapping[str, tuple[int, Window] | None] = {"free": (5, "week"), "team": (20, "hour"), "enterprise": None}
SHORTEST_INTERVALS: Mapping[str, timedelta] = {
    "free": _DAY,
    "team": timedelta(hours=1),
    "enterprise": timedelta(minutes=5),
}
# How long scans, drift and analyses are kept; None for ever.
HISTORY: Mapping[str, timedelta | None] = {"free": _DAY, "team": 30 * _DAY, "enterprise": None}
# The first plan that has a feature; dearer ones have it too.
FEATURES: Mapping[str, Plan] = {"saml": "team", "slack": "team", "compliance": "team", "scim": "enterprise"}
# How far back the compliance pack reaches, in the plans that have it; None for all.
COMPLIANCE_WINDOWS: Mapping[str, timedelta | None] = {"team": 30 * _DAY, "enterprise": None}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one plan.

    Attributes:
        most: how many; None for no limit.
    """

    name: str
    plan: str
    most: int | None

    def is_reached(self, used: int) -> bool:
        """Whether one more would be too many."""
        return self.most is not None and used >= self.most

    def plan_for(self, wanted: int) -> str | None:
        """Return the cheapest plan that allows so many; None when this one does."""
        if self.most is None or wanted <= self.most:
            return None
        caps = zip(PLANS, LIMITS[self.name], strict=True)
        return next(plan for plan, most in caps if most is None or wanted <= most)


def limit_of(name: str, plan: str) -> Limit:
    """Return a plan's limit by name."""
    return Limit(name, plan, LIMITS[name][PLANS.index(_known(plan))])


def next_model_plan(plan: str) -> Plan | None:
    """Return the plan that asks our language model more often than this one may; None when this one has no cap."""
    return next((dearer for dearer in PLANS[PLANS.index(_known(plan)) + 1 :]), None)


def has_feature(feature: str, plan: str) -> bool:
    """Say whether a plan includes a feature."""
    return PLANS.index(_known(plan)) >= PLANS.index(FEATURES[feature])


def require_feature(feature: str, plan: str) -> None:
    """Refuse what a plan does not include.

    Raises:
        FeatureRequired: (402 `feature_required`).
    """
    if not has_feature(feature, plan):
        raise FeatureRequired(feature, plan)


class PlanRefused(AppError):
    """402: the plan does not allow it. The answer always says what would, what is used, and the cap."""

    status = 402


class LimitReached(PlanRefused):
    """402: a limit of the plan is used up; functions give each limit its own code."""

    code, title = "limit_reached", "A limit of your plan is used up"

    def __init__(self, limit: Limit, used: int) -> None:
        """Tell which limit.

        Args:
            limit: as `limit_of` gave it.
            used: how many there are without the one that was refused.
        """
        needed = limit.plan_for(used + 1)
        super().__init__(limit=limit.name, plan=limit.plan, required_plan=needed, used=used, cap=limit.most)


class FeatureRequired(PlanRefused):
    """402 `feature_required`: the organisation's plan does not include this."""

    code, title = "feature_required", "Your plan does not include this"

    def __init__(self, feature: str, plan: str) -> None:
        super().__init__(required_feature=feature, required_plan=FEATURES[feature], plan=plan, used=0, cap=0)


class ModelCallsUsed(PlanRefused):
    """402 `model_calls_used`: the platform's language model was asked as often as the plan allows in this window."""

    code, title = "model_calls_used", "Your plan's calls to our language model are used up for now"

    def __init__(self, plan: str, *, used: int, cap: int, window: Window, resets_at: str) -> None:
        super().__init__(
            "a model key of your own has no cap",
            limit="model_calls", plan=plan, required_plan=next_model_plan(plan), used=used, cap=cap, window=window, resets_at=resets_at,
        )  # fmt: skip


def _known(plan: str) -> Plan:
    for known in PLANS:
        if plan == known:
            return known
    raise KeyError(plan)
