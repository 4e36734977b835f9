"""All SQL on drift items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, scan_id, kind, type, key, address, cloud_id, region, path, before, after, is_sensitive,
  severity, rule, detector, status, first_seen_at, last_seen_at"""

_UPSERT = """
insert into scan.drift_items
  (account_id, scan_id, kind, type, key, address, cloud_id, region, path, before, after, is_sensitive, severity, rule, fingerprint,
   detector)
select cast(:account_id as uuid), cast(:scan_id as uuid), d.kind, d.type, d.key, d.address, d.cloud_id, d.region, d.path,
  d.before, d.after, d.is_sensitive, d.severity, d.rule, decode(d.fingerprint, 'hex'), coalesce(d.detector, 'declared')
from jsonb_to_recordset(cast(:items as jsonb))
  as d (kind text, type text, key text, address text, cloud_id text, region text, path text, before jsonb, after jsonb,
        is_sensitive boolean, severity text, rule text, fingerprint text, detector text)
on conflict (org_id, account_id, fingerprint) where status = 'open' do update
set scan_id = excluded.scan_id, address = excluded.address, cloud_id = excluded.cloud_id, region = excluded.region,
  before = excluded.before, after = excluded.after, severity = excluded.severity, rule = excluded.rule, last_seen_at = now()
"""
_FIX_GONE = """
update scan.drift_items
set status = 'fixed', fixed_at = now()
where org_id = :org_id and account_id = :account_id and status = 'open' and last_seen_at < now()
  and not (type = any(cast(:unknown_types as text[])))
returning id
"""
_LIST = f"""
select {_COLUMNS}
from scan.drift_items
where org_id = :org_id and status = :status
  and (cast(:after_id as uuid) is null or id < :after_id)
  and (cast(:scan_id as uuid) is null or scan_id = :scan_id)
  and (cast(:account_id as uuid) is null or account_id = :account_id)
  and (cast(:kind as text) is null or kind = :kind)
  and (cast(:severity as text) is null or severity = :severity)
  and (cast(:type as text) is null or type = :type)
order by id desc
limit :most offset :skipped
"""
_BATCH = 500


def upsert_items(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, items: Sequence[Mapping[str, object]]) -> None:
    """Store what a comparison found; what is open already keeps its id and when it was first seen."""
    for start in range(0, len(items), _BATCH):
        batch = json.dumps(items[start : start + _BATCH], default=str)
        tx.execute(_UPSERT, account_id=account_id, scan_id=scan_id, items=batch)


def fix_gone(tx: UnitOfWork, *, account_id: UUID, unknown_types: Sequence[str]) -> int:
    """Close items that this transaction did not find again, except of types it could not check; returns how many."""
    return len(tx.rows(_FIX_GONE, account_id=account_id, unknown_types=list(unknown_types)))


def list_items(tx: UnitOfWork, *, most: int, **filters: object) -> Sequence[Row]:
    """List items, newest first.

    Args:
        tx: the unit of work.
        most: page size.
        filters: `status`, and `after_id scan_id account_id kind severity type skipped`, None for any.
    """
    names = ("after_id", "scan_id", "account_id", "kind", "severity", "type")
    return tx.rows(
        _LIST,
        most=most,
        status=filters.get("status", "open"),
        skipped=filters.get("skipped", 0),
        **{name: filters.get(name) for name in names},
    )
