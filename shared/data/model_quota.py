"""Calls to the platform's own language model: counted per organisation, refused where the plan's window is used up.

Every call is counted in the hour and in the ISO week, both in the caller's transaction: whatever plan an organisation changes
to, its gate knows what was used. A model key of the organisation's own has no cap and is not counted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.security.plans import MODEL_CALLS, ModelCallsUsed, Window

from . import statements

if TYPE_CHECKING:
    from .unit_of_work import UnitOfWork

_LENGTHS: dict[Window, timedelta] = {"hour": timedelta(hours=1), "week": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Windows:
    """When the windows of a moment began: its hour, and its week from Monday 00:00 (ISO 8601), in UTC."""

    hour: datetime
    week: datetime

    @classmethod
    def at(cls, now: datetime) -> Windows:
        """Return the windows of a moment.

        Args:
            now: aware UTC.
        """
        hour = now.replace(minute=0, second=0, microsecond=0)
        return cls(hour, hour.replace(hour=0) - timedelta(days=now.weekday()))

    def ends(self, window: Window) -> datetime:
        """Return when a window ends."""
        start = self.hour if window == "hour" else self.week
        return start + _LENGTHS[window]


def take_model_call(tx: UnitOfWork, plan: str, *, now: datetime) -> None:
    """Charge one call to the plan's gate, or refuse it at no cost; counts once the unit of work commits.

    Holds the organisation's counters until then, so commit before the model is asked.

    Args:
        tx: a unit of work of a function that may write `core.model_calls`.
        plan: the organisation's.
        now: time of the call, aware UTC.

    Raises:
        ModelCallsUsed: (402 `model_calls_used`).
    """
    windows = Windows.at(now)
    starts = {"hour": windows.hour, "week": windows.week}
    used = {row["period"]: row["used"] for row in tx.rows(statements.HOLD_MODEL_CALLS, **starts)}
    gate = MODEL_CALLS[plan]
    if gate is not None:
        cap, window = gate
        if used[window] >= cap:
            resets_at = windows.ends(window).isoformat()
            raise ModelCallsUsed(plan, used=used[window], cap=cap, window=window, resets_at=resets_at)
    tx.execute(statements.CHARGE_MODEL_CALL, **starts)
