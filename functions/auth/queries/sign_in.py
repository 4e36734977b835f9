"""SQL of sign-ins, people and how providers name them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_INSERT_SIGN_IN = """
insert into core.sign_ins (state_hash, provider, nonce, code_verifier, return_path, expires_at)
values (:state_hash, :provider, :nonce, :code_verifier, :return_path, :expires_at)
"""
_TAKE_SIGN_IN = """
delete from core.sign_ins
where state_hash = :state_hash
returning provider, nonce, code_verifier, return_path, expires_at
"""
_FIND_KNOWN = """
select u.id, u.email, u.disabled_at
from core.user_identities i
join core.users u on u.id = i.user_id
where i.issuer = :issuer and i.subject = :subject
"""
_FIND_ACCOUNT = "select id, email, disabled_at from core.users where lower(email) = lower(:email)"
_UPSERT_USER = """
insert into core.users (email, name)
values (:email, :name)
on conflict (lower(email)) do update set name = excluded.name
returning id, email, disabled_at
"""
_INSERT_IDENTITY = """
insert into core.user_identities (issuer, subject, user_id)
values (:issuer, :subject, :user_id)
on conflict do nothing
"""
_LIST_ALLOWED_DOMAINS = "select domain from core.allowed_domains"
_CLAIM_BOOTSTRAP = """
insert into core.platform_bootstrap (user_id)
select :user_id
where not exists (select from core.users where is_platform_admin)
on conflict do nothing
returning user_id
"""
_SET_PLATFORM_ADMIN = "update core.users set is_platform_admin = true where id = :user_id"


def insert_sign_in(tx: UnitOfWork, **values: object) -> None:
    """Remember a sign-in that begins."""
    tx.execute(_INSERT_SIGN_IN, **values)


def take_sign_in(tx: UnitOfWork, state_hash: bytes) -> Row | None:
    """Take a sign-in under way; it can be taken once."""
    return tx.row(_TAKE_SIGN_IN, state_hash=state_hash)


def find_known(tx: UnitOfWork, *, issuer: str, subject: str) -> Row | None:
    """Find the person whom a provider names by this subject."""
    return tx.row(_FIND_KNOWN, issuer=issuer, subject=subject)


def find_account(tx: UnitOfWork, email: str) -> Row | None:
    """Find the account with an e-mail address."""
    return tx.row(_FIND_ACCOUNT, email=email)


def upsert_user(tx: UnitOfWork, *, email: str, name: str) -> Row:
    """Find the person with this verified e-mail address, or make one."""
    return tx.rows(_UPSERT_USER, email=email, name=name)[0]


def insert_identity(tx: UnitOfWork, *, issuer: str, subject: str, user_id: UUID) -> None:
    """Remember how a provider names a person; a sign-in at the same moment may have done so already."""
    tx.execute(_INSERT_IDENTITY, issuer=issuer, subject=subject, user_id=user_id)


def list_allowed_domains(tx: UnitOfWork) -> AbstractSet[str]:
    """Return the domains of the people who run the platform."""
    return {row["domain"] for row in tx.rows(_LIST_ALLOWED_DOMAINS)}


def claim_bootstrap(tx: UnitOfWork, user_id: UUID) -> bool:
    """Make a person platform admin if nobody ever was one; says whether that happened."""
    if tx.row(_CLAIM_BOOTSTRAP, user_id=user_id) is None:
        return False
    tx.execute(_SET_PLATFORM_ADMIN, user_id=user_id)
    return True
