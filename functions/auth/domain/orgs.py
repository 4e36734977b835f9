"""Decisions about organisations as a whole: deleted, restored, given up; and which of them a session reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ..errors import OrgDeleted, OrgOwnerless, OrgPurged, SessionBound

RESTORABLE = timedelta(days=30)  # the check on core.orgs.purged_at says the same


def purge_at(org: Mapping[str, Any]) -> datetime | None:
    """Return when a deleted organisation is given up; None for a live one."""
    deleted_at: datetime | None = org["deleted_at"]
    return None if deleted_at is None else deleted_at + RESTORABLE


def check_live(org: Mapping[str, Any]) -> None:
    """Decide whether an organisation may be changed.

    Raises:
        OrgDeleted: (409 `org_deleted`).
    """
    if org["deleted_at"] is not None:
        raise OrgDeleted(deleted_at=org["deleted_at"].isoformat())


def restore(org: Mapping[str, Any], *, owners: int, now: datetime) -> None:
    """Decide whether a deleted organisation comes back.

    Args:
        org: its locked row.
        owners: its owners with a working account.
        now: time of the decision, aware UTC.

    Raises:
        OrgPurged: (409 `org_purged`).
        OrgOwnerless: (409 `org_ownerless`).
    """
    ends_at = purge_at(org)
    if org["purged_at"] is not None or (ends_at is not None and ends_at <= now):
        raise OrgPurged
    if owners == 0:
        raise OrgOwnerless


def check_session(bound_org_id: UUID | None, org_id: UUID | None = None) -> None:
    """Decide whether a session reaches an organisation that is not in the path; None for a new one.

    Raises:
        SessionBound: (403 `session_bound`).
    """
    if bound_org_id is not None and bound_org_id != org_id:
        raise SessionBound
