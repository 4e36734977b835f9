"""SQL of plan noise: its settings, what was seen how often, and what is suppressed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.plan_noise import NoiseKey

MOST_SEEN = 20_000  # per organisation; what was not seen for longest goes first
MOST_PER_PLAN = 2_000
_KEPT_FOR = timedelta(days=90)
_MOST_DROPPED = 4_000
_SETTINGS = "is_enabled, times, days, hides_recurring, changed_at"
_SEEN = "id, type, address, attribute, reason, times, recent_at, first_seen_at, last_seen_at"
_SUPPRESSION = "id, attribute_pattern, type_pattern, address_pattern, reason, expires_at, created_by, created_at"

_GET_SETTINGS = f"select {_SETTINGS} from analysis.noise_settings where org_id = :org_id"
_PUT_SETTINGS = f"""
insert into analysis.noise_settings (is_enabled, times, days, hides_recurring, changed_at)
values (:is_enabled, :times, :days, :hides_recurring, :changed_at)
on conflict (org_id) do update
set is_enabled = excluded.is_enabled, times = excluded.times, days = excluded.days,
  hides_recurring = excluded.hides_recurring, changed_at = excluded.changed_at
returning {_SETTINGS}
"""
_LIST_SEEN = f"""
select {_SEEN}
from analysis.noise_seen
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
  and (cast(:type as text) is null or type = :type)
order by id desc
limit :most
"""
_RECORD = """
insert into analysis.noise_seen as n (key_sha256, type, address, attribute, reason, recent_at, first_seen_at, last_seen_at)
select s.key_sha256, s.type, s.address, s.attribute, s.reason, array[cast(:now as timestamptz)], cast(:now as timestamptz),
  cast(:now as timestamptz)
from jsonb_to_recordset(cast(:seen as jsonb)) as s (key_sha256 bytea, type text, address text, attribute text, reason text)
on conflict (org_id, key_sha256) do update
set times = n.times + 1, recent_at = excluded.recent_at || trim_array(n.recent_at, greatest(cardinality(n.recent_at) - 19, 0)),
  last_seen_at = excluded.last_seen_at
"""
# Passes over what another analysis holds: two that wait for each other would end each other.
_DROP_OLD = """
delete from analysis.noise_seen
where org_id = :org_id and id in (
  select n.id
  from analysis.noise_seen n
  where n.org_id = :org_id and (
    n.last_seen_at < :before
    or n.id in (
      select o.id from analysis.noise_seen o where o.org_id = :org_id order by o.last_seen_at desc, o.id desc
      offset :most_seen limit :most
    )
  )
  for update skip locked
)
"""
_LIST_SUPPRESSIONS = f"""
select {_SUPPRESSION}
from analysis.noise_suppressions
where org_id = :org_id and (expires_at is null or expires_at > :now)
order by id desc
limit :most
"""
_COUNT_SUPPRESSIONS = """
select count(*) as number
from analysis.noise_suppressions
where org_id = :org_id and (expires_at is null or expires_at > :now)
"""
_INSERT_SUPPRESSION = f"""
insert into analysis.noise_suppressions
  (attribute_pattern, type_pattern, address_pattern, reason, expires_at, created_by, created_at)
values (:attribute_pattern, :type_pattern, :address_pattern, :reason, :expires_at, :created_by, :created_at)
returning {_SUPPRESSION}
"""
_DELETE_SUPPRESSION = f"""
delete from analysis.noise_suppressions where org_id = :org_id and id = :suppression_id returning {_SUPPRESSION}
"""
_DROP_EXPIRED = "delete from analysis.noise_suppressions where org_id = :org_id and expires_at <= :before returning id"


def get_settings(tx: UnitOfWork) -> Row | None:
    """Read the settings; None when there are none, so that the defaults hold."""
    return tx.row(_GET_SETTINGS)


def put_settings(tx: UnitOfWork, **values: object) -> Row:
    """Store the settings; returns their row."""
    return tx.rows(_PUT_SETTINGS, **values)[0]


def list_seen(tx: UnitOfWork, *, after_id: UUID | None, kind: str | None, most: int) -> Sequence[Row]:
    """List what was seen, what is new first."""
    return tx.rows(_LIST_SEEN, after_id=after_id, type=kind, most=most)


def record_seen(tx: UnitOfWork, seen: Sequence[NoiseKey], *, now: datetime) -> None:
    """Remember the noise of one plan, and forget what was not seen for long."""
    if not seen:
        return
    rows = {_digest(key): key for key in seen[:MOST_PER_PLAN]}
    told = [
        {
            "key_sha256": "\\x" + digest,
            "type": key.type[:200],
            "address": key.address[:1000],
            "attribute": key.attribute[:200],
            "reason": key.reason[:200],
        }
        for digest, key in sorted(rows.items())  # one order for everybody, so that nobody waits in a circle
    ]
    tx.execute(_RECORD, seen=json.dumps(told), now=now)
    tx.execute(_DROP_OLD, before=now - _KEPT_FOR, most_seen=MOST_SEEN, most=_MOST_DROPPED)


def list_suppressions(tx: UnitOfWork, *, now: datetime, most: int) -> Sequence[Row]:
    """List suppressions that hold, newest first."""
    return tx.rows(_LIST_SUPPRESSIONS, now=now, most=most)


def count_suppressions(tx: UnitOfWork, *, now: datetime) -> int:
    """Count suppressions that hold."""
    return int(tx.rows(_COUNT_SUPPRESSIONS, now=now)[0]["number"])


def insert_suppression(tx: UnitOfWork, **values: object) -> Row:
    """Insert a suppression; returns its row."""
    return tx.rows(_INSERT_SUPPRESSION, **values)[0]


def delete_suppression(tx: UnitOfWork, suppression_id: UUID) -> Row:
    """Delete a suppression.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE_SUPPRESSION, suppression_id=suppression_id)


def drop_expired(tx: UnitOfWork, *, before: datetime) -> int:
    """Forget suppressions whose time is over; returns how many."""
    return len(tx.rows(_DROP_EXPIRED, before=before))


def _digest(key: NoiseKey) -> str:
    text = json.dumps([key.type, key.address, key.attribute, key.reason])
    return hashlib.sha256(text.encode()).hexdigest()
