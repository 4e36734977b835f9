"""Giving up organisations that were deleted 30 days ago: their rows go, their audit logs stay."""

from __future__ import annotations

from uuid import UUID

from shared.http.call import Call
from shared.http.reply import Reply

from ..queries import orgs as queries
from ..wiring import AuthDeps

_MOST_ORGS = 100
_ROWS_AT_ONCE = 5000
_MOST_SECONDS = 400.0  # the function ends at 540; what is left is for the next time


def purge_orgs(call: Call, deps: AuthDeps) -> Reply:
    """Delete what is left of organisations whose 30 days are over, a few thousand rows at a time."""
    ends_at = deps.clock.monotonic_seconds() + _MOST_SECONDS
    emptied = 0
    for org_id in queries.list_orgs_to_purge(deps.db, most=_MOST_ORGS):
        with deps.db.unit_in(org_id, call.actor) as tx:
            if queries.give_up(tx):
                tx.audit("auth:org:purged", "org", org_id)
                tx.audit_platform("auth:org:purged", "org", org_id)
        if not _empty(deps, org_id, ends_at):
            break
        with deps.db.unit_in(org_id, call.actor) as tx:
            queries.set_emptied(tx)
        emptied += 1
    return Reply.ok({"emptied": emptied})


def _empty(deps: AuthDeps, org_id: UUID, ends_at: float) -> bool:
    """Delete an organisation's rows until none is left; says whether the time was enough."""
    while queries.purge_rows(deps.db, org_id, most=_ROWS_AT_ONCE):
        if deps.clock.monotonic_seconds() >= ends_at:
            return False
    return True
