"""All SQL on scans: what was asked for, how far each is, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, status, requested_by, shards_total, shards_done, resources, summary, error_code,
  created_at, started_at, finished_at, regions"""
# What a scan saw takes the place of what one with a smaller id saw. Ids tell the time, and the database's clock may go back: the id
# then follows that of the account's latest scan, or the scan would see nothing and call everything missing.
_INSERT = f"""
insert into scan.scans (id, account_id, requested_by, shards_total, regions)
select uuidv7(greatest(interval '0', uuid_extract_timestamp(latest.id) + interval '2 milliseconds' - clock_timestamp())),
  cast(:account_id as uuid), :requested_by, cast(:shards_total as integer), cast(:regions as text[])
from (values (1)) as one (row)
left join (
  select id
  from scan.scans
  where org_id = :org_id and account_id = :account_id
  order by id desc
  limit 1
) as latest on true
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.scans
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from scan.scans where org_id = :org_id and id = :scan_id"
_LOCK = f"{_GET} for update"
_COUNT_ACTIVE = """
select count(*) as active, count(*) filter (where account_id = :account_id) as of_account
from scan.scans
where org_id = :org_id and status in ('pending', 'running', 'comparing')
"""
_LATEST = """
select id
from scan.scans
where org_id = :org_id and account_id = :account_id
order by id desc
limit 1
"""
_BEGIN_SCAN = """
update scan.scans
set status = 'running', started_at = coalesce(started_at, now())
where org_id = :org_id and id = :scan_id and status in ('pending', 'running')
returning id, account_id, regions, readings
"""
_SPREAD_SCAN = """
update scan.scans
set regions = cast(:regions as text[]), shards_total = shards_total + cast(:added as integer)
where org_id = :org_id and id = :scan_id and status in ('pending', 'running') and regions is null
returning id
"""
_LATEST_REGIONS = """
select regions
from scan.scans
where org_id = :org_id and account_id = :account_id and regions is not null
order by id desc
limit 1
"""
_SET_COMPARING = """
update scan.scans
set status = 'comparing', readings = 2, comparison = null, compared_at = now()
where org_id = :org_id and id = :scan_id
"""
_SET_DONE = """
update scan.scans
set status = 'done', summary = cast(:summary as jsonb), comparison = null, finished_at = now()
where org_id = :org_id and id = :scan_id
"""
_SET_ENDED = """
update scan.scans
set status = :status, error_code = :error_code, finished_at = now()
where org_id = :org_id and id = :scan_id and status in ('pending', 'running', 'comparing')
returning id
"""
_LIST_STUCK_COMPARISONS = """
select s.id
from scan.scans s
where s.org_id = :org_id and s.status = 'comparing'
  and greatest(
    s.created_at, s.compared_at, (select max(h.finished_at) from scan.shards h where h.org_id = :org_id and h.scan_id = s.id)
  ) < now() - make_interval(secs => cast(:stuck_seconds as integer))
"""
_LIST_ORGS_WITH_ACTIVE_SCANS = "select org_id from scan.list_orgs_with_active_scans(cast(:most as integer))"


def insert_scan(tx: UnitOfWork, **values: object) -> Row:
    """Insert a scan, without `regions` when they are still to be looked up; returns its row."""
    return tx.rows(_INSERT, **{"regions": None, **values})[0]


def list_scans(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List scans, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_scan(tx: UnitOfWork, scan_id: UUID) -> Row:
    """Read one scan.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, scan_id=scan_id)


def lock_scan(tx: UnitOfWork, scan_id: UUID) -> Row:
    """Read one scan and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, scan_id=scan_id)


def count_active_scans(tx: UnitOfWork, account_id: UUID) -> tuple[int, int]:
    """Count scans that are under way: of the organisation, and of one account."""
    found = tx.rows(_COUNT_ACTIVE, account_id=account_id)[0]
    return int(found["active"]), int(found["of_account"])


def latest_scan_id(tx: UnitOfWork, account_id: UUID) -> UUID | None:
    """Find the newest scan of an account."""
    found = tx.row(_LATEST, account_id=account_id)
    return found["id"] if found else None


def spread_scan(tx: UnitOfWork, scan_id: UUID, *, regions: Sequence[str], added: int) -> bool:
    """Note the regions that were looked up and count the shards that come of them, once; returns whether that was now.

    The scan is held from here on, as it is by whoever takes one of its shards into work.
    """
    return tx.row(_SPREAD_SCAN, scan_id=scan_id, regions=list(regions), added=added) is not None


def latest_regions(tx: UnitOfWork, account_id: UUID) -> Sequence[str] | None:
    """Find the regions of the newest scan of an account that knows its own; None when there is none."""
    found = tx.row(_LATEST_REGIONS, account_id=account_id)
    return found["regions"] if found else None


def begin_scan(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Mark a scan as running; None when it is over already."""
    return tx.row(_BEGIN_SCAN, scan_id=scan_id)


def set_comparing(tx: UnitOfWork, scan_id: UUID) -> None:
    """Mark a scan as being compared, for what it saw already: the cloud is not read for it again."""
    tx.execute(_SET_COMPARING, scan_id=scan_id)


def set_done(tx: UnitOfWork, scan_id: UUID, summary: Mapping[str, Any]) -> None:
    """End a scan that went through."""
    tx.execute(_SET_DONE, scan_id=scan_id, summary=json.dumps(summary))


def set_ended(tx: UnitOfWork, scan_id: UUID, *, status: str, error_code: str | None = None) -> bool:
    """End a scan as failed or cancelled; returns whether it was under way."""
    return tx.row(_SET_ENDED, scan_id=scan_id, status=status, error_code=error_code) is not None


def list_stuck_comparisons(tx: UnitOfWork, *, stuck_seconds: int) -> Sequence[UUID]:
    """List scans whose comparison nobody finished in time."""
    return [row["id"] for row in tx.rows(_LIST_STUCK_COMPARISONS, stuck_seconds=stuck_seconds)]


def list_orgs_with_active_scans(db: Lookups, *, most: int) -> Sequence[UUID]:
    """List organisations with a scan under way."""
    return [row["org_id"] for row in db.lookup(_LIST_ORGS_WITH_ACTIVE_SCANS, most=most)]
