"""The clock's call: every schedule that is due starts one scan, however many runs were missed; so does every asset feed that is due.

A tick that comes twice, or beside another one, starts nothing twice: each is looked at under its lock, and is not due any more
once it had its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import AppError
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.security.plans import SHORTEST_INTERVALS, limit_of
from shared.telemetry.log import logger

from ..domain.schedules import CronRefused, catch_up, timetable_of
from ..errors import ScanInProgress, ScanLimitReached
from ..queries import accounts as account_queries
from ..queries import asset_feeds as feed_queries
from ..queries import schedules as queries
from ..starting import begin
from ..turns import switch_off
from ..wiring import ScanDeps
from .feed_turns import take_feed_turn

_ORGS_PER_PAGE, _MOST_OF_ORG = 200, 100
_RUN_SECONDS = 240.0
_log = logger("scan")


def run_due_schedules(call: Call, deps: ScanDeps) -> Reply:
    """Give every schedule and every asset feed that is due its turn; what waits or fails, or is left when time is up, has it with the next tick."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    now = deps.clock.now()
    started = 0
    for kind in _KINDS:
        after_id = None
        while orgs := kind.list_orgs(deps.db, now=now, after_id=after_id, most=_ORGS_PER_PAGE):
            for org in orgs:
                if deps.clock.monotonic_seconds() >= ends_at:
                    return Reply.ok({"started": started, "is_complete": False})
                started += _turns(call, deps, kind, org, now)
            after_id = orgs[-1]["org_id"]
    return Reply.ok({"started": started, "is_complete": True})


def _turns(call: Call, deps: ScanDeps, kind: _Kind, org: Row, now: datetime) -> int:
    with deps.db.unit_in(org["org_id"], call.actor) as tx:
        due = kind.list_due(tx, now=now, most=_MOST_OF_ORG)
    return sum(_turn(call, deps, kind, org, one, now) for one in due)


def _turn(call: Call, deps: ScanDeps, kind: _Kind, org: Row, due_id: UUID, now: datetime) -> int:
    """Give one schedule or feed its turn, in a transaction of its own; returns how many scans it started."""
    try:
        with deps.db.unit_in(org["org_id"], call.actor) as tx:
            return kind.take(tx, due_id, org["plan"], now)
    except NotFound:
        return 0  # deleted in between
    except AppError as error:  # one that fails keeps no other from its turn
        _log.error("no turn", kind=kind.name, due_id=str(due_id), code=error.code)
        return 0


def _take_schedule_turn(tx: UnitOfWork, schedule_id: UUID, plan: str, now: datetime) -> int:
    row = queries.lock_schedule(tx, schedule_id)
    if row["next_run_at"] is None or row["next_run_at"] > now:
        return 0  # another tick was first
    return _take(tx, row, plan, now)


def _take(tx: UnitOfWork, row: Row, plan: str, now: datetime) -> int:
    due_at = row["next_run_at"]
    next_run_at = _next(row, plan, now)
    if next_run_at is None:
        switch_off(tx, row, "never", now=now)
        return 0
    account_queries.lock_plan(tx)
    scan_id: UUID | None = None
    if limit_of("schedules", plan).is_reached(queries.count_older(tx, row["id"])):
        outcome = "over_plan"
    else:
        try:
            requested_by = f"schedule:{row['id']}"
            scan_id, outcome = begin(tx, row["account_id"], requested_by=requested_by, plan=plan)["id"], "running"
        except ScanInProgress:
            # Nothing to make up for. A scan of the schedule's own that goes on still counts when it ends.
            outcome = "running" if row["last_outcome"] == "running" else "skipped"
        except ScanLimitReached:
            queries.set_waiting(tx, row["id"])
            return 0
    queries.set_turn(tx, row["id"], due_at=due_at, next_run_at=next_run_at, outcome=outcome, scan_id=scan_id)
    return 1 if scan_id else 0


def _next(row: Row, plan: str, now: datetime) -> datetime | None:
    try:
        return catch_up(timetable_of(row), row["next_run_at"], now=now, shortest=SHORTEST_INTERVALS[plan])
    except CronRefused:  # it was taken once: whoever reads expressions has changed since
        return None


class _ListOrgs(Protocol):
    def __call__(self, db: Lookups, *, now: datetime, after_id: UUID | None, most: int) -> Sequence[Row]: ...


class _ListDue(Protocol):
    def __call__(self, tx: UnitOfWork, *, now: datetime, most: int) -> Sequence[UUID]: ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of what starts scans by itself: who has something due, what it is, and its turn."""

    name: str
    list_orgs: _ListOrgs
    list_due: _ListDue
    take: Callable[[UnitOfWork, UUID, str, datetime], int]


_KINDS = (
    _Kind("schedule", queries.list_orgs_due, queries.list_due, _take_schedule_turn),
    _Kind("asset_feed", feed_queries.list_orgs_with_due_feeds, feed_queries.list_due_feeds, take_feed_turn),
)
