"""All SQL on how drift went over time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

# Days are cut here where the caller says they begin: the server's own rules of time zones may be older than the function's.
_STARTS = """
(select array_agg(cast(s.begins as timestamptz) order by cast(s.begins as timestamptz))
 from jsonb_array_elements_text(cast(:starts as jsonb)) as s (begins))
"""
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
select width_bucket(first_seen_at, {_STARTS}) as number, severity, kind, account_id, count(*) as items
from scan.drift_items
where org_id = :org_id and first_seen_at >= :since {_FILTERS}
group by 1, 2, 3, 4
"""
_FIXED = f"""
select width_bucket(fixed_at, {_STARTS}) as number, severity, kind, account_id, count(*) as items,
  sum(extract(epoch from fixed_at - first_seen_at)) as seconds
from scan.drift_items
where org_id = :org_id and status = 'fixed' and fixed_at >= :since {_FILTERS}
group by 1, 2, 3, 4
"""
_COVERAGE = f"""
select width_bucket(finished_at, {_STARTS}) as number, count(*) as scans,
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


def count_opened(tx: UnitOfWork, *, starts: Sequence[datetime], **filters: object) -> Sequence[Row]:
    """Count what was seen for the first time, by the number of the day, from 1; filters as in `count_open_before`.

    Args:
        tx: the organisation's.
        starts: when each day begins, the first one first.
        filters: `account_id kind severity`, None for any.
    """
    return tx.rows(_OPENED, since=starts[0], starts=_json(starts), **_only(filters))


def count_fixed(tx: UnitOfWork, *, starts: Sequence[datetime], **filters: object) -> Sequence[Row]:
    """Count what was gone, as `count_opened`, with how long it had been there in all."""
    return tx.rows(_FIXED, since=starts[0], starts=_json(starts), **_only(filters))


def sum_coverage(tx: UnitOfWork, *, starts: Sequence[datetime], **filters: object) -> Sequence[Row]:
    """Sum what scans compared and what they could not check, as `count_opened`; the one filter is `account_id`."""
    return tx.rows(_COVERAGE, since=starts[0], starts=_json(starts), account_id=filters.get("account_id"))


def _json(starts: Sequence[datetime]) -> str:
    return json.dumps([start.isoformat() for start in starts])


def _only(filters: dict[str, object]) -> dict[str, object]:
    return {name: filters.get(name) for name in _PARTS}
