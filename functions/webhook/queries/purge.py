"""The SQL of purging the shared tables, organisation by organisation."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_LIST_ORGS = """
select org_id
from core.list_orgs_with_old_rows(
  cast(:keys_kept_seconds as integer), cast(:claims_kept_seconds as integer), cast(:outbox_kept_seconds as integer),
  cast(:after_id as uuid), cast(:most as integer)
)
"""
# A key that a request takes over at this moment is that request's; who waited for it would keep everybody waiting behind it.
_DELETE_KEYS = """
with old as (
  select key
  from core.idempotency_keys
  where org_id = :org_id and created_at < now() - make_interval(secs => cast(:kept_seconds as integer))
  order by created_at
  limit :most
  for update skip locked
)
delete from core.idempotency_keys k
using old
where k.org_id = :org_id and k.key = old.key
returning k.created_at
"""
_DELETE_CLAIMS = """
with old as (
  select subscription, event_id
  from core.event_claims
  where org_id = :org_id and created_at < now() - make_interval(secs => cast(:kept_seconds as integer))
  order by created_at
  limit :most
)
delete from core.event_claims c
using old
where c.org_id = :org_id and c.subscription = old.subscription and c.event_id = old.event_id
returning c.created_at
"""
_DELETE_OUTBOX = """
with old as (
  select id
  from core.outbox
  where org_id = :org_id and created_at < now() - make_interval(secs => cast(:kept_seconds as integer))
    and taken_at is not null
  order by id
  limit :most
  for update skip locked
)
delete from core.outbox b
using old
where b.org_id = :org_id and b.id = old.id
returning b.topic
"""


def list_orgs(
    db: Lookups,
    *,
    keys_kept_seconds: int,
    claims_kept_seconds: int,
    outbox_kept_seconds: int,
    after_id: UUID | None,
    most: int,
) -> Sequence[UUID]:
    """List organisations with rows that are older than they are kept, by id."""
    rows = db.lookup(
        _LIST_ORGS,
        keys_kept_seconds=keys_kept_seconds,
        claims_kept_seconds=claims_kept_seconds,
        outbox_kept_seconds=outbox_kept_seconds,
        after_id=after_id,
        most=most,
    )
    return [row["org_id"] for row in rows]


def delete_keys(tx: UnitOfWork, *, kept_seconds: int, most: int) -> int:
    """Delete the oldest replies to repeated requests; returns how many."""
    return len(tx.rows(_DELETE_KEYS, kept_seconds=kept_seconds, most=most))


def delete_claims(tx: UnitOfWork, *, kept_seconds: int, most: int) -> int:
    """Forget the oldest events that were handled; returns how many."""
    return len(tx.rows(_DELETE_CLAIMS, kept_seconds=kept_seconds, most=most))


def delete_outbox(tx: UnitOfWork, *, kept_seconds: int, most: int) -> Sequence[Row]:
    """Give up the oldest messages that the relay tried in vain; returns their topics."""
    return tx.rows(_DELETE_OUTBOX, kept_seconds=kept_seconds, most=most)
