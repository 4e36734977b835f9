"""The clock's call: every schedule that is due starts one scan, however many runs were missed.

A tick that comes twice, or beside another one, starts nothing twice: a schedule is looked at under its lock, and is not due any more
once it had its turn.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
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
from ..queries import schedules as queries
from ..starting import begin
from ..turns import switch_off
from ..wiring import ScanDeps

_ORGS_PER_PAGE, _MOST_OF_ORG = 200, 100
_RUN_SECONDS = 240.0
_log = logger("scan")


def run_due_schedules(call: Call, deps: ScanDeps) -> Reply:
    """Give every schedule that is due its turn; what waits or fails, or is left when time is up, has it with the next tick."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    now = deps.clock.now()
    started, after_id = 0, None
    while orgs := queries.list_orgs_due(deps.db, now=now, after_id=after_id, most=_ORGS_PER_PAGE):
        for org in orgs:
            if deps.clock.monotonic_seconds() >= ends_at:
                return Reply.ok({"started": started, "is_complete": False})
            started += _turns(call, deps, org, now)
        after_id = orgs[-1]["org_id"]
    return Reply.ok({"started": started, "is_complete": True})


def _turns(call: Call, deps: ScanDeps, org: Row, now: datetime) -> int:
    with deps.db.unit_in(org["org_id"], call.actor) as tx:
        due = queries.list_due(tx, now=now, most=_MOST_OF_ORG)
    return sum(_turn(call, deps, org, schedule_id, now) for schedule_id in due)


def _turn(call: Call, deps: ScanDeps, org: Row, schedule_id: UUID, now: datetime) -> int:
    """Give one schedule its turn, in a transaction of its own; returns how many scans it started."""
    try:
        with deps.db.unit_in(org["org_id"], call.actor) as tx:
            row = queries.lock_schedule(tx, schedule_id)
            if row["next_run_at"] is None or row["next_run_at"] > now:
                return 0  # another tick was first
            return _take(tx, row, org["plan"], now)
    except NotFound:
        return 0  # deleted in between
    except AppError as error:  # one schedule that fails keeps no other from its turn
        _log.error("schedule had no turn", schedule_id=str(schedule_id), code=error.code)
        return 0


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
