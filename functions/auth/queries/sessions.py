"""SQL of sessions, refresh tokens, device grants and logout tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_INSERT_SESSION = """
insert into core.sessions
  (id, user_id, kind, secret_hash, issuer, subject, issuer_session, bound_org_id, signed_in_at, last_seen_at, expires_at,
   user_agent, address)
values
  (:id, :user_id, :kind, :secret_hash, :issuer, :subject, :issuer_session, cast(:bound_org_id as uuid), :signed_in_at,
   :last_seen_at, :expires_at, :user_agent, :address)
"""
_GET_SESSION = """
select id, user_id, issuer, subject, issuer_session, bound_org_id, signed_in_at, last_seen_at, expires_at, revoked_at
from core.sessions
where id = :session_id
"""
_LOCK_SESSION = f"{_GET_SESSION} for share"
_LIST_SESSIONS = """
select id, kind, user_agent, address, signed_in_at, created_at, last_seen_at, expires_at
from core.sessions
where user_id = :user_id and revoked_at is null and expires_at > :now and last_seen_at > :idle_since
  and (cast(:after_id as uuid) is null or id < cast(:after_id as uuid))
order by id desc
limit :most
"""
_REVOKE_SESSION = """
update core.sessions
set revoked_at = :now
where id = :session_id and user_id = :user_id and revoked_at is null
returning id
"""
_REVOKE_OTHERS = """
update core.sessions
set revoked_at = :now
where user_id = :user_id and id <> :kept_id and revoked_at is null
returning id
"""
_REVOKE_AT_ISSUER = """
update core.sessions
set revoked_at = :now
where issuer = :issuer and revoked_at is null
  and (cast(:subject as text) is null or subject = cast(:subject as text))
  and (cast(:issuer_session as text) is null or issuer_session = cast(:issuer_session as text))
returning id
"""
_TOUCH_SESSION = "update core.sessions set last_seen_at = :now where id = :session_id"
_INSERT_REFRESH = "insert into core.refresh_tokens (token_hash, session_id) values (:token_hash, :session_id)"
_LOCK_REFRESH = """
with locked as (
  select session_id, used_at
  from core.refresh_tokens
  where token_hash = :token_hash
  for update
)
select locked.session_id, locked.used_at, s.user_id, s.signed_in_at, s.last_seen_at, s.expires_at, s.revoked_at, u.disabled_at
from locked
join core.sessions s on s.id = locked.session_id
join core.users u on u.id = s.user_id
"""
_SET_REFRESH_USED = "update core.refresh_tokens set used_at = :now where token_hash = :token_hash"
_INSERT_DEVICE = """
insert into core.device_grants (device_code_hash, user_code_hash, client_name, address, expires_at)
values (:device_code_hash, :user_code_hash, :client_name, :address, :expires_at)
"""
_DEVICE = "client_name, address, created_at, expires_at, polled_at, approved_by, denied_at"
_LOCK_DEVICE = f"""
select {_DEVICE}
from core.device_grants
where device_code_hash = :device_code_hash
for update
"""
_FIND_WAITING_DEVICE = f"""
select {_DEVICE}
from core.device_grants
where user_code_hash = :user_code_hash
for update
"""
_SET_DEVICE_POLLED = "update core.device_grants set polled_at = :now where device_code_hash = :device_code_hash"
_APPROVE_DEVICE = "update core.device_grants set approved_by = :session_id where user_code_hash = :user_code_hash"
_DENY_DEVICE = "update core.device_grants set denied_at = :now where user_code_hash = :user_code_hash"
_DELETE_DEVICE = "delete from core.device_grants where device_code_hash = :device_code_hash"
_CLAIM_NOTICE = """
insert into core.logout_tokens (issuer, jti, expires_at)
values (:issuer, :jti, :expires_at)
on conflict do nothing
returning jti
"""


def insert_session(tx: UnitOfWork, **values: object) -> None:
    """Begin a session."""
    tx.execute(_INSERT_SESSION, **values)


def get_session(tx: UnitOfWork, session_id: UUID) -> Row | None:
    """Read one session."""
    return tx.row(_GET_SESSION, session_id=session_id)


def lock_session(tx: UnitOfWork, session_id: UUID) -> Row | None:
    """Read a session that another one is begun from; whoever ends it waits, and ends the new one too."""
    return tx.row(_LOCK_SESSION, session_id=session_id)


def list_sessions(tx: UnitOfWork, user_id: UUID, **values: object) -> Sequence[Row]:
    """List a person's live sessions, newest first."""
    return tx.rows(_LIST_SESSIONS, user_id=user_id, **values)


