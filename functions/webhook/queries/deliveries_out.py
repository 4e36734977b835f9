"""All SQL on deliveries that go out, and on what they tell of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, channel_id, seq, event_kind, status, due_at, tries, replays, first_tried_at, last_tried_at, delivered_at,
  response_status, response_start, error_code, created_at"""

_INSERT = """
insert into webhook.deliveries_out (id, channel_id, seq, event_kind, content, status, due_at, created_at)
values (:id, :channel_id, :seq, :event_kind, cast(:content as jsonb), :status, :due_at, :now)
"""
_FIND_COLLECTING = """
select id, content, due_at
from webhook.deliveries_out
where org_id = :org_id and channel_id = :channel_id and status = 'collecting'
"""
_SET_CONTENT = """
update webhook.deliveries_out
set content = cast(:content as jsonb)
where org_id = :org_id and id = :out_id and status = 'collecting'
"""
_CLOSE_COLLECTING = """
update webhook.deliveries_out
set status = 'pending', due_at = least(due_at, cast(:now as timestamptz))
where org_id = :org_id and channel_id = :channel_id and status = 'collecting'
returning id
"""
_HURRY = """
update webhook.deliveries_out
set due_at = :now
where org_id = :org_id and channel_id = :channel_id and status = 'pending' and due_at > cast(:now as timestamptz)
returning id
"""
_TAKE_HEAD = f"""
update webhook.deliveries_out
set status = 'pending'
where org_id = :org_id and due_at <= :now and status in ('collecting', 'pending') and id = (
  select d.id from webhook.deliveries_out d
  where d.org_id = :org_id and d.channel_id = :channel_id and d.status in ('collecting', 'pending')
  order by d.seq
  limit 1
)
returning {_COLUMNS}, content
"""
_DELIVERED = """
update webhook.deliveries_out
set status = 'delivered', tries = tries + 1, first_tried_at = coalesce(first_tried_at, :now), last_tried_at = :now, delivered_at = :now,
  response_status = :response_status, response_start = :response_start, error_code = null
where org_id = :org_id and id = :out_id and status <> 'delivered'
returning id
"""
_FAILED_TRY = """
update webhook.deliveries_out
set tries = tries + 1, first_tried_at = coalesce(first_tried_at, :now), last_tried_at = :now, response_status = :response_status,
  response_start = :response_start, error_code = :error_code, due_at = :due_at
where org_id = :org_id and id = :out_id and status = 'pending'
returning tries
"""
_FAIL_WAITING = """
update webhook.deliveries_out
set status = 'failed', error_code = coalesce(error_code, 'channel_disabled')
where org_id = :org_id and channel_id = :channel_id and status in ('collecting', 'pending')
returning id
"""
_LIST = f"""
select {_COLUMNS}
from webhook.deliveries_out
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
  and (cast(:channel_id as uuid) is null or channel_id = :channel_id)
  and (cast(:status as text) is null or status = :status)
order by id desc
limit :most offset :skipped
"""
_LOCK = f"select {_COLUMNS} from webhook.deliveries_out where org_id = :org_id and id = :out_id for no key update"
_REPLAY = f"""
update webhook.deliveries_out
set status = 'pending', due_at = :now, tries = 0, replays = replays + 1, first_tried_at = null, delivered_at = null, error_code = null
where org_id = :org_id and id = :out_id
returning {_COLUMNS}
"""
_PURGE = """
delete from webhook.deliveries_out
where org_id = :org_id and id in (
  select d.id from webhook.deliveries_out d
  where d.org_id = :org_id and d.created_at <= :before
  order by d.created_at
  limit :most
)
returning id
"""
# What a scan saw for the first time has the very time at which that scan ended: both are one transaction's.
_DRIFT = """
select rule, severity, kind, count(*) as items, array_agg(name order by place) filter (where place <= 3) as examples
from (
  select i.rule, i.severity, i.kind, coalesce(i.address, i.cloud_id, i.type) as name,
    row_number() over (partition by i.rule, i.severity, i.kind order by i.id) as place
  from scan.scans s
  join scan.drift_items i on i.org_id = s.org_id and i.account_id = s.account_id and i.first_seen_at = s.finished_at
  where s.org_id = :org_id and i.org_id = :org_id and s.id = :scan_id and i.status = 'open'
    and i.ignore_rule_id is null
) as found
group by rule, severity, kind
order by array_position(array['critical', 'high', 'medium', 'low'], severity), count(*) desc, rule
limit :most
"""
_ACCOUNT = """
select a.id, a.provider, a.name, a.external_account
from scan.scans s
join scan.cloud_accounts a on a.org_id = s.org_id and a.id = s.account_id
where s.org_id = :org_id and a.org_id = :org_id and s.id = :scan_id
"""
_KEY_NAME = """
select name
from core.api_keys
where org_id = :org_id and id = :key_id
"""
_ANALYSIS = """
select id, repository, branch, pull_request, risk_level, is_refused, summary
from analysis.analyses
where org_id = :org_id and id = :analysis_id
"""


