"""Deleting what nobody needs any more from the tables that all functions share.

Owns how long each is kept. Works in small units, so that nobody waits behind one, and ends in time: what is left is the
next run's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply
from shared.telemetry.log import logger

from ..queries import purge as queries

_DAY_SECONDS = 24 * 3600
KEYS_KEPT_SECONDS = _DAY_SECONDS  # as callers are promised
OUTBOX_KEPT_SECONDS = 7 * _DAY_SECONDS  # the queue would keep a message no longer either
# An event comes again as long as its message lies in an outbox and then in the queue, which keeps it for seven days.
# Source: https://cloud.google.com/pubsub/docs/subscription-properties#message_retention_duration
CLAIMS_KEPT_SECONDS = OUTBOX_KEPT_SECONDS + 7 * _DAY_SECONDS + _DAY_SECONDS
_ORGS_PER_PAGE = 200
_BATCH_ROWS = 1000
_RUN_SECONDS = 120.0
_log = logger("purge")


def purge_shared_tables(call: Call, deps: Deps) -> Reply:
    """Delete old idempotency keys, event claims and messages given up, a batch at a time, until time is up."""
    ends_at = deps.clock.monotonic_seconds() + _RUN_SECONDS
    deleted: Counter[str] = Counter()
    for org_id in _orgs(deps):
        while (found := _purge_batch(call, deps, org_id)).total():
            deleted += found
            if deps.clock.monotonic_seconds() >= ends_at:
                return _done(deleted, is_complete=False)
    return _done(deleted, is_complete=True)


def _orgs(deps: Deps) -> Iterator[UUID]:
    after_id: UUID | None = None
    while page := queries.list_orgs(
        deps.db,
        keys_kept_seconds=KEYS_KEPT_SECONDS,
        claims_kept_seconds=CLAIMS_KEPT_SECONDS,
        outbox_kept_seconds=OUTBOX_KEPT_SECONDS,
        after_id=after_id,
        most=_ORGS_PER_PAGE,
    ):
        yield from page
        after_id = page[-1]


def _purge_batch(call: Call, deps: Deps, org_id: UUID) -> Counter[str]:
    """Delete one batch of each table; nothing when another run is at this organisation."""
    with deps.db.unit_in(org_id, call.actor) as tx:
        if not tx.try_lock("purge"):
            return Counter()
        given_up = queries.delete_outbox(tx, kept_seconds=OUTBOX_KEPT_SECONDS, most=_BATCH_ROWS)
        found = Counter(
            idempotency_keys=queries.delete_keys(tx, kept_seconds=KEYS_KEPT_SECONDS, most=_BATCH_ROWS),
            event_claims=queries.delete_claims(tx, kept_seconds=CLAIMS_KEPT_SECONDS, most=_BATCH_ROWS),
            outbox=len(given_up),
        )
    if given_up:
        topics = dict(Counter(str(row["topic"]) for row in given_up))
        _log.error("messages given up", org_id=str(org_id), topics=topics)
    return found


def _done(deleted: Counter[str], *, is_complete: bool) -> Reply:
    if deleted.total() or not is_complete:
        _log.info("purged", is_complete=is_complete, **deleted)
    return Reply.ok({"deleted": dict(deleted), "is_complete": is_complete})
