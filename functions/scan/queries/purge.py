"""All SQL that deletes what a plan no longer keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_LIST_ORGS_TO_PURGE = """
select org_id, plan
from scan.list_orgs_to_purge(
  cast(:free_before as timestamptz), cast(:team_before as timestamptz), cast(:after_id as uuid), cast(:most as integer)
)
"""
_DELETE_FIXED = """
with old as (
  select id
  from scan.drift_items
  where org_id = :org_id and status = 'fixed' and fixed_at < :before
  order by fixed_at
  limit :most
)
delete from scan.drift_items d
using old
where d.org_id = :org_id and d.id = old.id
returning d.id
"""
# A scan takes its items along, so it stays while one of them is open or still kept; the last one of an account stays as well, as
# what it saw is what there is.
_DELETE_SCANS = """
with old as (
  select s.id
  from scan.scans s
  where s.org_id = :org_id and s.created_at < :before and s.status in ('done', 'failed', 'cancelled')
    and exists (
      select from scan.scans later
      where later.org_id = :org_id and later.account_id = s.account_id and later.id > s.id
    )
    and not exists (
      select from scan.drift_items d
      where d.org_id = :org_id and d.scan_id = s.id and (d.status = 'open' or d.fixed_at >= :before)
    )
    and not exists (
      select from scan.live_resources r
      where r.org_id = :org_id and r.scan_id = s.id and not exists (
        select from scan.scans done
        where done.org_id = :org_id and done.account_id = s.account_id and done.id > s.id and done.status = 'done'
      )
    )
  order by s.id
  limit :most
)
delete from scan.scans s
using old
where s.org_id = :org_id and s.id = old.id
returning s.id
"""


def list_orgs_to_purge(
    db: Lookups, *, free_before: datetime, team_before: datetime, after_id: UUID | None, most: int
) -> Sequence[Row]:
    """List organisations with scans or fixed drift older than their plan keeps them, by id."""
    return db.lookup(
        _LIST_ORGS_TO_PURGE, free_before=free_before, team_before=team_before, after_id=after_id, most=most
    )


def delete_old_fixed(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Delete the drift that was gone longest ago; returns how many items."""
    return len(tx.rows(_DELETE_FIXED, before=before, most=most))


def delete_old_scans(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Delete the oldest scans with their shards and gaps; returns how many."""
    return len(tx.rows(_DELETE_SCANS, before=before, most=most))