def insert_out(tx: UnitOfWork, channel_id: UUID, *, content: Mapping[str, Any], **values: object) -> None:
    """Put a delivery in."""
    tx.execute(_INSERT, channel_id=channel_id, content=json.dumps(content), **values)


def find_collecting(tx: UnitOfWork, channel_id: UUID) -> Row | None:
    """Read the delivery that still collects notices; whoever calls holds the channel."""
    return tx.row(_FIND_COLLECTING, channel_id=channel_id)


def set_content(tx: UnitOfWork, out_id: UUID, *, content: Mapping[str, Any]) -> None:
    """Store what a delivery that collects holds now."""
    tx.execute(_SET_CONTENT, out_id=out_id, content=json.dumps(content))


def close_collecting(tx: UnitOfWork, channel_id: UUID, *, now: datetime) -> None:
    """End the collecting of a channel's delivery: it is due now."""
    tx.execute(_CLOSE_COLLECTING, channel_id=channel_id, now=now)


def hurry(tx: UnitOfWork, channel_id: UUID, *, now: datetime) -> None:
    """Let whatever waits for another try be due now."""
    tx.execute(_HURRY, channel_id=channel_id, now=now)


def take_head(tx: UnitOfWork, channel_id: UUID, *, now: datetime) -> Row | None:
    """Read the first delivery of a channel that has not ended, when it is due; from here on nothing is added to it."""
    return tx.row(_TAKE_HEAD, channel_id=channel_id, now=now)


def set_delivered(
    tx: UnitOfWork, out_id: UUID, *, response_status: int | None, response_start: str, now: datetime
) -> bool:
    """Store that a delivery went through; False when that was known."""
    values = {"response_status": response_status, "response_start": response_start or None}
    return tx.row(_DELIVERED, out_id=out_id, now=now, **values) is not None


def set_failed_try(tx: UnitOfWork, out_id: UUID, **values: object) -> None:
    """Store a try that failed, and when the next one is due."""
    tx.execute(_FAILED_TRY, out_id=out_id, **values)


def fail_waiting(tx: UnitOfWork, channel_id: UUID) -> int:
    """Give up whatever a channel was not told yet; returns how many deliveries."""
    return len(tx.rows(_FAIL_WAITING, channel_id=channel_id))


def list_out(tx: UnitOfWork, **values: object) -> Sequence[Row]:
    """List deliveries, newest first; a filter that is None lets every one pass."""
    return tx.rows(_LIST, **values)


def lock_out(tx: UnitOfWork, out_id: UUID) -> Row | None:
    """Read one delivery and hold it until the transaction ends; None when there is none."""
    return tx.row(_LOCK, out_id=out_id)


def replay_out(tx: UnitOfWork, out_id: UUID, *, now: datetime) -> Row:
    """Let a delivery be due again; returns its row."""
    return tx.rows(_REPLAY, out_id=out_id, now=now)[0]


def purge_out(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Delete deliveries that were put in before a time; returns how many."""
    return len(tx.rows(_PURGE, before=before, most=most))


def find_account_of_scan(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Read which account a scan was of."""
    return tx.row(_ACCOUNT, scan_id=scan_id)


def group_new_drift(tx: UnitOfWork, scan_id: UUID, *, most: int) -> Sequence[Row]:
    """Group by rule what a scan saw for the first time and is still open, worst first."""
    return tx.rows(_DRIFT, scan_id=scan_id, most=most)


def find_key_name(tx: UnitOfWork, key_id: UUID) -> str | None:
    """Read the name of an API key."""
    found = tx.row(_KEY_NAME, key_id=key_id)
    return str(found["name"]) if found else None


def find_analysis(tx: UnitOfWork, analysis_id: UUID) -> Row | None:
    """Read what is told of an analysis."""
    return tx.row(_ANALYSIS, analysis_id=analysis_id)
