"""Units of a quota that the limiter's server charged ahead, for this process to hand out by itself for a moment.

Owns who gets how many. Owns no count: a unit is handed out only after it was charged, so nobody gets more than a quota. What
is not handed out in time is lost to the caller: so one gets only as many as it was busy to spend a moment ago, and the
server grants them only while nearly all of a quota is left. See ADR-0012.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

LEASE_SECONDS = 1.0
MOST_CALLERS = 5000

_Terms = TypeVar("_Terms")


@dataclass(slots=True)
class _Lease(Generic[_Terms]):
    """What this process holds for one caller.

    Attributes:
        terms: what the server said when it granted the lease.
        units: what is still to be handed out.
        ends_at: from when on nothing is handed out (monotonic seconds).
        asked_at: when the server was last asked for a lease.
        spent: units that were spent since, those of that call included.
        is_asking: somebody is asking for the next lease.
    """

    asked_at: float
    spent: int
    terms: _Terms | None = None
    units: int = 0
    ends_at: float = 0.0
    is_asking: bool = False

    def demand(self, now: float) -> int:
        """Return how many units the caller is going to spend: as many as lately, twice that when it is ahead of the time."""
        if now - self.asked_at >= 2 * LEASE_SECONDS:
            return 0
        return self.spent if now - self.asked_at >= LEASE_SECONDS else 2 * self.spent


class Leases(Generic[_Terms]):
    """The leases of one process. Safe to share between threads; times are monotonic seconds."""

    def __init__(self) -> None:
        self._leases: OrderedDict[Hashable, _Lease[_Terms]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: Hashable, cost: int, now: float) -> tuple[_Terms, int] | None:
        """Hand units out.

        Returns:
            The lease's terms and how many units are left of it; None when the server has to be asked.
        """
        with self._lock:
            lease = self._leases.get(caller)
            if lease is None or lease.terms is None or lease.units < cost or now >= lease.ends_at:
                return None
            lease.units -= cost
            lease.spent += cost
            return lease.terms, lease.units

    def begin(self, caller: Hashable, now: float) -> int:
        """Begin to ask the server; returns how many units to ask for besides what the call costs. `end` must follow."""
        with self._lock:
            lease = self._leases.get(caller)
            if lease is None or lease.is_asking:
                return 0
            demand = lease.demand(now)
            lease.is_asking = demand > 0
            return demand

    def end(self, caller: Hashable, cost: int, asked: int, asked_at: float, grant: tuple[_Terms, int] | None) -> None:
        """Keep what the server granted.

        Args:
            caller: as in `begin`.
            cost: what the call itself cost.
            asked: what `begin` returned.
            asked_at: a moment before the server was asked; the lease is over so many seconds after it.
            grant: the terms and how many units there are; None when the server did not answer.
        """
        with self._lock:
            lease = self._leases.setdefault(caller, _Lease(asked_at, 0))
            self._leases.move_to_end(caller)
            if len(self._leases) > MOST_CALLERS:
                self._leases.popitem(last=False)
            if asked:
                lease.is_asking = False
            if grant is None:
                return
            if asked or asked_at - lease.asked_at >= LEASE_SECONDS:
                lease.asked_at, lease.spent = asked_at, 0
            lease.spent += cost
            if grant[1]:
                lease.terms, lease.units = grant
                lease.ends_at = asked_at + LEASE_SECONDS
