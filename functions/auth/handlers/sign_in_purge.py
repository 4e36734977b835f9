"""Deleting sign-ins that nobody finished and sessions that are over, a batch at a time; what is left is the next run's."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.reply import Reply
from shared.telemetry.log import logger

from ..queries import sign_in_purge as queries
from ..wiring import AuthDeps

_BATCH_ROWS = 1000
_RUN_SECONDS = 120.0
_log = logger("purge")


def purge_sign_ins(call: Call, deps: AuthDeps) -> Reply:
    """Delete what is over, of yesterday and of a flood alike."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    deleted = {table: _purge(call, deps, table, ends_at) for table in queries.TABLES}
    if any(deleted.values()):
        _log.info("purged", **deleted)
    return Reply.ok({"deleted": sum(deleted.values())})


def _purge(call: Call, deps: AuthDeps, table: str, ends_at: float) -> int:
    deleted, found = 0, _BATCH_ROWS
    while found == _BATCH_ROWS and deps.clock.monotonic_seconds() < ends_at:
        with deps.db.unit_in(None, call.actor) as tx:
            found = queries.delete_expired(tx, table, most=_BATCH_ROWS) if tx.try_lock("purge of sign-ins") else 0
        deleted += found
    return deleted
