"""SQL of organisations."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_LIST_ORGS = """
select id, name, plan, role, created_at
from core.list_orgs_of_user(cast(:user_id as uuid), cast(:after_id as uuid), cast(:most as integer))
"""
_INSERT_ORG = "insert into core.orgs (name) values (:name) returning id, name, plan, created_at"
_INSERT_OWNER = "insert into core.members (user_id, role) values (:user_id, 'owner')"
_GET_ORG = "select id, name, plan, created_at from core.orgs where id = :org_id and deleted_at is null"


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
