"""All SQL on schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, name, cron, time_zone, jitter_seconds, next_run_at, last_due_at, last_scan_id, last_outcome,
  failures, disabled_at, disabled_because, created_at"""

_COUNT = "select count(*) as used from scan.schedules where org_id = :org_id"
_INSERT = f"""
insert into scan.schedules (id, account_id, name, cron, time_zone, jitter_seconds, next_run_at, created_at)
values (:id, :account_id, :name, :cron, :time_zone, :jitter_seconds, :next_run_at, :now)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.schedules
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from scan.schedules where org_id = :org_id and id = :schedule_id"
_LOCK = f"{_GET} for update"
_CHANGE = f"""
update scan.schedules
set name = :name, cron = :cron, time_zone = :time_zone, jitter_seconds = :jitter_seconds, next_run_at = :next_run_at,
  failures = :failures, disabled_at = :disabled_at, disabled_because = :disabled_because
where org_id = :org_id and id = :schedule_id
returning {_COLUMNS}
"""
_DELETE = "delete from scan.schedules where org_id = :org_id and id = :schedule_id returning id, name"
_LIST_DUE = """
select id
from scan.schedules
where org_id = :org_id and next_run_at <= :now
order by next_run_at, id
limit :most
"""
_COUNT_OLDER = """
select count(*) as older
from scan.schedules
where org_id = :org_id and disabled_at is null and id < :schedule_id
"""
_SET_TURN = """
update scan.schedules
set next_run_at = :next_run_at, last_due_at = :due_at, last_outcome = :outcome,
  last_scan_id = coalesce(cast(:scan_id as uuid), last_scan_id)
where org_id = :org_id and id = :schedule_id
"""
_SET_WAITING = "update scan.schedules set last_outcome = 'waiting' where org_id = :org_id and id = :schedule_id"
_LOCK_RUNNING = f"""
select {_COLUMNS}
from scan.schedules
where org_id = :org_id and last_scan_id = :scan_id and last_outcome = 'running'
for update
"""
_SET_ENDED = """
update scan.schedules
set last_outcome = :outcome, failures = :failures
where org_id = :org_id and id = :schedule_id
"""
_DISABLE = """
update scan.schedules
set disabled_at = :now, disabled_because = :because, next_run_at = null
where org_id = :org_id and id = :schedule_id and disabled_at is null
"""
_LIST_ORGS_DUE = """
select org_id, plan
from scan.list_orgs_with_due_schedules(cast(:now as timestamptz), cast(:after_id as uuid), cast(:most as integer))
"""


def count_schedules(tx: UnitOfWork) -> int:
    """Count schedules, those that are switched off too."""
    return int(tx.rows(_COUNT)[0]["used"])


def insert_schedule(tx: UnitOfWork, **values: object) -> Row:
    """Insert a schedule; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_schedules(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List schedules, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_schedule(tx: UnitOfWork, schedule_id: UUID) -> Row:
    """Read one schedule.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, schedule_id=schedule_id)


def lock_schedule(tx: UnitOfWork, schedule_id: UUID) -> Row:
    """Read one schedule and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, schedule_id=schedule_id)


def change_schedule(tx: UnitOfWork, schedule_id: UUID, **values: object) -> Row:
    """Change a schedule that is locked; returns its row."""
    return tx.one(_CHANGE, schedule_id=schedule_id, **values)


def delete_schedule(tx: UnitOfWork, schedule_id: UUID) -> Row:
    """Delete a schedule; scans that it started stay.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, schedule_id=schedule_id)


def list_due(tx: UnitOfWork, *, now: datetime, most: int) -> Sequence[UUID]:
    """List schedules that are to run, longest due first."""
    return [row["id"] for row in tx.rows(_LIST_DUE, now=now, most=most)]


def count_older(tx: UnitOfWork, schedule_id: UUID) -> int:
    """Count schedules that are switched on and were made before this one."""
    return int(tx.rows(_COUNT_OLDER, schedule_id=schedule_id)[0]["older"])


def set_turn(
    tx: UnitOfWork, schedule_id: UUID, *, due_at: datetime, next_run_at: datetime, outcome: str, scan_id: UUID | None
) -> None:
    """Store what a schedule that was due did, and when it runs again."""
    tx.execute(
        _SET_TURN, schedule_id=schedule_id, due_at=due_at, next_run_at=next_run_at, outcome=outcome, scan_id=scan_id
    )


def set_waiting(tx: UnitOfWork, schedule_id: UUID) -> None:
    """Store that a schedule is due and has to wait; it stays due."""
    tx.execute(_SET_WAITING, schedule_id=schedule_id)


def lock_running(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Read the schedule that waits for the end of a scan, and hold it; None when none does (any more)."""
    return tx.row(_LOCK_RUNNING, scan_id=scan_id)


def set_ended(tx: UnitOfWork, schedule_id: UUID, *, outcome: str, failures: int) -> None:
    """Store how the scan of a schedule ended."""
    tx.execute(_SET_ENDED, schedule_id=schedule_id, outcome=outcome, failures=failures)


def disable_schedule(tx: UnitOfWork, schedule_id: UUID, *, because: str, now: datetime) -> None:
    """Switch a schedule off."""
    tx.execute(_DISABLE, schedule_id=schedule_id, because=because, now=now)


def list_orgs_due(db: Lookups, *, now: datetime, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List organisations with a schedule that is to run, with their plans, by id."""
    return db.lookup(_LIST_ORGS_DUE, now=now, after_id=after_id, most=most)
