"""What each plan allows, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NEXT_PLAN = {"free": "team", "team": "enterprise", "enterprise": "enterprise"}
_LIMITS: Mapping[str, Mapping[str, int | None]] = {
    "api_keys": {"free": 2, "team": 10, "enterprise": None},
    "cloud_accounts": {"free": 1, "team": 10, "enterprise": None},
    "state_sources": {"free": 1, "team": 10, "enterprise": None},
    "concurrent_scans": {"free": 1, "team": 20, "enterprise": None},
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one plan.

    Attributes:
        most: how many; None for no limit.
        next_plan: the plan that allows more.
    """

    most: int | None
    next_plan: str

    def is_reached(self, used: int) -> bool:
        """Whether one more would be too many."""
        return self.most is not None and used >= self.most


def limit_of(name: str, plan: str) -> Limit:
    """Return a plan's limit by name."""
    return Limit(_LIMITS[name][plan], _NEXT_PLAN[plan])
