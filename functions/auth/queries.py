"""All SQL of the function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_INSERT_SIGN_IN = """
insert into core.sign_ins (state_hash, nonce, code_verifier, return_path, expires_at)
values (:state_hash, :nonce, :code_verifier, :return_path, :expires_at)
"""
_DELETE_EXPIRED_SIGN_INS = "delete from core.sign_ins where expires_at < :now"
_TAKE_SIGN_IN = """
delete from core.sign_ins
where state_hash = :state_hash
returning nonce, code_verifier, return_path, expires_at
"""
_FIND_IDENTITY = """
select i.user_id
from core.user_identities i
join core.users u on u.id = i.user_id and u.disabled_at is null
where i.issuer = :issuer and i.subject = :subject
"""
_UPSERT_USER = """
insert into core.users (email, name)
values (:email, :name)
on conflict (lower(email)) do update set name = excluded.name
returning id, disabled_at
"""
_INSERT_IDENTITY = """
insert into core.user_identities (issuer, subject, user_id)
values (:issuer, :subject, :user_id)
on conflict do nothing
"""
_LIST_ORGS = """
select id, name, plan, role, created_at
from core.list_orgs_of_user(cast(:user_id as uuid), cast(:after_id as uuid), cast(:most as integer))
"""
_INSERT_ORG = "insert into core.orgs (name) values (:name) returning id, name, plan, created_at"
_INSERT_OWNER = "insert into core.members (user_id, role) values (:user_id, 'owner')"
_GET_ORG = "select id, name, plan, created_at from core.orgs where id = :org_id and deleted_at is null"


def insert_sign_in(tx: UnitOfWork, **values: object) -> None:
    """Remember a sign-in that begins."""
    tx.execute(_INSERT_SIGN_IN, **values)


def delete_expired_sign_ins(tx: UnitOfWork, *, now: datetime) -> None:
    """Forget sign-ins that nobody finished."""
    tx.execute(_DELETE_EXPIRED_SIGN_INS, now=now)


def take_sign_in(tx: UnitOfWork, state_hash: bytes) -> Row | None:
    """Take a sign-in under way; it can be taken once."""
    return tx.row(_TAKE_SIGN_IN, state_hash=state_hash)


def find_identity(tx: UnitOfWork, *, issuer: str, subject: str) -> UUID | None:
    """Find the enabled person whom a provider names by this subject."""
    found = tx.row(_FIND_IDENTITY, issuer=issuer, subject=subject)
    return found["user_id"] if found else None


def upsert_user(tx: UnitOfWork, *, email: str, name: str) -> Row:
    """Find the person with this verified e-mail address, or make one."""
    return tx.rows(_UPSERT_USER, email=email, name=name)[0]


def insert_identity(tx: UnitOfWork, *, issuer: str, subject: str, user_id: UUID) -> None:
    """Remember how a provider names a person; a sign-in at the same moment may have done so already."""
    tx.execute(_INSERT_IDENTITY, issuer=issuer, subject=subject, user_id=user_id)


def list_orgs(db: Lookups, user_id: UUID, *, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List the organisations of a person, by id."""
    return db.lookup(_LIST_ORGS, user_id=user_id, after_id=after_id, most=most)


def insert_org(tx: UnitOfWork, *, name: str, owner_id: UUID) -> Row:
    """Make the organisation of this unit of work, with its first owner."""
    row = tx.rows(_INSERT_ORG, name=name)[0]
    tx.execute(_INSERT_OWNER, user_id=owner_id)
    return row


def get_org(tx: UnitOfWork) -> Row:
    """Read the organisation of this unit of work.

    Raises:
        NotFound: (404 `not_found`).
    """
    found = tx.row(_GET_ORG)
    if found is None:
        raise NotFound
    return found
