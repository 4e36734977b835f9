"""SQL of the tokens that directories call with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_LOCK_TOKENS = "select pg_advisory_xact_lock(hashtextextended('scim-tokens:' || cast(:org_id as text), 0))"
_COUNT_LIVE = """
select count(*) as live
from scim.tokens t
where t.org_id = :org_id and t.revoked_at is null and (t.expires_at is null or t.expires_at > :now)
"""
_INSERT = """
insert into scim.tokens (public_id, secret_hash, pepper_version, name, created_by, expires_at)
values (:public_id, :secret_hash, :pepper_version, :name, :created_by, cast(:expires_at as timestamptz))
returning id, public_id, name, created_by, created_at, expires_at, last_used_at, revoked_at
"""
_LIST = """
select t.id, t.public_id, t.name, t.created_by, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
from scim.tokens t
where t.org_id = :org_id and (cast(:after_id as uuid) is null or t.id < cast(:after_id as uuid))
order by t.id desc
limit :most offset :skipped
"""
_LOCK = """
select t.id, t.name, t.revoked_at
from scim.tokens t
where t.org_id = :org_id and t.id = :token_id
for no key update
"""
_SET_REVOKED = """
update scim.tokens
set revoked_at = :revoked_at
where org_id = :org_id and id = :token_id
"""


def count_live_tokens(tx: UnitOfWork, *, now: datetime) -> int:
    """Count the tokens that work; other makers wait until the transaction ends, so that the count stays true."""
    tx.execute(_LOCK_TOKENS)
    return int(tx.rows(_COUNT_LIVE, now=now)[0]["live"])


def insert_token(tx: UnitOfWork, **values: object) -> Row:
    """Insert a token; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_tokens(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List tokens, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def lock_token(tx: UnitOfWork, token_id: UUID) -> Row:
    """Hold one token until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, token_id=token_id)


def set_token_revoked(tx: UnitOfWork, token_id: UUID, revoked_at: datetime) -> None:
    """Store when a token was revoked."""
    tx.execute(_SET_REVOKED, token_id=token_id, revoked_at=revoked_at)
