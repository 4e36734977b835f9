"""What becomes of a new revision that gets a share of the calls: decides, asks nobody.

The measure is the burn rate: how fast failures use up what the objective allows. At a burn rate of 1 the whole month's allowance lasts a month.
Source: Google, The Site Reliability Workbook, chapter 5 (14.4: two percent of a month's allowance in an hour; 6: five percent in six hours).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_FAST_BURN = 14.4
_SLOW_BURN = 6.0
_LEAST_CALLS = 50  # below that one failure says nothing
_WORSE = 2.0  # how much worse than the revision beside it: what fails everywhere is not the canary's doing


class Decision(Enum):
    """What to do next."""

    WAIT = "wait"
    PROMOTE = "promote"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Calls:
    """What a revision answered.

    Attributes:
        total: calls.
        failed: those answered with 5xx.
    """

    total: int
    failed: int

    def __add__(self, other: Calls) -> Calls:
        return Calls(self.total + other.total, self.failed + other.failed)

    @property
    def failing(self) -> float:
        """The share that failed; 0 without calls."""
        return self.failed / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Objective:
    """What was promised, and how long a step is watched.

    Attributes:
        availability: share of calls that succeed, below 1, e.g. 0.999.
        step_seconds: how long a share of the calls is watched before it grows.
    """

    availability: float
    step_seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.availability < 1:
            raise ValueError("an availability is between 0 and 1")

    def burn(self, calls: Calls) -> float:
        """Return the burn rate of these calls."""
        return calls.failing / (1 - self.availability)


def judge(canary: Calls, stable: Calls, objective: Objective, elapsed_seconds: float) -> Decision:
    """Decide about a new revision.

    Rolled back at once is what burns fast, or slowly by the end of the step; not so what burns as fast beside it. A step that is over without
    enough calls to say anything goes on to the next, larger share, unless every call of it failed.

    Args:
        canary: what the new revision answered since the step began.
        stable: what the one beside it answered.
        objective: what was promised.
        elapsed_seconds: since the step began.
    """
    is_over = elapsed_seconds >= objective.step_seconds
    if canary.total < _LEAST_CALLS:
        if not is_over:
            return Decision.WAIT
        return Decision.ROLL_BACK if canary.total and canary.failed == canary.total else Decision.PROMOTE
    limit = _SLOW_BURN if is_over else _FAST_BURN
    if objective.burn(canary) >= limit and canary.failing >= _WORSE * stable.failing:
        return Decision.ROLL_BACK
    return Decision.PROMOTE if is_over else Decision.WAIT
