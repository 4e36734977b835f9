"""SQL of groups as the directory tells of them, and of who is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .arrays import uuid_array

_COLUMNS = "g.id, g.display_name, g.external_id, g.document, g.version, g.created_at, g.modified_at"
_INSERT = """
insert into scim.groups (id, display_name, external_id, document, created_at, modified_at)
values (:id, :display_name, :external_id, cast(:document as jsonb), :now, :now)
"""
_UPDATE = """
update scim.groups
set display_name = :display_name, external_id = :external_id, document = cast(:document as jsonb), version = version + 1,
  modified_at = :now
where org_id = :org_id and id = :group_id
returning version
"""
_GET = f"select {_COLUMNS} from scim.groups g where g.org_id = :org_id and g.id = :group_id"
_LOCK = f"{_GET} for no key update"
_DELETE = "delete from scim.groups where org_id = :org_id and id = :group_id"
# Written as JSON by the database: ten thousand rows cost the driver more than all the rest of a reply. An id needs no escape, and
# the address comes as a JSON text without its last quote; joining texts takes about half the time of `json_build_object`.
_MEMBER = """'{"value":"' || m.user_id || '","$ref":' || cast(:users_url as text) || m.user_id || '","type":"User"'"""
_LIST_MEMBERS = f"""
select m.group_id, '[' || string_agg({_MEMBER} || '}}', ',' order by m.user_id) || ']' as content
from scim.group_members m
where m.org_id = :org_id and m.group_id = any(cast(:ids as uuid[]))
group by m.group_id
"""
_LIST_NAMED_MEMBERS = f"""
select m.group_id,
  '[' || string_agg({_MEMBER} || ',"display":' || to_json(coalesce(u.display_name, u.user_name)) || '}}', ',' order by m.user_id)
    || ']' as content
