"""SQL of organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_LIST_ORGS = """
select id, name, plan, role, created_at
from core.list_orgs_of_user(cast(:user_id as uuid), cast(:bound_to as uuid), cast(:after_id as uuid), cast(:most as integer))
"""
_INSERT_ORG = "insert into core.orgs (name) values (:name) returning id, name, plan, created_at"
_INSERT_OWNER = "insert into core.members (user_id, role) values (:user_id, 'owner')"
_GET_ORG = "select id, name, plan, created_at from core.orgs where id = :org_id and deleted_at is null"
# Rows that point at the organisation can be written meanwhile; whoever changes it, or who belongs to it, waits here.
_LOCK_ORG = """
select id, name, plan, created_at, deleted_at, purged_at
from core.orgs
where id = :org_id
for no key update
"""
_SET_NAME = "update core.orgs set name = :name where id = :org_id"
_SET_PLAN = "update core.orgs set plan = :plan where id = :org_id"
_SET_DELETED_AT = "update core.orgs set deleted_at = cast(:deleted_at as timestamptz) where id = :org_id"
_END_BOUND_SESSIONS = """
update core.sessions
set revoked_at = :now
where bound_org_id = :org_id and revoked_at is null and (cast(:user_id as uuid) is null or user_id = cast(:user_id as uuid))
returning id
"""
_LIST_ORGS_TO_PURGE = "select org_id from core.list_orgs_to_purge(cast(:most as integer))"
_GIVE_UP = """
update core.orgs
set name = '(deleted)', purged_at = now()
where id = :org_id and deleted_at <= now() - interval '720 hours' and purged_at is null
returning id
"""
_PURGE_ROWS = "select core.purge_org_rows(cast(:purged_org_id as uuid), cast(:most as integer)) as deleted"
_SET_EMPTIED = "update core.orgs set emptied_at = now() where id = :org_id and purged_at is not null"
_COUNT_USAGE = """
select cloud_accounts, state_sources, schedules, api_keys, concurrent_scans
from core.count_usage(cast(:used_org_id as uuid))
"""
_LIST_MODEL_CALLS = """
select period, used
from core.model_calls
where org_id = :org_id and (period, starts_at) in (('hour', cast(:hour as timestamptz)), ('week', cast(:week as timestamptz)))
"""


def list_orgs(db: Lookups, user_id: UUID, *, bound_to: UUID | None, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List the organisations of a person, by id; `bound_to` leaves that one alone."""
    return db.lookup(_LIST_ORGS, user_id=user_id, bound_to=bound_to, after_id=after_id, most=most)


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
    return tx.one(_GET_ORG)


def lock_any_org(tx: UnitOfWork) -> Row:
    """Hold the organisation of this unit of work, deleted or not, until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK_ORG)


def lock_org(tx: UnitOfWork) -> Row:
    """Hold the organisation of this unit of work until the transaction ends: what is read after this stays true.

    Raises:
        NotFound: (404 `not_found`) it is not there, or deleted.
    """
    row = lock_any_org(tx)
    if row["deleted_at"] is not None:
        raise NotFound
    return row


def set_name(tx: UnitOfWork, name: str) -> None:
    """Rename the organisation."""
    tx.execute(_SET_NAME, name=name)


def set_plan(tx: UnitOfWork, plan: str) -> None:
    """Put the organisation on another plan."""
    tx.execute(_SET_PLAN, plan=plan)


def set_deleted_at(tx: UnitOfWork, deleted_at: datetime | None) -> None:
    """Store when the organisation was deleted; None takes that back."""
    tx.execute(_SET_DELETED_AT, deleted_at=deleted_at)


def end_bound_sessions(tx: UnitOfWork, *, user_id: UUID | None, now: datetime) -> int:
    """End the sessions that reach this organisation alone, of one person or of everybody; returns how many."""
    return len(tx.rows(_END_BOUND_SESSIONS, user_id=user_id, now=now))


def list_orgs_to_purge(db: Lookups, *, most: int) -> Sequence[UUID]:
    """List organisations that were deleted 30 days ago and still hold rows."""
    return [row["org_id"] for row in db.lookup(_LIST_ORGS_TO_PURGE, most=most)]


def give_up(tx: UnitOfWork) -> bool:
    """Take its name from an organisation that was deleted 30 days ago, for good; says whether this was the first time."""
    return tx.row(_GIVE_UP) is not None


def purge_rows(db: Lookups, org_id: UUID, *, most: int) -> int:
    """Delete some of the rows of an organisation that was given up; returns how many."""
    return int(db.lookup(_PURGE_ROWS, purged_org_id=org_id, most=most)[0]["deleted"])


def set_emptied(tx: UnitOfWork) -> None:
    """Note that nothing is left of an organisation but its audit log."""
    tx.execute(_SET_EMPTIED)


def count_usage(db: Lookups, org_id: UUID) -> Row:
    """Count what an organisation uses, where other functions keep it."""
    return db.lookup(_COUNT_USAGE, used_org_id=org_id)[0]


def count_model_calls(tx: UnitOfWork, *, hour: datetime, week: datetime) -> dict[str, int]:
    """Count the calls to the platform's language model in the windows that began then."""
    return {row["period"]: row["used"] for row in tx.rows(_LIST_MODEL_CALLS, hour=hour, week=week)}
