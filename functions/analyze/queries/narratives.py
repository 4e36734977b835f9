"""All SQL on drift in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_GET_DRIFT = """
select id, kind, type, key, address, cloud_id, path, before, after, is_sensitive, severity, rule
from scan.drift_items
where org_id = :org_id and id = :item_id
"""
_GET = """
select status, narrative, requested_at, written_at
from analysis.drift_narratives
where org_id = :org_id and item_id = :item_id and basis = :basis
"""
_REQUEST = """
insert into analysis.drift_narratives as n (item_id, basis, requested_at)
values (:item_id, :basis, :now)
on conflict (org_id, item_id) do update
set basis = excluded.basis, status = 'pending', narrative = null, requested_at = excluded.requested_at, written_at = null
where n.basis <> excluded.basis or (n.status = 'pending' and n.requested_at < :stale_before)
returning item_id
"""
_STORE = """
update analysis.drift_narratives
set status = 'done', narrative = cast(:narrative as jsonb), written_at = :now
where org_id = :org_id and item_id = :item_id and basis = :basis and status = 'pending'
returning item_id
"""


def get_drift(tx: UnitOfWork, item_id: UUID) -> Row:
    """Read one drift item, open or fixed.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_DRIFT, item_id=item_id)


def find_narrative(tx: UnitOfWork, item_id: UUID, basis: bytes) -> Row | None:
    """Read what is said about a drift as it is now; None when nothing is, or was said of what it was before."""
    return tx.row(_GET, item_id=item_id, basis=basis)


def request_narrative(tx: UnitOfWork, item_id: UUID, basis: bytes, *, now: datetime, stale_before: datetime) -> bool:
    """Note that a narrative is wanted; False when one is on its way or there."""
    return tx.row(_REQUEST, item_id=item_id, basis=basis, now=now, stale_before=stale_before) is not None


def store_narrative(
    tx: UnitOfWork, item_id: UUID, basis: bytes, *, narrative: Mapping[str, Any], now: datetime
) -> bool:
    """Store a narrative; False when it is there already or the drift has changed meanwhile."""
    return tx.row(_STORE, item_id=item_id, basis=basis, narrative=json.dumps(narrative), now=now) is not None