from scim.group_members m
join scim.users u on u.org_id = :org_id and u.id = m.user_id
where m.org_id = :org_id and m.group_id = any(cast(:ids as uuid[]))
group by m.group_id
"""
_COUNT_MEMBERS = """
select count(*) as members
from scim.group_members m
where m.org_id = :org_id and m.group_id = :group_id
"""
_COUNT_ALL_MEMBERS = """
select count(*) as members
from scim.group_members m
where m.org_id = :org_id and m.group_id = any(cast(:ids as uuid[]))
"""
_LIST_MEMBER_IDS = """
select m.user_id
from scim.group_members m
where m.org_id = :org_id and m.group_id = :group_id
"""
_LIST_UNKNOWN = """
select x.id
from unnest(cast(:ids as uuid[])) x (id)
where not exists (select from scim.users u where u.org_id = :org_id and u.id = x.id)
"""
_INSERT_MEMBERS = """
insert into scim.group_members (group_id, user_id)
select :group_id, x.id
from unnest(cast(:ids as uuid[])) x (id)
where not exists (
  select from scim.group_members m where m.org_id = :org_id and m.group_id = :group_id and m.user_id = x.id
)
on conflict (org_id, group_id, user_id) do nothing
returning user_id
"""
_DELETE_MEMBERS = """
delete from scim.group_members
where org_id = :org_id and group_id = :group_id and user_id = any(cast(:ids as uuid[]))
returning user_id
"""
# As one text: the driver takes longer for ten thousand rows than the database for finding them.
_WRITE_MEMBER_IDS = """
select coalesce(string_agg(cast(m.user_id as text), ' '), '') as content
from scim.group_members m
where m.org_id = :org_id and m.group_id = :group_id
"""


@dataclass(frozen=True, slots=True)
class MembersDifference:
    """How the people of a group differ from those that are wanted: ids in the form that PostgreSQL writes.

    Attributes:
        missing: wanted, and not in the group.
        surplus: in the group, and not wanted.
        unknown: those of the missing that name nobody of the organisation.
    """

    missing: Sequence[str]
    surplus: Sequence[str]
    unknown: Sequence[str]


def insert_group(tx: UnitOfWork, **values: object) -> None:
    """Insert a group. Raises: UniqueViolated: the name is taken."""
    tx.execute(_INSERT, **values)


def update_group(tx: UnitOfWork, group_id: UUID, **values: object) -> int:
    """Store a group anew; returns the version. Raises: UniqueViolated: the name is taken."""
    return int(tx.rows(_UPDATE, group_id=group_id, **values)[0]["version"])


def find_group(tx: UnitOfWork, group_id: UUID) -> Row | None:
    """Find one group."""
    return tx.row(_GET, group_id=group_id)


def lock_group(tx: UnitOfWork, group_id: UUID) -> Row | None:
    """Find one group and hold it until the transaction ends."""
    return tx.row(_LOCK, group_id=group_id)


def delete_group(tx: UnitOfWork, group_id: UUID) -> None:
    """Delete a group; its people stay."""
    tx.execute(_DELETE, group_id=group_id)


def list_members_of(
    tx: UnitOfWork, group_ids: Sequence[UUID], *, users_url: str, with_names: bool = False
) -> Mapping[UUID, str]:
    """Return the people of these groups, by group, each list as JSON text; empty groups are left out.

    Args:
        tx: the unit of work.
        group_ids: the groups.
        users_url: what a person's address begins with, up to the id.
        with_names: whether their names are wanted.
    """
    if not group_ids:
        return {}
    sql = _LIST_NAMED_MEMBERS if with_names else _LIST_MEMBERS
    address = json.dumps(users_url)[:-1]
    return {row["group_id"]: row["content"] for row in tx.rows(sql, ids=uuid_array(group_ids), users_url=address)}


def count_all_members(tx: UnitOfWork, group_ids: Sequence[UUID]) -> int:
    """Count the people of several groups together."""
    return int(tx.rows(_COUNT_ALL_MEMBERS, ids=uuid_array(group_ids))[0]["members"]) if group_ids else 0


def count_members(tx: UnitOfWork, group_id: UUID) -> int:
    """Count the people of a group."""
    return int(tx.rows(_COUNT_MEMBERS, group_id=group_id)[0]["members"])


def list_member_ids(tx: UnitOfWork, group_id: UUID) -> set[UUID]:
    """Return who is in a group."""
    return {row["user_id"] for row in tx.rows(_LIST_MEMBER_IDS, group_id=group_id)}


def list_unknown(tx: UnitOfWork, user_ids: Sequence[str]) -> Sequence[str]:
    """Return which of these ids name nobody of the organisation."""
    return [str(row["id"]) for row in tx.rows(_LIST_UNKNOWN, ids=uuid_array(user_ids))]


def insert_members(tx: UnitOfWork, group_id: UUID, user_ids: Sequence[str]) -> set[UUID]:
    """Put people into a group; returns who was not in it before."""
    return {row["user_id"] for row in tx.rows(_INSERT_MEMBERS, group_id=group_id, ids=uuid_array(user_ids))}


def delete_members(tx: UnitOfWork, group_id: UUID, user_ids: Sequence[str]) -> set[UUID]:
    """Take people out of a group; returns who was in it."""
    return {row["user_id"] for row in tx.rows(_DELETE_MEMBERS, group_id=group_id, ids=uuid_array(user_ids))}


def compare_members(tx: UnitOfWork, group_id: UUID, wanted_ids: Sequence[str]) -> MembersDifference:
    """Return what makes the people of a group those that are wanted; most of a directory's calls change few."""
    present = set(tx.rows(_WRITE_MEMBER_IDS, group_id=group_id)[0]["content"].split())
    missing = [one for one in wanted_ids if one not in present]
    surplus = present.difference(wanted_ids) if len(present) + len(missing) != len(wanted_ids) else set[str]()
    return MembersDifference(missing, sorted(surplus), list_unknown(tx, missing) if missing else [])
