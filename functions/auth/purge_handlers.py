"""Deleting sign-ins that nobody finished, a batch at a time; what is left when time is up is the next run's."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.reply import Reply
from shared.telemetry.log import logger

from . import purge_queries as queries
from .wiring import AuthDeps

_BATCH_ROWS = 1000
_RUN_SECONDS = 120.0
_log = logger("purge")


def purge_sign_ins(call: Call, deps: AuthDeps) -> Reply:
    """Delete expired sign-ins, those of yesterday and those of a flood alike."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    deleted, found = 0, _BATCH_ROWS
    while found == _BATCH_ROWS and deps.clock.monotonic_seconds() < ends_at:
        with deps.db.unit_in(None, call.actor) as tx:
            found = queries.delete_expired_sign_ins(tx, most=_BATCH_ROWS) if tx.try_lock("purge of sign-ins") else 0
        deleted += found
    if deleted:
        _log.info("purged", sign_ins=deleted)
    return Reply.ok({"deleted": deleted})
