"""All SQL on who made a drift: what is due, whose turn it is to look, and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_WORST_FIRST = "array_position(array['critical', 'high', 'medium', 'low'], severity), id"

_LEASE = """
update scan.cloud_accounts
set attribution_leased_until = now() + make_interval(secs => cast(:lease_seconds as integer))
where org_id = :org_id and id = :account_id and (attribution_leased_until is null or attribution_leased_until < now())
returning id
"""
_HOLD = """
update scan.cloud_accounts
set attribution_leased_until = now() + make_interval(secs => cast(:lease_seconds as integer))
where org_id = :org_id and id = :account_id
"""
_RELEASE = """
update scan.cloud_accounts set attribution_leased_until = null where org_id = :org_id and id = :account_id
"""
_LIST_DUE = f"""
select i.id, i.kind, i.type, i.key, i.cloud_id, i.region, i.path,
  coalesce(i.value_seen_at, i.first_seen_at) as seen_at,
  (select max(s.started_at) from scan.scans s
   where s.org_id = :org_id and s.account_id = i.account_id and s.status = 'done' and s.finished_at < coalesce(i.value_seen_at, i.first_seen_at)) as since
from scan.drift_items i
where i.org_id = :org_id and i.account_id = :account_id and i.status = 'open' and i.attribution_due_at <= now()
order by {_WORST_FIRST}
limit :most
"""
_STORE = """
update scan.drift_items i
set attribution_status = a.status, attribution = a.attribution, attribution_due_at = a.due_at
from jsonb_to_recordset(cast(:answers as jsonb)) as a (id uuid, status text, attribution jsonb, due_at timestamptz)
where i.org_id = :org_id and i.id = a.id and i.attribution_due_at is not null
"""
_CAP = f"""
update scan.drift_items
set attribution_status = 'unknown', attribution = cast(:attribution as jsonb), attribution_due_at = null
where org_id = :org_id and id in (
  select id from scan.drift_items
  where org_id = :org_id and account_id = :account_id and status = 'open' and attribution_due_at is not null
  order by {_WORST_FIRST}
  offset :most)
"""
_REOPEN = """
update scan.drift_items
set attribution_due_at = now()
where org_id = :org_id and account_id = :account_id and status = 'open' and attribution_status = 'unknown'
  and attribution_due_at is null and attribution ->> 'reason' = any(cast(:reasons as text[]))
  and coalesce(value_seen_at, first_seen_at) > now() - interval '90 days'
"""
_REFUSE = """
update scan.drift_items
set attribution_status = 'unknown', attribution = cast(:attribution as jsonb), attribution_due_at = null
where org_id = :org_id and account_id = :account_id and status = 'open' and attribution_due_at <= now()
"""
_LIST_HOLDERS = """
select l.key
from scan.live_resources l
where l.org_id = :org_id and l.account_id = :account_id and l.type = any(cast(:chosen_types as text[]))
  and l.scan_id = (
    select s.id from scan.scans s
    where s.org_id = :org_id and s.account_id = :account_id and s.status = 'done'
    order by s.id desc
    limit 1)
order by l.key
limit :most
"""
_LIST_WAITING = """
select i.account_id
from scan.drift_items i
join scan.cloud_accounts a on a.org_id = i.org_id and a.id = i.account_id
where i.org_id = :org_id and a.org_id = :org_id and i.status = 'open' and i.attribution_due_at <= now()
  and (a.attribution_leased_until is null or a.attribution_leased_until < now())
group by i.account_id
order by min(i.attribution_due_at)
limit 50
"""
_LIST_ORGS = "select org_id from scan.list_orgs_with_due_attributions(cast(:most as integer))"


def lease(tx: UnitOfWork, account_id: UUID, *, lease_seconds: int) -> bool:
    """Take an account for one worker; False while another one has it."""
    return tx.row(_LEASE, account_id=account_id, lease_seconds=lease_seconds) is not None


def hold(tx: UnitOfWork, account_id: UUID, *, lease_seconds: int) -> None:
    """Keep an account for so long from now."""
    tx.execute(_HOLD, account_id=account_id, lease_seconds=lease_seconds)


def release(tx: UnitOfWork, account_id: UUID) -> None:
    """Give an account back."""
    tx.execute(_RELEASE, account_id=account_id)


def list_due(tx: UnitOfWork, account_id: UUID, *, most: int) -> Sequence[Row]:
    """List open items whose maker is to be looked up now, the worst first, each with `since`: the last good scan before it."""
    return tx.rows(_LIST_DUE, account_id=account_id, most=most)


def store_answers(tx: UnitOfWork, answers: Sequence[Mapping[str, object]]) -> None:
    """Store who made items: `id status attribution due_at` each; what is settled already stays."""
    tx.execute(_STORE, answers=json.dumps(list(answers), default=str))


def cap_due(tx: UnitOfWork, account_id: UUID, *, most: int, attribution: Mapping[str, object]) -> None:
    """Settle as unknown what is due beyond so many items, the mildest first."""
    tx.execute(_CAP, account_id=account_id, most=most, attribution=json.dumps(attribution))


def reopen(tx: UnitOfWork, account_id: UUID, *, reasons: Sequence[str]) -> None:
    """Look again for items that nobody could be asked about, as rights may have been granted since."""
    tx.execute(_REOPEN, account_id=account_id, reasons=list(reasons))


def refuse_due(tx: UnitOfWork, account_id: UUID, *, attribution: Mapping[str, object]) -> None:
    """Settle all that is due of an account as unknown."""
    tx.execute(_REFUSE, account_id=account_id, attribution=json.dumps(attribution))


def list_holders(tx: UnitOfWork, account_id: UUID, *, types: Sequence[str], most: int) -> Sequence[str]:
    """List the keys of what the last good scan of an account saw of a few types."""
    values = {"account_id": account_id, "chosen_types": list(types), "most": most}
    return [row["key"] for row in tx.rows(_LIST_HOLDERS, **values)]


def list_waiting_accounts(tx: UnitOfWork) -> Sequence[UUID]:
    """List accounts with items that are due and that no worker has."""
    return [row["account_id"] for row in tx.rows(_LIST_WAITING)]


def list_orgs_with_due(db: Lookups, *, most: int) -> Sequence[UUID]:
    """List organisations with items that are due."""
    return [row["org_id"] for row in db.lookup(_LIST_ORGS, most=most)]
