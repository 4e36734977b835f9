"""All SQL on how drift went over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_FILTERS = """
  and (cast(:account_id as uuid) is null or account_id = :account_id)
  and (cast(:kind as text) is null or kind = :kind)
  and (cast(:severity as text) is null or severity = :severity)
"""
_BEFORE = f"""
select severity, kind, account_id, count(*) as items
from scan.drift_items
where org_id = :org_id and first_seen_at < :since and (status = 'open' or fixed_at >= :since) {_FILTERS}
group by severity, kind, account_id
"""
_OPENED = f"""
select cast(timezone(:time_zone, first_seen_at) as date) as day, severity, kind, account_id, count(*) as items
from scan.drift_items
where org_id = :org_id and first_seen_at >= :since {_FILTERS}
group by 1, 2, 3, 4
"""
_FIXED = f"""
select cast(timezone(:time_zone, fixed_at) as date) as day, severity, kind, account_id, count(*) as items,
  sum(extract(epoch from fixed_at - first_seen_at)) as seconds
from scan.drift_items
where org_id = :org_id and status = 'fixed' and fixed_at >= :since {_FILTERS}
group by 1, 2, 3, 4
"""
_COVERAGE = """
select cast(timezone(:time_zone, finished_at) as date) as day, count(*) as scans,
  coalesce(sum(cast(summary ->> 'compared' as bigint)), 0) as compared,
  coalesce(sum(cast(summary -> 'not_checked' ->> 'resources' as bigint)), 0) as not_checked
from scan.scans
where org_id = :org_id and status = 'done' and finished_at >= :since
  and (cast(:account_id as uuid) is null or account_id = :account_id)
group by 1
order by 1
"""
_PARTS = ("account_id", "kind", "severity")


def count_open_before(tx: UnitOfWork, *, since: datetime, **filters: object) -> Sequence[Row]:
    """Count what was open at a moment; filters are `account_id kind severity`, None for any."""
    return tx.rows(_BEFORE, since=since, **_only(filters))


def count_opened(tx: UnitOfWork, *, since: datetime, time_zone: str, **filters: object) -> Sequence[Row]:
    """Count what was seen for the first time, by day; filters as in `count_open_before`."""
    return tx.rows(_OPENED, since=since, time_zone=time_zone, **_only(filters))


def count_fixed(tx: UnitOfWork, *, since: datetime, time_zone: str, **filters: object) -> Sequence[Row]:
    """Count what was gone, by day, with how long it had been there in all; filters as in `count_open_before`."""
    return tx.rows(_FIXED, since=since, time_zone=time_zone, **_only(filters))


def sum_coverage(tx: UnitOfWork, *, since: datetime, time_zone: str, **filters: object) -> Sequence[Row]:
    """Sum what scans compared and what they could not check, by day; the one filter is `account_id`."""
    return tx.rows(_COVERAGE, since=since, time_zone=time_zone, account_id=filters.get("account_id"))


def _only(filters: dict[str, object]) -> dict[str, object]:
    return {name: filters.get(name) for name in _PARTS}
