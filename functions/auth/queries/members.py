"""SQL of members and invitations. Whoever changes them holds the organisation first (`queries.orgs.lock_org`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_MEMBER = "m.user_id as id, u.email, u.name, m.role, u.disabled_at is not null as is_disabled, m.created_at"
_LIST_MEMBERS = f"""
select {_MEMBER}
from core.members m
join core.users u on u.id = m.user_id
where m.org_id = :org_id and (cast(:after_id as uuid) is null or m.user_id > cast(:after_id as uuid))
order by m.user_id
limit :most offset :skipped
"""
_GET_MEMBER = f"""
select {_MEMBER}
from core.members m
join core.users u on u.id = m.user_id
where m.org_id = :org_id and m.user_id = :user_id
"""
_FIND_MEMBER_BY_EMAIL = """
select m.user_id
from core.members m
join core.users u on u.id = m.user_id
where m.org_id = :org_id and lower(u.email) = lower(:email)
"""
_COUNT_OWNERS = """
select count(*) as owners
from core.members m
join core.users u on u.id = m.user_id and u.disabled_at is null
where m.org_id = :org_id and m.role = 'owner' and m.user_id is distinct from cast(:but_id as uuid)
"""
# Of several resources with one address, one that is on is enough.
_FIND_SWITCHED_OFF = """
select count(*) > 0 and not bool_or(d.active) as is_off
from scim.users d
where d.org_id = :org_id and (d.user_id = :user_id or d.email_key = lower(cast(:email as text)))
"""
_COUNT_MEMBERS = "select count(*) as members from core.members where org_id = :org_id"
_INSERT_MEMBER = "insert into core.members (user_id, role) values (:user_id, :role)"
_SET_ROLE = "update core.members set role = :role where org_id = :org_id and user_id = :user_id"
_DELETE_MEMBER = "delete from core.members where org_id = :org_id and user_id = :user_id"

_INVITATION = """
  i.id, i.email, i.role, i.invited_by, i.created_at, i.expires_at, i.accepted_at, i.revoked_at,
  case when u.id is not null then m.role end as maker_role
"""
_MADE_BY = """
left join core.members m on m.org_id = :org_id and m.user_id = i.invited_by
left join core.users u on u.id = m.user_id and u.disabled_at is null
"""
_FIND_WHOSE = "select org_id, invitation_id from core.find_invitation(:token_hash)"
_LIST_INVITATIONS = f"""
select {_INVITATION}
from core.invitations i
{_MADE_BY}
where i.org_id = :org_id and (cast(:after_id as uuid) is null or i.id < cast(:after_id as uuid))
order by i.id desc
limit :most offset :skipped
"""
_GET_INVITATION = f"""
select {_INVITATION}
from core.invitations i
{_MADE_BY}
where i.org_id = :org_id and i.id = :invitation_id
"""
_FIND_PENDING = f"""
select {_INVITATION}
from core.invitations i
{_MADE_BY}
where i.org_id = :org_id and lower(i.email) = lower(:email) and i.accepted_at is null and i.revoked_at is null
"""
_COUNT_PROMISED = """
select count(*) as promised
from core.invitations
where org_id = :org_id and accepted_at is null and revoked_at is null and expires_at > :now and lower(email) <> lower(:but_email)
"""
_INSERT_INVITATION = """
insert into core.invitations (email, role, token_hash, invited_by, expires_at)
values (:email, :role, :token_hash, :invited_by, :expires_at)
returning id
"""
_SET_INVITATION_REVOKED = """
update core.invitations
set revoked_at = :now
where org_id = :org_id and id = :invitation_id
"""
_REVOKE_INVITATIONS_OF = """
update core.invitations
set revoked_at = :now
where org_id = :org_id and invited_by = :maker_id and role = any(cast(:roles as text[]))
  and accepted_at is null and revoked_at is null
returning id
"""
_SET_INVITATION_ACCEPTED = """
update core.invitations
set accepted_at = :now
where org_id = :org_id and id = :invitation_id
"""


def list_members(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List members by id."""
    return tx.rows(_LIST_MEMBERS, after_id=after_id, most=most, skipped=skipped)


