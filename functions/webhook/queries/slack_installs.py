"""All SQL on installations of our Slack app that are under way."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_PUT = """
insert into webhook.slack_installs (user_id, state_hash, name, created_at, expires_at)
values (:user_id, :state_hash, :name, :now, :expires_at)
on conflict (org_id, user_id) do update
set state_hash = excluded.state_hash, name = excluded.name, created_at = excluded.created_at, expires_at = excluded.expires_at
"""
_TAKE = """
delete from webhook.slack_installs
where org_id = :org_id and user_id = :user_id and state_hash = :state_hash
returning name, expires_at
"""


def put_install(
    tx: UnitOfWork, user_id: UUID, *, state_hash: bytes, name: str | None, now: datetime, expires_at: datetime
) -> None:
    """Remember an installation that begins; the one that the same person began before ends."""
    tx.execute(_PUT, user_id=user_id, state_hash=state_hash, name=name, now=now, expires_at=expires_at)


def take_install(tx: UnitOfWork, user_id: UUID, *, state_hash: bytes) -> Row | None:
    """Take an installation that this person began; it can be taken once."""
    return tx.row(_TAKE, user_id=user_id, state_hash=state_hash)
