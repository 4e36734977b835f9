"""SQL of what the people who run the platform see and change: domains, people, organisations."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_LIST_DOMAINS = """
select domain, created_by, created_at
from core.allowed_domains
where cast(:after_domain as text) is null or domain > cast(:after_domain as text)
order by domain
limit :most
"""
_INSERT_DOMAIN = """
insert into core.allowed_domains (domain, created_by)
values (:domain, :created_by)
returning domain, created_by, created_at
"""
_DELETE_DOMAIN = "delete from core.allowed_domains where domain = :domain returning domain"

_USER = "id, email, name, is_platform_admin, created_at, disabled_at"
_LIST_USERS = f"""
select {_USER}
from core.users
where (cast(:after_id as uuid) is null or id < cast(:after_id as uuid))
  and (cast(:search as text) is null or strpos(lower(email), lower(cast(:search as text))) > 0
    or strpos(lower(name), lower(cast(:search as text))) > 0)
  and (cast(:is_platform_admin as boolean) is null or is_platform_admin = cast(:is_platform_admin as boolean))
  and (cast(:is_disabled as boolean) is null or (disabled_at is not null) = cast(:is_disabled as boolean))
order by id desc
limit :most
"""
_GET_USER = f"select {_USER} from core.users where id = :user_id"
_LOCK_USER = f"{_GET_USER} for no key update"
# In one order for everybody, and always before the person who is changed.
_LOCK_ADMINS = """
select id
from core.users
where is_platform_admin and disabled_at is null
order by id
for no key update
"""
_SET_USER = """
update core.users
set is_platform_admin = :is_platform_admin, disabled_at = cast(:disabled_at as timestamptz)
where id = :user_id
"""
_END_SESSIONS = """
update core.sessions
set revoked_at = :now
where user_id = :user_id and revoked_at is null
returning id
"""
_DELETE_USER = "delete from core.users where id = :user_id"
_LIST_MEMBERSHIPS = """
select org_id, name, role, deleted_at, is_only_owner
from core.list_memberships(cast(:user_id as uuid))
"""
_LIST_ALL_ORGS = """
select id, name, plan, created_at, deleted_at, purged_at, members
from core.list_all_orgs(cast(:search as text), cast(:state as text), cast(:after_id as uuid), cast(:most as integer))
"""


def list_domains(tx: UnitOfWork, *, after_domain: str | None, most: int) -> Sequence[Row]:
    """List the domains of the people who run the platform, in order of the alphabet."""
    return tx.rows(_LIST_DOMAINS, after_domain=after_domain, most=most)


def insert_domain(tx: UnitOfWork, domain: str, *, created_by: UUID) -> Row:
    """Add a domain.

    Raises:
        UniqueViolated: it is there already.
    """
    return tx.rows(_INSERT_DOMAIN, domain=domain, created_by=created_by)[0]


def delete_domain(tx: UnitOfWork, domain: str) -> None:
    """Remove a domain.

    Raises:
        NotFound: (404 `not_found`).
    """
    tx.one(_DELETE_DOMAIN, domain=domain)


def list_users(tx: UnitOfWork, *, after_id: UUID | None, most: int, **filters: object) -> Sequence[Row]:
    """List people, newest first; filters that are None do not count."""
    return tx.rows(_LIST_USERS, after_id=after_id, most=most, **filters)


def get_user(tx: UnitOfWork, user_id: UUID) -> Row:
    """Read one person.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_USER, user_id=user_id)


def lock_admins(tx: UnitOfWork) -> AbstractSet[UUID]:
    """Hold the platform's admins with working accounts until the transaction ends; returns who they are."""
    return {row["id"] for row in tx.rows(_LOCK_ADMINS)}


def lock_user(tx: UnitOfWork, user_id: UUID) -> Row:
    """Hold one person until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK_USER, user_id=user_id)


def set_user(tx: UnitOfWork, user_id: UUID, *, is_platform_admin: bool, disabled_at: datetime | None) -> None:
    """Store whether a person runs the platform, and whether the account is switched off."""
    tx.execute(_SET_USER, user_id=user_id, is_platform_admin=is_platform_admin, disabled_at=disabled_at)


def end_sessions(tx: UnitOfWork, user_id: UUID, *, now: datetime) -> int:
    """End all sessions of a person; returns how many."""
    return len(tx.rows(_END_SESSIONS, user_id=user_id, now=now))


def delete_user(tx: UnitOfWork, user_id: UUID) -> None:
    """Delete a person who belongs to no organisation.

    Raises:
        RowInUse: the person belongs to one.
    """
    tx.execute(_DELETE_USER, user_id=user_id)


def list_memberships(db: Lookups, user_id: UUID) -> Sequence[Row]:
    """List every organisation a person belongs to, deleted ones too."""
    return db.lookup(_LIST_MEMBERSHIPS, user_id=user_id)


def list_all_orgs(
    db: Lookups, *, search: str | None, state: str | None, after_id: UUID | None, most: int
) -> Sequence[Row]:
    """List all organisations, newest first."""
    return db.lookup(_LIST_ALL_ORGS, search=search, state=state, after_id=after_id, most=most)
