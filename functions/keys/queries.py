"""All SQL of the function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_COLUMNS = "id, public_id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at"

_LOCK_KEYS = "select pg_advisory_xact_lock(hashtextextended('keys:' || cast(:org_id as text), 0))"
_COUNT_LIVE_KEYS = """
select count(*) as live
from core.api_keys
where org_id = :org_id and revoked_at is null and (expires_at is null or expires_at > :now)
"""
_INSERT_KEY = f"""
insert into core.api_keys (public_id, secret_hash, pepper_version, name, scopes, created_by, expires_at)
values (:public_id, :secret_hash, :pepper_version, :name, :scopes, :created_by, :expires_at)
returning {_COLUMNS}
"""
_LIST_KEYS = f"""
select {_COLUMNS}
from core.api_keys
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET_KEY = f"""
select {_COLUMNS}
from core.api_keys
where org_id = :org_id and id = :key_id
"""
_LOCK_KEY = f"{_GET_KEY} for update"
_SET_REVOKED_AT = """
update core.api_keys
set revoked_at = :revoked_at
where org_id = :org_id and id = :key_id
"""


def count_live_keys(tx: UnitOfWork, *, now: datetime) -> int:
    """Count the keys that work; holds off other makers until the transaction ends, so that the count stays true."""
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
    return _found(tx.row(_GET_KEY, key_id=key_id))


def lock_key(tx: UnitOfWork, key_id: UUID) -> Row:
    """Read one key and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_LOCK_KEY, key_id=key_id))


def set_revoked_at(tx: UnitOfWork, key_id: UUID, revoked_at: datetime) -> None:
    """Store when a key was revoked."""
    tx.execute(_SET_REVOKED_AT, key_id=key_id, revoked_at=revoked_at)


def _found(row: dict[str, Any] | None) -> Row:
    if row is None:
        raise NotFound
    return row
