"""All SQL of the function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """
  k.id, k.public_id, k.name, k.scopes, cast(k.cidrs as text[]) as cidrs, k.created_by, k.created_at, k.expires_at,
  k.last_used_at, k.revoked_at, k.replaces_id, n.id as replaced_by_id
"""
_LOCK_KEYS = "select pg_advisory_xact_lock(hashtextextended('keys:' || cast(:org_id as text), 0))"
_COUNT_LIVE_KEYS = """
select count(*) as live
from core.api_keys k
left join core.api_keys n on n.org_id = :org_id and n.replaces_id = k.id and n.revoked_at is null
  and (n.expires_at is null or n.expires_at > :now)
where k.org_id = :org_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > :now) and n.id is null
"""
_INSERT_KEY = """
insert into core.api_keys
  (public_id, secret_hash, pepper_version, name, scopes, cidrs, created_by, expires_at, replaces_id)
values
  (:public_id, :secret_hash, :pepper_version, :name, :scopes, cast(cast(:cidrs as text[]) as cidr[]), :created_by,
   :expires_at, :replaces_id)
returning id, public_id, name, scopes, cast(cidrs as text[]) as cidrs, created_by, created_at, expires_at, last_used_at,
  revoked_at, replaces_id, cast(null as uuid) as replaced_by_id
"""
_LIST_KEYS = f"""
select {_COLUMNS}
from core.api_keys k
left join core.api_keys n on n.org_id = :org_id and n.replaces_id = k.id
where k.org_id = :org_id and (cast(:after_id as uuid) is null or k.id < :after_id)
order by k.id desc
limit :most offset :skipped
"""
_GET_KEY = f"""
select {_COLUMNS}
from core.api_keys k
left join core.api_keys n on n.org_id = :org_id and n.replaces_id = k.id
where k.org_id = :org_id and k.id = :key_id
"""
_LOCK_KEY = """
select id
from core.api_keys
where org_id = :org_id and id = :key_id
for no key update
"""
_SET_REVOKED_AT = """
update core.api_keys
set revoked_at = :revoked_at
where org_id = :org_id and id = :key_id
"""
_REVOKE_LIVE = """
update core.api_keys
set revoked_at = :revoked_at
where org_id = :org_id and id = :key_id and revoked_at is null
returning name
"""
_SET_EXPIRES_AT = """
update core.api_keys
set expires_at = :expires_at
where org_id = :org_id and id = :key_id
"""
_FIND_REPORTED_KEYS = """
select org_id, key_id, public_id, secret_hash, pepper_version, is_live
from core.find_reported_api_keys(:public_ids)
"""


def count_live_keys(tx: UnitOfWork, *, now: datetime) -> int:
    """Count the keys that work; a key and the one that takes over from it are one while both do.

    Holds off other makers until the transaction ends, so that the count stays true.
    """
    tx.execute(_LOCK_KEYS)
    found = tx.row(_COUNT_LIVE_KEYS, now=now)
    return int(found["live"]) if found else 0


def insert_key(tx: UnitOfWork, **values: object) -> Row:
    """Insert a key; returns its row."""
    return tx.rows(_INSERT_KEY, **values)[0]


def list_keys(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List keys, newest first."""
    return tx.rows(_LIST_KEYS, after_id=after_id, most=most, skipped=skipped)


def get_key(tx: UnitOfWork, key_id: UUID) -> Row:
    """Read one key.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_KEY, key_id=key_id)


def lock_key(tx: UnitOfWork, key_id: UUID) -> Row:
    """Hold one key until the transaction ends, then read it: what another transaction did meanwhile is seen.

    Raises:
        NotFound: (404 `not_found`).
    """
    tx.one(_LOCK_KEY, key_id=key_id)
    return get_key(tx, key_id)


def set_revoked_at(tx: UnitOfWork, key_id: UUID, revoked_at: datetime) -> None:
    """Store when a key was revoked."""
    tx.execute(_SET_REVOKED_AT, key_id=key_id, revoked_at=revoked_at)


def revoke_live(tx: UnitOfWork, key_id: UUID, revoked_at: datetime) -> str | None:
    """Revoke a key if it is not; returns its name, None when it was revoked before."""
    found = tx.row(_REVOKE_LIVE, key_id=key_id, revoked_at=revoked_at)
    return str(found["name"]) if found else None


def set_expires_at(tx: UnitOfWork, key_id: UUID, expires_at: datetime) -> None:
    """Store when a key ends."""
    tx.execute(_SET_EXPIRES_AT, key_id=key_id, expires_at=expires_at)


def find_reported_keys(lookups: Lookups, public_ids: Sequence[str]) -> Sequence[Row]:
    """Find keys of any organisation by their public ids, revoked ones too."""
    return lookups.lookup(_FIND_REPORTED_KEYS, public_ids=list(public_ids))
