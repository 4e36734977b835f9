"""The turn of an asset feed: changes that waited long enough start one scan, by the way that people and schedules start theirs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

from ..domain.asset_feeds import Answered, answer, is_answered, postponed
from ..errors import ScanInProgress, ScanLimitReached
from ..queries import asset_feeds as queries
from ..starting import begin


def take_feed_turn(tx: UnitOfWork, feed_id: UUID, plan: str, now: datetime) -> int:
    """Give a feed its turn, under its lock; returns how many scans it started.

    While the account is being scanned, or the plan's scans at the same time are used up, it stays due. A scan that somebody else
    started late enough answers the changes, too.

    Args:
        tx: the organisation's.
        feed_id: which.
        plan: of the organisation.
        now: time of the turn.

    Raises:
        NotFound: (404 `not_found`) it was deleted.
    """
    feed = queries.lock_feed(tx, feed_id)
    if feed["due_at"] is None or feed["due_at"] > now:
        return 0  # another tick was first
    read_at = queries.find_last_reading(tx, feed["account_id"])
    if read_at is not None and is_answered(feed, read_at):
        _store(tx, feed, answer(feed, read_at, plan=plan), started_at=None, scan_id=None)
        return 0
    if (due_at := postponed(feed, now=now, plan=plan)) is not None:
        queries.postpone(tx, feed_id, due_at)
        return 0
    try:
        scan = begin(tx, feed["account_id"], requested_by=f"feed:{feed_id}", plan=plan)
    except (ScanInProgress, ScanLimitReached):
        return 0
    _store(tx, feed, answer(feed, now, plan=plan), started_at=now, scan_id=scan["id"])
    return 1


def _store(tx: UnitOfWork, feed: Row, answered: Answered, *, started_at: datetime | None, scan_id: UUID | None) -> None:
    left = answered.left
    queries.set_answered(
        tx,
        feed["id"],
        read_until=answered.read_until,
        since=left.since if left else None,
        due_at=left.due_at if left else None,
        started_at=started_at,
        scan_id=scan_id,
    )