def find_member(tx: UnitOfWork, user_id: UUID) -> Row | None:
    """Find one member."""
    return tx.row(_GET_MEMBER, user_id=user_id)


def get_member(tx: UnitOfWork, user_id: UUID) -> Row:
    """Read one member.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_MEMBER, user_id=user_id)


def is_member_email(tx: UnitOfWork, email: str) -> bool:
    """Say whether a member has this address."""
    return tx.row(_FIND_MEMBER_BY_EMAIL, email=email) is not None


def is_switched_off(tx: UnitOfWork, user_id: UUID, email: str) -> bool:
    """Say whether the organisation's directory knows a person, by account or address, and has switched them off."""
    return bool(tx.rows(_FIND_SWITCHED_OFF, user_id=user_id, email=email)[0]["is_off"])


def count_owners(tx: UnitOfWork, *, but_id: UUID | None) -> int:
    """Count owners with a working account, all or all but one person."""
    return int(tx.rows(_COUNT_OWNERS, but_id=but_id)[0]["owners"])


def count_members(tx: UnitOfWork) -> int:
    """Count members."""
    return int(tx.rows(_COUNT_MEMBERS)[0]["members"])


def insert_member(tx: UnitOfWork, user_id: UUID, role: str) -> None:
    """Take a person into the organisation.

    Raises:
        UniqueViolated: the person belongs to it already.
    """
    tx.execute(_INSERT_MEMBER, user_id=user_id, role=role)


def set_role(tx: UnitOfWork, user_id: UUID, role: str) -> None:
    """Give a member another role."""
    tx.execute(_SET_ROLE, user_id=user_id, role=role)


def delete_member(tx: UnitOfWork, user_id: UUID) -> None:
    """Take a person out of the organisation."""
    tx.execute(_DELETE_MEMBER, user_id=user_id)


def find_by_token(db: Lookups, token_hash: bytes) -> Row | None:
    """Find whose invitation a token is for."""
    found = db.lookup(_FIND_WHOSE, token_hash=token_hash)
    return found[0] if found else None


def list_invitations(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List invitations, newest first."""
    return tx.rows(_LIST_INVITATIONS, after_id=after_id, most=most, skipped=skipped)


def find_invitation(tx: UnitOfWork, invitation_id: UUID) -> Row | None:
    """Find one invitation."""
    return tx.row(_GET_INVITATION, invitation_id=invitation_id)


def get_invitation(tx: UnitOfWork, invitation_id: UUID) -> Row:
    """Read one invitation.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_INVITATION, invitation_id=invitation_id)


def find_pending_invitation(tx: UnitOfWork, email: str) -> Row | None:
    """Find the invitation of an address that was neither accepted nor revoked; it may have expired."""
    return tx.row(_FIND_PENDING, email=email)


def count_promised_seats(tx: UnitOfWork, *, but_email: str, now: datetime) -> int:
    """Count invitations that somebody else could accept."""
    return int(tx.rows(_COUNT_PROMISED, but_email=but_email, now=now)[0]["promised"])


def insert_invitation(
    tx: UnitOfWork, *, email: str, role: str, token_hash: bytes, invited_by: UUID, expires_at: datetime
) -> UUID:
    """Store an invitation; returns its id."""
    rows = tx.rows(
        _INSERT_INVITATION, email=email, role=role, token_hash=token_hash, invited_by=invited_by, expires_at=expires_at
    )
    invitation_id: UUID = rows[0]["id"]
    return invitation_id


def set_invitation_revoked(tx: UnitOfWork, invitation_id: UUID, *, now: datetime) -> None:
    """Take an invitation back."""
    tx.execute(_SET_INVITATION_REVOKED, invitation_id=invitation_id, now=now)


def revoke_invitations_of(tx: UnitOfWork, maker_id: UUID, *, roles: Sequence[str], now: datetime) -> int:
    """Take back the pending invitations that a person made to these roles; returns how many."""
    return len(tx.rows(_REVOKE_INVITATIONS_OF, maker_id=maker_id, roles=list(roles), now=now))


def set_invitation_accepted(tx: UnitOfWork, invitation_id: UUID, *, now: datetime) -> None:
    """Use an invitation up."""
    tx.execute(_SET_INVITATION_ACCEPTED, invitation_id=invitation_id, now=now)
