"""All SQL on drift items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, scan_id, kind, type, key, address, cloud_id, region, path, before, after, is_sensitive,
  severity, rule, detector, status, first_seen_at, last_seen_at, ignore_rule_id, ignored_until, acknowledged_at, acknowledged_by,
  assignee, note, attribution_status, attribution"""

# What people said of an item was said of this: who accepted one open port did not accept the next.
_SAME = "(drift_items.after is not distinct from excluded.after and drift_items.severity = excluded.severity)"
_UPSERT = f"""
insert into scan.drift_items
  (account_id, scan_id, kind, type, key, address, cloud_id, region, path, before, after, is_sensitive, severity, rule, fingerprint,
   ignore_rule_id, detector)
select cast(:account_id as uuid), cast(:scan_id as uuid), d.kind, d.type, d.key, d.address, d.cloud_id, d.region, d.path,
  d.before, d.after, d.is_sensitive, d.severity, d.rule, decode(d.fingerprint, 'hex'), d.ignore_rule_id,
  coalesce(d.detector, 'declared')
from jsonb_to_recordset(cast(:items as jsonb))
  as d (kind text, type text, key text, address text, cloud_id text, region text, path text, before jsonb, after jsonb,
        is_sensitive boolean, severity text, rule text, fingerprint text, ignore_rule_id uuid, detector text)
on conflict (org_id, account_id, fingerprint) where status = 'open' do update
set scan_id = excluded.scan_id, address = excluded.address, cloud_id = excluded.cloud_id, region = excluded.region,
  before = excluded.before, after = excluded.after, severity = excluded.severity, rule = excluded.rule, last_seen_at = now(),
  ignore_rule_id = excluded.ignore_rule_id,
  ignored_until = case when {_SAME} then drift_items.ignored_until end,
  acknowledged_at = case when {_SAME} then drift_items.acknowledged_at end,
  acknowledged_by = case when {_SAME} then drift_items.acknowledged_by end,
  attribution_due_at = case when {_SAME} then drift_items.attribution_due_at else now() end,
  value_seen_at = case when {_SAME} then drift_items.value_seen_at else now() end
"""
_FIX_GONE = """
update scan.drift_items
set status = 'fixed', fixed_at = now()
where org_id = :org_id and account_id = :account_id and status = 'open' and last_seen_at < now()
  and not (type = any(cast(:unknown_types as text[])))
returning id
"""
_AGED_AND_TRIAGED = """
  and (cast(:seen_before as timestamptz) is null or first_seen_at <= :seen_before)
  and (cast(:seen_after as timestamptz) is null or first_seen_at >= :seen_after)
  and (cast(:actor as text) is null
    or :actor in (attribution ->> 'actor', attribution ->> 'user_name', attribution ->> 'session_name'))
  and (cast(:assignee as text) is null or assignee = :assignee)
  and (cast(:is_acknowledged as boolean) is null or (acknowledged_at is not null) = :is_acknowledged)
  and (
    cast(:ignored as text) = 'show'
    or (cast(:ignored as text) = 'only') = (
      coalesce(ignored_until > coalesce(cast(:now as timestamptz), now()), false)
      or exists (
        select from scan.ignore_rules r
        where r.org_id = :org_id and r.id = drift_items.ignore_rule_id
          and (r.expires_at is null or r.expires_at > coalesce(cast(:now as timestamptz), now()))
      )
    )
  )
"""
_LIST_WORST = f"""
select {_COLUMNS}
from scan.drift_items
where org_id = :org_id and status = :status
  and (cast(:scan_id as uuid) is null or scan_id = :scan_id)
  and (cast(:account_id as uuid) is null or account_id = :account_id)
  and (cast(:kind as text) is null or kind = :kind)
  and (cast(:severity as text) is null or severity = :severity)
  and (cast(:type as text) is null or type = :type)
  {_AGED_AND_TRIAGED}
order by array_position(array['critical', 'high', 'medium', 'low'], severity), id
limit :most
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
  {_AGED_AND_TRIAGED}
order by id desc
limit :most offset :skipped
"""
_LOCK_ITEM = (
    f"select {_COLUMNS} from scan.drift_items where org_id = :org_id and id = :item_id and status = 'open' for update"
)
_GET_OPEN = f"select {_COLUMNS} from scan.drift_items where org_id = :org_id and id = :item_id and status = 'open'"
_LIST_OF_RESOURCE = f"""
select {_COLUMNS}
from scan.drift_items
where org_id = :org_id and account_id = :account_id and type = :type and key = :key and status = 'open'
order by id
limit 200
"""
_SET_ITEM = f"""
update scan.drift_items
set acknowledged_at = :acknowledged_at, acknowledged_by = :acknowledged_by, assignee = :assignee, ignored_until = :ignored_until,
  note = :note
where org_id = :org_id and id = :item_id
returning {_COLUMNS}
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
        filters: `status`; `scan_id account_id kind severity type actor assignee is_acknowledged`, and `seen_before seen_after` for when an item was
            first seen, None for any; `ignored`: `hide`, `show` or `only`, as of `now`; `after_id` and `skipped` for where a page begins.
    """
    return tx.rows(
        _LIST, most=most, after_id=filters.get("after_id"), skipped=filters.get("skipped", 0), **_filters(filters)
    )


def list_worst_items(tx: UnitOfWork, *, most: int, **filters: object) -> Sequence[Row]:
    """List items, the worst first; filters as in `list_items`, without where a page begins."""
    return tx.rows(_LIST_WORST, most=most, **_filters(filters))


def get_open_item(tx: UnitOfWork, item_id: UUID) -> Row:
    """Read one open item.

    Raises:
        NotFound: (404 `not_found`) there is none, or it was fixed.
    """
    return tx.one(_GET_OPEN, item_id=item_id)


def list_open_of_resource(tx: UnitOfWork, *, account_id: UUID, type_name: str, key: str) -> list[Row]:
    """List the open items of one resource."""
    return list(tx.rows(_LIST_OF_RESOURCE, account_id=account_id, type=type_name, key=key))


def lock_open_item(tx: UnitOfWork, item_id: UUID) -> Row:
    """Read one open item and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`) there is none, or it was fixed.
    """
    return tx.one(_LOCK_ITEM, item_id=item_id)


def set_item(tx: UnitOfWork, item_id: UUID, values: Mapping[str, object]) -> Row:
    """Store what is said of an item that is locked: `acknowledged_at acknowledged_by assignee ignored_until note`."""
    names = ("acknowledged_at", "acknowledged_by", "assignee", "ignored_until", "note")
    return tx.one(_SET_ITEM, item_id=item_id, **{name: values.get(name) for name in names})


def _filters(given: Mapping[str, object]) -> dict[str, object]:
    names = (
        "scan_id",
        "account_id",
        "kind",
        "severity",
        "type",
        "actor",
        "assignee",
        "is_acknowledged",
        "seen_before",
        "seen_after",
        "now",
    )
    defaults = {"status": "open", "ignored": "hide"}
    return {
        **{name: given.get(name) for name in names},
        **{name: given.get(name, value) for name, value in defaults.items()},
    }
