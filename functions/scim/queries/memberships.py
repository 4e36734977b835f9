"""SQL of who belongs to the organisation and with which role, and of what hangs on that.

People and their sessions belong to no organisation: they are reached by the functions of migration 0028 alone, which say for whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

from .arrays import uuid_array

_HOLD_ORG = "select plan from scim.hold_org()"
_COUNT_OTHER_OWNERS = "select scim.count_other_owners(cast(:user_id as uuid)) as owners"
_ADMIT_PERSON = "select scim.admit_person(cast(:email as text), cast(:name as text)) as user_id"
_LIST_PROVEN = "select domain from scim.list_proven_domains()"
_FIND_MEMBERS = "select user_id from scim.find_members(cast(:email as text))"
_END_SESSIONS = "select scim.end_sessions(cast(:user_id as uuid)) as ended"
_GET_ROLE = "select m.role from core.members m where m.org_id = :org_id and m.user_id = :user_id"
_INSERT_MEMBER = """
insert into core.members (user_id, role)
values (:user_id, :role)
on conflict (org_id, user_id) do nothing
"""
_DELETE_MEMBER = "delete from core.members where org_id = :org_id and user_id = :user_id"
_REVOKE_KEYS = """
update core.api_keys
set revoked_at = :now
where org_id = :org_id and created_by = :user_id and revoked_at is null
returning id, name
"""
_REVOKE_INVITATIONS = """
update core.invitations
set revoked_at = :now
where org_id = :org_id and invited_by = :user_id and accepted_at is null and revoked_at is null
returning id
"""
# The role that the directory gives: the highest of a person's groups, else the organisation's default.
_WANTED = """
select u.id, u.user_id,
  coalesce(
    (select r.role
     from scim.group_members m
     join scim.groups g on g.org_id = :org_id and g.id = m.group_id
     join scim.group_roles r on r.org_id = :org_id and r.group_key = g.display_name_key
     where m.org_id = :org_id and m.user_id = u.id
     order by array_position(array['admin', 'member', 'viewer'], r.role)
     limit 1),
    (select c.default_role from scim.configs c where c.org_id = :org_id),
    'viewer') as role
from scim.users u
where u.org_id = :org_id and u.active and u.user_id is not null
"""
_WANTED_ROLE = f"select w.role from ({_WANTED}) w where w.id = :id"
# `materialized`: worked out once for all of them. Owners stay what they are; the directory gives and takes other roles only.
_SET_ROLES = f"""
with wanted as materialized ({_WANTED} and u.id = any(cast(:ids as uuid[]))),
  present as materialized (
    select m.user_id, m.role
    from core.members m
    where m.org_id = :org_id and m.user_id in (select w.user_id from wanted w)
  )
update core.members
set role = w.role
from wanted w, present p
where core.members.org_id = :org_id and core.members.user_id = w.user_id and p.user_id = w.user_id
  and core.members.role <> 'owner' and core.members.role <> w.role
returning core.members.user_id, p.role as old_role, core.members.role
"""
_LIST_ALL_IDS = "select u.id from scim.users u where u.org_id = :org_id and u.active and u.user_id is not null"


def hold_org(tx: UnitOfWork) -> str:
    """Hold the organisation until the transaction ends, as all do who change who belongs to it; returns its plan.

    Raises:
        NotFound: (404 `not_found`) it is deleted.
    """
    row = tx.row(_HOLD_ORG)
    if row is None:
        raise NotFound
    return str(row["plan"])


def count_other_owners(tx: UnitOfWork, user_id: UUID) -> int:
    """Count owners with a working account besides a person."""
    return int(tx.rows(_COUNT_OTHER_OWNERS, user_id=user_id)[0]["owners"])


def admit_person(tx: UnitOfWork, *, email: str, name: str) -> UUID | None:
    """Return the person with an address, made if new; None when its domain is not proven by the organisation."""
    found: UUID | None = tx.rows(_ADMIT_PERSON, email=email, name=name)[0]["user_id"]
    return found


def list_proven(tx: UnitOfWork) -> set[str]:
    """Return the domains that the organisation has proven."""
    return {row["domain"] for row in tx.rows(_LIST_PROVEN)}


def find_members(tx: UnitOfWork, email: str) -> set[UUID]:
    """Return the members with an address."""
    return {row["user_id"] for row in tx.rows(_FIND_MEMBERS, email=email)}


def end_sessions(tx: UnitOfWork, user_id: UUID) -> int:
    """End the sessions of a person that reach this organisation alone; returns how many."""
    return int(tx.rows(_END_SESSIONS, user_id=user_id)[0]["ended"])


def find_role(tx: UnitOfWork, user_id: UUID) -> str | None:
    """Return the role of a person in the organisation."""
    row = tx.row(_GET_ROLE, user_id=user_id)
    return row["role"] if row else None


def insert_member(tx: UnitOfWork, user_id: UUID, role: str) -> None:
    """Take a person into the organisation, if they do not belong to it."""
    tx.execute(_INSERT_MEMBER, user_id=user_id, role=role)


def delete_member(tx: UnitOfWork, user_id: UUID) -> None:
    """Take a person out of the organisation."""
    tx.execute(_DELETE_MEMBER, user_id=user_id)


def revoke_keys(tx: UnitOfWork, user_id: UUID, *, now: datetime) -> Sequence[Row]:
    """Revoke the API keys that a person made; returns them."""
    return tx.rows(_REVOKE_KEYS, user_id=user_id, now=now)


def revoke_invitations(tx: UnitOfWork, user_id: UUID, *, now: datetime) -> int:
    """Take back the pending invitations that a person made; returns how many."""
    return len(tx.rows(_REVOKE_INVITATIONS, user_id=user_id, now=now))


def wanted_role(tx: UnitOfWork, scim_user_id: UUID) -> str | None:
    """Return the role that the directory gives to an active person; None when it gives none."""
    row = tx.row(_WANTED_ROLE, id=scim_user_id)
    return row["role"] if row else None


def set_roles(tx: UnitOfWork, scim_user_ids: Sequence[UUID]) -> Sequence[Row]:
    """Give the people behind these resources the roles that the directory gives; returns those that changed."""
    return tx.rows(_SET_ROLES, ids=uuid_array(scim_user_ids))


def list_linked_ids(tx: UnitOfWork) -> Sequence[UUID]:
    """Return everybody whom the directory gives a role."""
    return [row["id"] for row in tx.rows(_LIST_ALL_IDS)]
