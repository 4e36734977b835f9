"""All SQL on asset feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, push_account, disabled_at, welcomed_at, pending_since, changed_at, due_at, read_until, last_started_at,
  last_scan_id, created_at"""

_FIND = """
select org_id, plan, push_account, disabled_at, welcomed_at, pending_since, changed_at, read_until, last_started_at
from scan.find_asset_feed(cast(:feed_id as uuid))
"""
_PUT = f"""
insert into scan.asset_feeds (id, account_id, push_account, disabled_at, created_at)
values (:id, :account_id, :push_account, :disabled_at, :now)
on conflict (org_id, account_id) do update
set push_account = excluded.push_account,
  disabled_at = case when excluded.disabled_at is null then null else coalesce(asset_feeds.disabled_at, excluded.disabled_at) end,
  pending_since = case when excluded.disabled_at is null then asset_feeds.pending_since end,
  due_at = case when excluded.disabled_at is null then asset_feeds.due_at end
returning {_COLUMNS}
"""
_GET = f"select {_COLUMNS} from scan.asset_feeds where org_id = :org_id and account_id = :account_id"
_DELETE = "delete from scan.asset_feeds where org_id = :org_id and account_id = :account_id returning id"
_LOCK = f"select {_COLUMNS} from scan.asset_feeds where org_id = :org_id and id = :feed_id for no key update"
_SET_PENDING = """
update scan.asset_feeds
set pending_since = :since, changed_at = :changed_at, due_at = :due_at
where org_id = :org_id and id = :feed_id
"""
_SET_WELCOMED = (
    "update scan.asset_feeds set welcomed_at = :now where org_id = :org_id and id = :feed_id and welcomed_at is null"
)
_POSTPONE = "update scan.asset_feeds set due_at = :due_at where org_id = :org_id and id = :feed_id"
_SET_ANSWERED = """
update scan.asset_feeds
set read_until = :read_until, pending_since = cast(:since as timestamptz), due_at = cast(:due_at as timestamptz),
  last_started_at = coalesce(cast(:started_at as timestamptz), last_started_at),
  last_scan_id = coalesce(cast(:scan_id as uuid), last_scan_id)
where org_id = :org_id and id = :feed_id
"""
_LIST_DUE = """
select id
from scan.asset_feeds
where org_id = :org_id and due_at <= :now
order by due_at, id
limit :most
"""
_LAST_READ = """
select max(created_at) as began_at
from scan.scans
where org_id = :org_id and account_id = :account_id and status = 'done'
"""
_LIST_ORGS_DUE = """
select org_id, plan
from scan.list_orgs_with_due_asset_feeds(cast(:now as timestamptz), cast(:after_id as uuid), cast(:most as integer))
"""


def find_feed(lookups: Lookups, feed_id: UUID) -> Row | None:
    """Find a feed of any organisation by its id, with the organisation's plan."""
    found = lookups.lookup(_FIND, feed_id=feed_id)
    return found[0] if len(found) == 1 else None


def put_feed(
    tx: UnitOfWork, account_id: UUID, *, new_id: UUID, push_account: str, disabled_at: datetime | None, now: datetime
) -> Row:
    """Make the feed of an account, or change the one that it has; one that is switched off forgets what waits."""
    values = {"push_account": push_account, "disabled_at": disabled_at, "now": now}
    return tx.rows(_PUT, id=new_id, account_id=account_id, **values)[0]


def get_feed(tx: UnitOfWork, account_id: UUID) -> Row:
    """Read the feed of an account.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, account_id=account_id)


def delete_feed(tx: UnitOfWork, account_id: UUID) -> Row:
    """Delete the feed of an account; scans that it started stay.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, account_id=account_id)


def lock_feed(tx: UnitOfWork, feed_id: UUID) -> Row:
    """Read one feed and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, feed_id=feed_id)


def set_pending(tx: UnitOfWork, feed_id: UUID, *, since: datetime, changed_at: datetime, due_at: datetime) -> None:
    """Store what waits for a scan."""
    tx.execute(_SET_PENDING, feed_id=feed_id, since=since, changed_at=changed_at, due_at=due_at)


def set_welcomed(tx: UnitOfWork, feed_id: UUID, *, now: datetime) -> None:
    """Store that Google's first message came."""
    tx.execute(_SET_WELCOMED, feed_id=feed_id, now=now)


def postpone(tx: UnitOfWork, feed_id: UUID, due_at: datetime) -> None:
    """Let what waits go on waiting."""
    tx.execute(_POSTPONE, feed_id=feed_id, due_at=due_at)


def set_answered(
    tx: UnitOfWork,
    feed_id: UUID,
    *,
    read_until: datetime,
    since: datetime | None,
    due_at: datetime | None,
    started_at: datetime | None,
    scan_id: UUID | None,
) -> None:
    """Store that a scan began which reads what was changed, and what goes on waiting.

    Args:
        tx: holds the feed.
        feed_id: which.
        read_until: changes until then were there to be read.
        since: since when something goes on waiting; None when nothing does.
        due_at: of that.
        started_at: when the feed itself started a scan; None when it was somebody else's.
        scan_id: that scan.
    """
    values = {"read_until": read_until, "since": since, "due_at": due_at, "started_at": started_at}
    tx.execute(_SET_ANSWERED, feed_id=feed_id, scan_id=scan_id, **values)


def list_due_feeds(tx: UnitOfWork, *, now: datetime, most: int) -> Sequence[UUID]:
    """List feeds whose changes are to be scanned, longest due first."""
    return [row["id"] for row in tx.rows(_LIST_DUE, now=now, most=most)]


def find_last_reading(tx: UnitOfWork, account_id: UUID) -> datetime | None:
    """Find when the newest scan of an account that went through began; None when there is none."""
    found: datetime | None = tx.rows(_LAST_READ, account_id=account_id)[0]["began_at"]
    return found


def list_orgs_with_due_feeds(db: Lookups, *, now: datetime, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List organisations with changes that are to be scanned, with their plans, by id."""
    return db.lookup(_LIST_ORGS_DUE, now=now, after_id=after_id, most=most)
