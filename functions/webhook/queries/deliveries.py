"""All SQL on deliveries that came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, config_id, provider, external_id, proved_by, event_kind, status, tries, repeats, error_code, error_detail,
  body_sha256, body_bytes, body_encrypted is not null as has_body, received_at, handled_at"""

# The same body is claimed anew once a day has passed; of two at once the second waits here for the first.
_CLAIM_BODY = """
insert into webhook.body_claims as b (config_id, body_sha256, taken_as, claimed_at)
values (:config_id, :body_sha256, :taken_as, cast(:now as timestamptz))
on conflict (org_id, config_id, body_sha256) do update
set taken_as = excluded.taken_as, claimed_at = excluded.claimed_at
where b.claimed_at <= excluded.claimed_at - interval '1 day'
returning taken_as
"""
_RELEASE_BODY = """
delete from webhook.body_claims
where org_id = :org_id and config_id = :config_id and body_sha256 = :body_sha256 and taken_as = :taken_as
"""
_INSERT = """
insert into webhook.deliveries_in
  (id, config_id, provider, external_id, proved_by, content_type, event_name, body_sha256, body_bytes, body_encrypted, received_at)
values
  (:id, :config_id, :provider, :external_id, :proved_by, :content_type, :event_name, :body_sha256, :body_bytes, :body_encrypted,
   :received_at)
on conflict (org_id, config_id, external_id) do nothing
returning id
"""
_COUNT_REPEAT = """
update webhook.deliveries_in
set repeats = repeats + 1
where org_id = :org_id and id = coalesce(
  (select d.id from webhook.deliveries_in d
   where d.org_id = :org_id and d.config_id = :config_id and d.external_id = cast(:external_id as text)),
  (select b.taken_as from webhook.body_claims b
   where b.org_id = :org_id and b.config_id = :config_id and b.body_sha256 = :body_sha256)
)
"""
_LIST = f"""
select {_COLUMNS}
from webhook.deliveries_in
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
  and (cast(:config_id as uuid) is null or config_id = :config_id)
  and (cast(:provider as text) is null or provider = :provider)
  and (cast(:status as text) is null or status = :status)
  and (cast(:proved_by as text) is null or proved_by = :proved_by)
order by id desc
limit :most offset :skipped
"""
_BEGIN = """
update webhook.deliveries_in
set tries = tries + 1
where org_id = :org_id and id = :delivery_id and status = 'received'
returning id, config_id, provider, event_name, content_type, body_encrypted
"""
_END = """
update webhook.deliveries_in
set status = :status, event_kind = coalesce(:event_kind, event_kind), error_code = :error_code, error_detail = :error_detail,
  handled_at = :now
where org_id = :org_id and id = :delivery_id and status = 'received'
returning id, config_id, provider, event_kind
"""
_NOTE_KIND = """
update webhook.deliveries_in
set event_kind = :event_kind
where org_id = :org_id and id = :delivery_id and status = 'received'
returning id
"""
_LOCK = f"select {_COLUMNS} from webhook.deliveries_in where org_id = :org_id and id = :delivery_id for no key update"
_RESET = f"""
update webhook.deliveries_in
set status = 'received', error_code = null, error_detail = null, handled_at = null
where org_id = :org_id and id = :delivery_id
returning {_COLUMNS}
"""
_LIST_ORGS_TO_PURGE = """
select org_id
from webhook.list_orgs_to_purge(
  cast(:rows_before as timestamptz), cast(:bodies_before as timestamptz), cast(:claims_before as timestamptz),
  cast(:secrets_before as timestamptz), cast(:most as integer)
)
"""
_PURGE_ROWS = """
delete from webhook.deliveries_in
where org_id = :org_id and id in (
  select d.id from webhook.deliveries_in d where d.org_id = :org_id and d.received_at <= :before order by d.id limit :most
)
returning id
"""
_PURGE_BODIES = """
update webhook.deliveries_in
set body_encrypted = null, body_purged_at = :now
where org_id = :org_id and id in (
  select d.id from webhook.deliveries_in d
  where d.org_id = :org_id and d.body_purged_at is null and d.received_at <= :before
  order by d.id limit :most
)
returning id
"""
_PURGE_CLAIMS = """
delete from webhook.body_claims
where org_id = :org_id and claimed_at <= :before and (config_id, body_sha256) in (
  select b.config_id, b.body_sha256 from webhook.body_claims b
  where b.org_id = :org_id and b.claimed_at <= :before
  order by b.claimed_at limit :most
)
returning taken_as
"""


