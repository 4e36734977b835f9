"""SQL of lists: what a filter and an order of a directory's client compile to, put into statements that are bound to the organisation.

A condition comes from `domain.filter_sql` alone: constants and named parameters, never a client's text. It stands in brackets
behind the organisation's, so that nothing in it can widen what the statement finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    {"emails.value": "u.addresses_key"},
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
# `(true)` is where a condition goes, `order by …id` where an order goes before it. A condition is judged once for the count and the
# page together: on a document it costs more than everything else. The page is found by ids alone: documents are wide, and sorting
# ten thousand of them would go to disk. The count comes with an empty page, too.
_FIND_USERS = """
with found as materialized (
  select u.id, row_number() over (order by u.id) as position
  from scim.users u
  where u.org_id = :org_id and (true)
), chosen as (
  select id, position
  from found
  where cast(:after_id as uuid) is null or id > cast(:after_id as uuid)
  order by position
  limit :most offset :skipped
), page as (
  select c.position, u.id, u.user_name, u.external_id, u.active, u.email_key, u.user_id, u.document, u.version, u.created_at, u.modified_at
  from chosen c
  join scim.users u on u.id = c.id
  where u.org_id = :org_id
)
select t.total, p.id, p.user_name, p.external_id, p.active, p.email_key, p.user_id, p.document, p.version, p.created_at, p.modified_at
from (select count(*) as total from found) t
left join page p on true
order by p.position
"""
_FIND_GROUPS = """
with found as materialized (
  select g.id, row_number() over (order by g.id) as position
  from scim.groups g
  where g.org_id = :org_id and (true)
), chosen as (
  select id, position
  from found
  where cast(:after_id as uuid) is null or id > cast(:after_id as uuid)
  order by position
  limit :most offset :skipped
), page as (
  select c.position, g.id, g.display_name, g.external_id, g.document, g.version, g.created_at, g.modified_at
  from chosen c
  join scim.groups g on g.id = c.id
  where g.org_id = :org_id
)
select t.total, p.id, p.display_name, p.external_id, p.document, p.version, p.created_at, p.modified_at
from (select count(*) as total from found) t
left join page p on true
order by p.position
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a condition is true of.

    Attributes:
        total: how many there are.
        rows: those of one page.
    """

    total: int
    rows: Sequence[Row]


def find_users(
    tx: UnitOfWork, *, most: int, condition: Sql = EVERYTHING, order: Sql | None = None, after_id: UUID | None = None, skipped: int = 0
) -> Found:  # fmt: skip
    """Find the people that a condition is true of, by an order, then by id; `after_id` begins a page, the total is of all."""
    return _find(tx, _FIND_USERS, condition, order, {"most": most, "after_id": after_id, "skipped": skipped})


def find_groups(
    tx: UnitOfWork, *, most: int, condition: Sql = EVERYTHING, order: Sql | None = None, after_id: UUID | None = None, skipped: int = 0
) -> Found:  # fmt: skip
    """Find the groups that a condition is true of, by an order, then by id; `after_id` begins a page, the total is of all."""
    return _find(tx, _FIND_GROUPS, condition, order, {"most": most, "after_id": after_id, "skipped": skipped})


def _find(tx: UnitOfWork, statement: str, condition: Sql, order: Sql | None, values: Mapping[str, object]) -> Found:
    text = statement.replace("(true)", "(" + condition.text + ")")
    if order is not None:
        text = text.replace("over (order by", "over (order by " + order.text + ",")
    rows = tx.rows(text, **values, **condition.parameters)
    return Found(int(rows[0]["total"]), [row for row in rows if row["id"] is not None])
