"""Calls on schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.plans import SHORTEST_INTERVALS, limit_of

from ..domain.schedules import CronRefused, check_cron, next_run, shortest_gap, timetable_of
from ..errors import IntervalTooShort, ScheduleLimitReached
from ..models import ScanView
from ..queries import accounts as account_queries
from ..queries import schedules as queries
from ..schedule_models import ChangeSchedule, CreateSchedule, ScheduleView
from ..starting import begin
from ..wiring import ScanDeps


def create_schedule(call: Call, deps: ScanDeps) -> Reply:
    """Make a schedule; its first run is the next moment that fits."""
    wish = call.body(CreateSchedule)
    now = deps.clock.now()
    row: dict[str, Any] = {**wish.model_dump(), "id": deps.entropy.uuid(), "cron": _checked(wish.cron, call.actor.plan)}
    with deps.db.unit(call.actor, call.idempotency) as tx:
        account_queries.get_account(tx, wish.account_id)
        account_queries.lock_plan(tx)
        cap, used = limit_of("schedules", call.actor.plan), queries.count_schedules(tx)
        if cap.is_reached(used):
            raise ScheduleLimitReached(cap, used)
        made = queries.insert_schedule(tx, **row, next_run_at=_next(row, now), now=now)
        tx.audit("scan:schedule:created", "schedule", made["id"], **_facts(made))
        return tx.settle(Reply.created(ScheduleView.of(made)))


def list_schedules(call: Call, deps: ScanDeps) -> Reply:
    """List schedules, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_schedules(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, ScheduleView.of))


def get_schedule(call: Call, deps: ScanDeps) -> Reply:
    """Show one schedule."""
    schedule_id = call.path_uuid("schedule_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_schedule(tx, schedule_id)
    return Reply.ok(ScheduleView.of(row))


def change_schedule(call: Call, deps: ScanDeps) -> Reply:
    """Change a schedule; what is left out stays. One that is switched on again starts afresh, without what it missed."""
    schedule_id, wish, now = call.path_uuid("schedule_id"), call.body(ChangeSchedule), deps.clock.now()
    changes = {name: value for name, value in wish.model_dump(exclude_unset=True).items() if value is not None}
    with deps.db.unit(call.actor) as tx:
        row = {**queries.lock_schedule(tx, schedule_id), **changes}
        is_disabled = row.pop("is_disabled", row["disabled_at"] is not None)
        is_switched_on = not is_disabled and row["disabled_at"] is not None
        if is_switched_on or "cron" in changes:
            row["cron"] = _checked(row["cron"], call.actor.plan)
        if is_switched_on:
            row |= {"failures": 0, "disabled_at": None, "disabled_because": None}
        elif is_disabled and row["disabled_at"] is None:
            row |= {"disabled_at": now, "disabled_because": "person"}
        if is_disabled:
            row["next_run_at"] = None
        elif is_switched_on or changes.keys() & {"cron", "time_zone", "jitter_seconds"}:
            row["next_run_at"] = _next(row, now)
        changed = queries.change_schedule(tx, schedule_id, **{name: row[name] for name in _CHANGEABLE})
        tx.audit("scan:schedule:changed", "schedule", schedule_id, changed=sorted(changes), **_facts(changed))
    return Reply.ok(ScheduleView.of(changed))


def delete_schedule(call: Call, deps: ScanDeps) -> Reply:
    """Delete a schedule; scans that it started stay."""
    schedule_id = call.path_uuid("schedule_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_schedule(tx, schedule_id)
        tx.audit("scan:schedule:deleted", "schedule", schedule_id, name=row["name"])
    return Reply.no_content()


def run_schedule(call: Call, deps: ScanDeps) -> Reply:
    """Start the scan of a schedule now; when it runs by itself does not change, nor does what it counts as failed."""
    schedule_id = call.path_uuid("schedule_id")
    with deps.db.unit(call.actor, call.idempotency) as tx:
        row = queries.get_schedule(tx, schedule_id)
        requested_by = f"{call.actor.kind}:{call.actor.id}"
        scan = begin(tx, row["account_id"], requested_by=requested_by, plan=call.actor.plan)
        tx.audit("scan:schedule:run", "schedule", schedule_id, scan_id=str(scan["id"]))
        return tx.settle(Reply.accepted(ScanView.of(scan)))


_CHANGEABLE = (
    "name", "cron", "time_zone", "jitter_seconds", "next_run_at", "failures", "disabled_at", "disabled_because",
)  # fmt: skip


def _checked(cron: str, plan: str) -> str:
    """Return an expression as it is stored. Raises: Invalid, IntervalTooShort."""
    try:
        clean = check_cron(cron)
    except CronRefused as error:
        raise _refused("cron", str(error)) from error
    shortest, gap = SHORTEST_INTERVALS[plan], shortest_gap(clean)
    if gap < shortest:
        raise IntervalTooShort(plan, gap, shortest)
    return clean


def _next(row: dict[str, Any], now: datetime) -> datetime:
    found = next_run(timetable_of(row), now)
    if found is None:
        raise _refused("cron", "no moment fits it")
    return found


def _refused(field: str, problem: str) -> Invalid:
    return Invalid("see `errors` for each field", errors=[{"field": field, "problem": problem}])


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: row[name] for name in ("name", "cron", "time_zone", "jitter_seconds")}
    return {**facts, "account_id": str(row["account_id"]), "is_disabled": row["disabled_at"] is not None}
