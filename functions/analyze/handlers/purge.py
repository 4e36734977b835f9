"""Deleting analyses that are older than their organisation's plan keeps them, in small units, until time is up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.plans import HISTORY
from shared.telemetry.log import logger

from ..queries import analyses as queries
from ..wiring import AnalyzeDeps

_ORGS_PER_PAGE = 200
_BATCH_ROWS = 200
_RUN_SECONDS = 120.0
_log = logger("analyze")


def purge_analyses(call: Call, deps: AnalyzeDeps) -> Reply:
    """Delete what is no longer kept; what is left when time is up is the next run's."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    now = deps.clock.now()
    cutoffs = {plan: now - kept_for for plan, kept_for in HISTORY.items() if kept_for is not None}
    deleted, after_id, is_complete = 0, None, True
    while is_complete and (orgs := _page(deps, cutoffs, after_id)):
        for org in orgs:
            while is_complete and (number := _delete_batch(call, deps, org["org_id"], cutoffs[org["plan"]])):
                deleted += number
                is_complete = deps.clock.monotonic_seconds() < ends_at
        after_id = orgs[-1]["org_id"]
    if deleted:
        _log.info("analyses purged", deleted=deleted, is_complete=is_complete)
    return Reply.ok({"deleted": deleted, "is_complete": is_complete})


def _page(deps: AnalyzeDeps, cutoffs: Mapping[str, datetime], after_id: UUID | None) -> Sequence[Row]:
    return queries.list_orgs_to_purge(
        deps.db,
        free_before=cutoffs["free"],
        team_before=cutoffs["team"],
        after_id=after_id,
        most=_ORGS_PER_PAGE,
    )


def _delete_batch(call: Call, deps: AnalyzeDeps, org_id: UUID, before: datetime) -> int:
    with deps.db.unit_in(org_id, call.actor) as tx:
        return queries.delete_old(tx, before=before, most=_BATCH_ROWS)
