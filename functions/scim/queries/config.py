"""SQL of which roles groups give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_GET = "select c.default_role, c.updated_at from scim.configs c where c.org_id = :org_id"
_PUT = """
insert into scim.configs (default_role, updated_at)
values (:default_role, :now)
on conflict (org_id) do update set default_role = excluded.default_role, updated_at = excluded.updated_at
"""
_LIST_ROLES = """
select r.name as group, r.role
from scim.group_roles r
where r.org_id = :org_id
order by r.group_key
"""
_DELETE_ROLES = "delete from scim.group_roles where org_id = :org_id"
_INSERT_ROLES = """
insert into scim.group_roles (name, role)
select x.name, x.role
from unnest(cast(:names as text[]), cast(:roles as text[])) x (name, role)
"""


def find_config(tx: UnitOfWork) -> Row | None:
    """Read what is set up; None when nothing was."""
    return tx.row(_GET)


def list_group_roles(tx: UnitOfWork) -> Sequence[Row]:
    """List which groups give which role, by name."""
    return tx.rows(_LIST_ROLES)


def put_config(tx: UnitOfWork, *, default_role: str, group_roles: Mapping[str, str], now: datetime) -> None:
    """Store which roles groups give, in the place of what was there."""
    tx.execute(_PUT, default_role=default_role, now=now)
    tx.execute(_DELETE_ROLES)
    if group_roles:
        tx.execute(_INSERT_ROLES, names=list(group_roles), roles=list(group_roles.values()))
