"""SQL of people as the directory tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from .arrays import uuid_array

_COLUMNS = """
u.id, u.user_name, u.external_id, u.active, u.email_key, u.user_id, u.document, u.version, u.created_at, u.modified_at
"""
_INSERT = """
insert into scim.users
  (id, user_name, external_id, active, display_name, family_name, given_name, email_key, user_id, document, created_at, modified_at)
values
  (:id, :user_name, :external_id, :active, :display_name, :family_name, :given_name, :email_key, cast(:user_id as uuid),
   cast(:document as jsonb), :now, :now)
"""
_UPDATE = """
update scim.users
set user_name = :user_name, external_id = :external_id, active = :active, display_name = :display_name,
  family_name = :family_name, given_name = :given_name, email_key = :email_key, user_id = cast(:user_id as uuid),
  document = cast(:document as jsonb), version = version + 1, modified_at = :now
where org_id = :org_id and id = :resource_id
returning version
"""
_GET = f"select {_COLUMNS} from scim.users u where u.org_id = :org_id and u.id = :resource_id"
_LOCK = f"{_GET} for no key update"
_DELETE = "delete from scim.users where org_id = :org_id and id = :resource_id"
_LIST_GROUPS = """
select m.user_id, g.id, g.display_name
from scim.group_members m
join scim.groups g on g.org_id = :org_id and g.id = m.group_id
where m.org_id = :org_id and m.user_id = any(cast(:ids as uuid[]))
order by m.user_id, g.id
"""


def insert_user(tx: UnitOfWork, **values: object) -> None:
    """Insert a person.

    Raises:
        UniqueViolated: the name, or the person behind the address, is taken.
    """
    tx.execute(_INSERT, **values)


def update_user(tx: UnitOfWork, resource_id: UUID, **values: object) -> int:
    """Store a person anew; returns the version. Raises: UniqueViolated, as `insert_user`."""
    return int(tx.rows(_UPDATE, resource_id=resource_id, **values)[0]["version"])


def find_user(tx: UnitOfWork, resource_id: UUID) -> Row | None:
    """Find one person."""
    return tx.row(_GET, resource_id=resource_id)


def lock_user(tx: UnitOfWork, resource_id: UUID) -> Row | None:
    """Find one person and hold them until the transaction ends."""
    return tx.row(_LOCK, resource_id=resource_id)


def delete_user(tx: UnitOfWork, resource_id: UUID) -> None:
    """Delete a person's resource, with what groups it was in."""
    tx.execute(_DELETE, resource_id=resource_id)


def list_groups_of(tx: UnitOfWork, user_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Row]]:
    """Return the groups of these people, by person."""
    found: dict[UUID, list[Row]] = {}
    if user_ids:
        for row in tx.rows(_LIST_GROUPS, ids=uuid_array(user_ids)):
            found.setdefault(row["user_id"], []).append(row)
    return found