def claim_body(tx: UnitOfWork, config_id: UUID, body_sha256: bytes, delivery_id: UUID, *, now: datetime) -> bool:
    """Claim a body for this delivery; False when the same one was taken in during the last day."""
    return bool(tx.rows(_CLAIM_BODY, config_id=config_id, body_sha256=body_sha256, taken_as=delivery_id, now=now))


def release_body(tx: UnitOfWork, config_id: UUID, body_sha256: bytes, delivery_id: UUID) -> None:
    """Give back a claim of this transaction, whose delivery was not taken in after all."""
    tx.execute(_RELEASE_BODY, config_id=config_id, body_sha256=body_sha256, taken_as=delivery_id)


def insert_delivery(tx: UnitOfWork, **values: object) -> bool:
    """Insert a delivery; False when the config has one of the same name."""
    return bool(tx.rows(_INSERT, **values))


def count_repeat(tx: UnitOfWork, config_id: UUID, *, external_id: str | None, body_sha256: bytes) -> None:
    """Note at the delivery that was taken in that it came again."""
    tx.execute(_COUNT_REPEAT, config_id=config_id, external_id=external_id, body_sha256=body_sha256)


def list_deliveries(tx: UnitOfWork, **values: object) -> Sequence[Row]:
    """List deliveries, newest first; a filter that is None lets every one pass."""
    return tx.rows(_LIST, **values)


def begin_delivery(tx: UnitOfWork, delivery_id: UUID) -> Row | None:
    """Count a try of a delivery that waits to be worked on; None when it does not (any more)."""
    return tx.row(_BEGIN, delivery_id=delivery_id)


def end_delivery(
    tx: UnitOfWork,
    delivery_id: UUID,
    *,
    status: str,
    event_kind: str | None,
    error_code: str | None,
    now: datetime,
    error_detail: str | None = None,
) -> Row | None:
    """Store what became of a delivery, once; None when it has ended already."""
    return tx.row(
        _END,
        delivery_id=delivery_id,
        status=status,
        event_kind=event_kind,
        error_code=error_code,
        error_detail=error_detail,
        now=now,
    )


def note_kind(tx: UnitOfWork, delivery_id: UUID, event_kind: str) -> bool:
    """Note what a delivery is about while the work on it goes on; False when it has ended already."""
    return bool(tx.rows(_NOTE_KIND, delivery_id=delivery_id, event_kind=event_kind))


def lock_delivery(tx: UnitOfWork, delivery_id: UUID) -> Row:
    """Read one delivery and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, delivery_id=delivery_id)


def reset_delivery(tx: UnitOfWork, delivery_id: UUID) -> Row:
    """Let a delivery wait to be worked on again; returns its row."""
    return tx.rows(_RESET, delivery_id=delivery_id)[0]


def list_orgs_to_purge(
    db: Lookups,
    *,
    rows_before: datetime,
    bodies_before: datetime,
    claims_before: datetime,
    secrets_before: datetime,
    most: int,
) -> list[UUID]:
    """List organisations that hold something whose time is over."""
    found = db.lookup(
        _LIST_ORGS_TO_PURGE,
        rows_before=rows_before,
        bodies_before=bodies_before,
        claims_before=claims_before,
        secrets_before=secrets_before,
        most=most,
    )
    return [row["org_id"] for row in found]


def purge_rows(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Delete deliveries that came before a time; returns how many."""
    return len(tx.rows(_PURGE_ROWS, before=before, most=most))


def purge_bodies(tx: UnitOfWork, *, before: datetime, now: datetime, most: int) -> int:
    """Forget the bodies of deliveries that came before a time; returns how many."""
    return len(tx.rows(_PURGE_BODIES, before=before, now=now, most=most))


def purge_claims(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Forget bodies that were claimed before a time; returns how many."""
    return len(tx.rows(_PURGE_CLAIMS, before=before, most=most))