def revoke_session(tx: UnitOfWork, session_id: UUID, *, user_id: UUID, now: datetime) -> bool:
    """End one session of a person; says whether it was alive."""
    return tx.row(_REVOKE_SESSION, session_id=session_id, user_id=user_id, now=now) is not None


def revoke_others(tx: UnitOfWork, user_id: UUID, *, kept_id: UUID, now: datetime) -> int:
    """End all sessions of a person but one; returns how many."""
    return _revoke_all(tx, _REVOKE_OTHERS, user_id=user_id, kept_id=kept_id, now=now)


def revoke_at_issuer(
    tx: UnitOfWork, *, issuer: str, subject: str | None, issuer_session: str | None, now: datetime
) -> int:
    """End the sessions that a provider's notice names; returns how many."""
    return _revoke_all(tx, _REVOKE_AT_ISSUER, issuer=issuer, subject=subject, issuer_session=issuer_session, now=now)


def _revoke_all(tx: UnitOfWork, sql: str, **values: object) -> int:
    """Revoke until none is left: the first statement does not see a session that began while it waited for another's lock."""
    ended = 0
    while rows := tx.rows(sql, **values):
        ended += len(rows)
    return ended


def touch_session(tx: UnitOfWork, session_id: UUID, *, now: datetime) -> None:
    """Note that a session is in use."""
    tx.execute(_TOUCH_SESSION, session_id=session_id, now=now)


def insert_refresh(tx: UnitOfWork, *, token_hash: bytes, session_id: UUID) -> None:
    """Remember a refresh token that was handed out."""
    tx.execute(_INSERT_REFRESH, token_hash=token_hash, session_id=session_id)


def lock_refresh(tx: UnitOfWork, token_hash: bytes) -> Row | None:
    """Lock a refresh token and read it with its session."""
    return tx.row(_LOCK_REFRESH, token_hash=token_hash)


def set_refresh_used(tx: UnitOfWork, token_hash: bytes, *, now: datetime) -> None:
    """Use a refresh token up."""
    tx.execute(_SET_REFRESH_USED, token_hash=token_hash, now=now)


def insert_device(tx: UnitOfWork, **values: object) -> None:
    """Remember a terminal that waits."""
    tx.execute(_INSERT_DEVICE, **values)


def lock_device(tx: UnitOfWork, device_code_hash: bytes) -> Row | None:
    """Lock the grant that a terminal polls for."""
    return tx.row(_LOCK_DEVICE, device_code_hash=device_code_hash)


def find_waiting_device(tx: UnitOfWork, user_code_hash: bytes) -> Row | None:
    """Lock the grant that a person typed the code of."""
    return tx.row(_FIND_WAITING_DEVICE, user_code_hash=user_code_hash)


def set_device_polled(tx: UnitOfWork, device_code_hash: bytes, *, now: datetime) -> None:
    """Note when a terminal last asked."""
    tx.execute(_SET_DEVICE_POLLED, device_code_hash=device_code_hash, now=now)


def approve_device(tx: UnitOfWork, user_code_hash: bytes, *, session_id: UUID) -> None:
    """Let a terminal in, by the session that approves it."""
    tx.execute(_APPROVE_DEVICE, user_code_hash=user_code_hash, session_id=session_id)


def deny_device(tx: UnitOfWork, user_code_hash: bytes, *, now: datetime) -> None:
    """Turn a terminal away."""
    tx.execute(_DENY_DEVICE, user_code_hash=user_code_hash, now=now)


def delete_device(tx: UnitOfWork, device_code_hash: bytes) -> None:
    """Forget a grant that was redeemed."""
    tx.execute(_DELETE_DEVICE, device_code_hash=device_code_hash)


def claim_logout_token(tx: UnitOfWork, *, issuer: str, jti: str, expires_at: datetime) -> bool:
    """Take a logout token; says whether it is the first time."""
    return tx.row(_CLAIM_NOTICE, issuer=issuer, jti=jti, expires_at=expires_at) is not None
