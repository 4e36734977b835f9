"""Deleting scans and fixed drift that are older than their organisation's plan keeps them, in small units, until time is up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.plans import HISTORY
from shared.telemetry.log import logger

from ..queries import purge as queries
from ..wiring import ScanDeps

_ORGS_PER_PAGE = 200
_ITEMS_PER_UNIT, _SCANS_PER_UNIT = 500, 10  # a scan takes hundreds of shards and gaps along
_RUN_SECONDS = 120.0
_log = logger("scan")


def purge_scans(call: Call, deps: ScanDeps) -> Reply:
    """Delete what is no longer kept; what is left when time is up is the next run's."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    now = deps.clock.now()
    cutoffs = {plan: now - kept_for for plan, kept_for in HISTORY.items() if kept_for is not None}
    deleted, after_id, is_complete = 0, None, True
    while is_complete and (orgs := _page(deps, cutoffs, after_id)):
        for org_id, plan in orgs:
            while is_complete and (number := _delete_batch(call, deps, org_id, cutoffs[plan])):
                deleted += number
                is_complete = deps.clock.monotonic_seconds() < ends_at
        after_id = orgs[-1][0]
    if deleted:
        _log.info("scans and drift purged", deleted=deleted, is_complete=is_complete)
    return Reply.ok({"deleted": deleted, "is_complete": is_complete})


def _page(deps: ScanDeps, cutoffs: Mapping[str, datetime], after_id: UUID | None) -> list[tuple[UUID, str]]:
    found = queries.list_orgs_to_purge(
        deps.db,
        free_before=cutoffs["free"],
        team_before=cutoffs["team"],
        after_id=after_id,
        most=_ORGS_PER_PAGE,
    )
    return [(row["org_id"], row["plan"]) for row in found]


def _delete_batch(call: Call, deps: ScanDeps, org_id: UUID, before: datetime) -> int:
    with deps.db.unit_in(org_id, call.actor) as tx:
        items = queries.delete_old_fixed(tx, before=before, most=_ITEMS_PER_UNIT)
        return items + queries.delete_old_scans(tx, before=before, most=_SCANS_PER_UNIT)
