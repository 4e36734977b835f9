"""Parse, unit of work, reply."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply
from shared.telemetry.log import logger

from . import queries

_log = logger("webhook")
_OLDER_THAN_SECONDS = 10
_MOST_ORGS = 100


def relay_outboxes(call: Call, deps: Deps) -> Reply:
    """Publish what a crash left in any function's outbox, organisation by organisation, oldest first."""
    waiting = queries.list_orgs_with_outbox(deps.db, older_than_seconds=_OLDER_THAN_SECONDS, most=_MOST_ORGS)
    relayed = sum(deps.db.relay(row["org_id"], call.actor) for row in waiting)
    if relayed:
        _log.info("outbox relayed", messages=relayed, orgs=len(waiting))
    return Reply.ok({"relayed": relayed})
