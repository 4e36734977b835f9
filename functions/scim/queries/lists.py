"""SQL of lists: what a filter and an order of a directory's client compile to, put into statements that are bound to the organisation.

A condition comes from `domain.filter_sql` alone: constants and named parameters, never a client's text. It stands in brackets
behind the organisation's, so that nothing in it can widen what the statement finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.filter_sql import Column, Columns, Rows, Sql

EVERYTHING = Sql("true")
USER_COLUMNS = Columns(
    "u.document",
    {
        "id": Column("u.id", "uuid"),
        "userName": Column("u.user_name", folded_sql="u.user_name_key"),
        "externalId": Column("u.external_id"),
        "active": Column("u.active", "boolean"),
        "displayName": Column("u.display_name"),
        "name.familyName": Column("u.family_name"),
        "name.givenName": Column("u.given_name"),
        "meta.resourceType": Column("cast('User' as text)"),
        "meta.created": Column("u.created_at", "timestamp"),
        "meta.lastModified": Column("u.modified_at", "timestamp"),
        "meta.version": Column("('W/\"' || u.version || '\"')"),
        "groups": Rows(
            "scim.group_members m join scim.groups h on h.org_id = :org_id and h.id = m.group_id",
            "m.org_id = :org_id and m.user_id = u.id",
            {
                "value": Column("m.group_id", "uuid"),
                "display": Column("h.display_name", folded_sql="h.display_name_key"),
            },
        ),
    },
)
GROUP_COLUMNS = Columns(
    "g.document",
    {
        "id": Column("g.id", "uuid"),
        "displayName": Column("g.display_name", folded_sql="g.display_name_key"),
        "externalId": Column("g.external_id"),
        "meta.resourceType": Column("cast('Group' as text)"),
        "meta.created": Column("g.created_at", "timestamp"),
        "meta.lastModified": Column("g.modified_at", "timestamp"),
        "meta.version": Column("('W/\"' || g.version || '\"')"),
        "members": Rows(
            "scim.group_members m join scim.users v on v.org_id = :org_id and v.id = m.user_id",
            "m.org_id = :org_id and m.group_id = g.id",
            {
                "value": Column("m.user_id", "uuid"),
                "display": Column("coalesce(v.display_name, v.user_name)"),
                "type": Column("cast('User' as text)"),
            },
        ),
    },
)
# `(true)` is where a condition goes, `order by …id` where an order goes before it. The page is found by ids alone: documents are
# wide, and sorting ten thousand of them would go to disk.
_COUNT_USERS = "select count(*) as total from scim.users u where u.org_id = :org_id and (true)"
_LIST_USERS = """
select u.id, u.user_name, u.external_id, u.active, u.email_key, u.user_id, u.document, u.version, u.created_at, u.modified_at
from scim.users u
where u.org_id = :org_id and u.id in (
  select u.id
  from scim.users u
  where u.org_id = :org_id and (cast(:after_id as uuid) is null or u.id > cast(:after_id as uuid)) and (true)
  order by u.id
  limit :most offset :skipped
)
order by u.id
"""
_COUNT_GROUPS = "select count(*) as total from scim.groups g where g.org_id = :org_id and (true)"
_LIST_GROUPS = """
select g.id, g.display_name, g.external_id, g.document, g.version, g.created_at, g.modified_at
from scim.groups g
where g.org_id = :org_id and g.id in (
  select g.id
  from scim.groups g
  where g.org_id = :org_id and (cast(:after_id as uuid) is null or g.id > cast(:after_id as uuid)) and (true)
  order by g.id
  limit :most offset :skipped
)
order by g.id
"""


def count_found_users(tx: UnitOfWork, condition: Sql = EVERYTHING) -> int:
    """Count the people that a condition is true of."""
    return _count(tx, _COUNT_USERS, condition)


def list_found_users(
    tx: UnitOfWork, *, most: int, condition: Sql = EVERYTHING, order: Sql | None = None, after_id: UUID | None = None, skipped: int = 0
) -> Sequence[Row]:  # fmt: skip
    """List the people that a condition is true of, by an order, then by id."""
    return _list(tx, _LIST_USERS, condition, order, {"most": most, "after_id": after_id, "skipped": skipped})


def count_found_groups(tx: UnitOfWork, condition: Sql = EVERYTHING) -> int:
    """Count the groups that a condition is true of."""
    return _count(tx, _COUNT_GROUPS, condition)


def list_found_groups(
    tx: UnitOfWork, *, most: int, condition: Sql = EVERYTHING, order: Sql | None = None, after_id: UUID | None = None, skipped: int = 0
) -> Sequence[Row]:  # fmt: skip
    """List the groups that a condition is true of, by an order, then by id."""
    return _list(tx, _LIST_GROUPS, condition, order, {"most": most, "after_id": after_id, "skipped": skipped})


def _count(tx: UnitOfWork, statement: str, condition: Sql) -> int:
    return int(tx.rows(_bound(statement, condition), **condition.parameters)[0]["total"])


def _list(
    tx: UnitOfWork, statement: str, condition: Sql, order: Sql | None, values: Mapping[str, object]
) -> Sequence[Row]:
    text = _bound(statement, condition)
    if order is not None:
        text = text.replace("order by", "order by " + order.text + ",")
    return tx.rows(text, **values, **condition.parameters)


def _bound(statement: str, condition: Sql) -> str:
    return statement.replace("(true)", "(" + condition.text + ")")
