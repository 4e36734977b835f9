"""Starting a scan: the one way for people, keys and schedules.

Owns the limits and what is cut. Must not read a cloud: where the regions have to be looked up first, one shard does that, and
`spread` cuts the rest when it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.plans import limit_of

from .clouds import Cloud, cloud_of
from .domain.shards import STATE_PREFIX
from .errors import ScanInProgress, ScanLimitReached
from .queries import accounts as account_queries
from .queries import scans as queries
from .queries import shards as shard_queries
from .queries import sources as source_queries


def begin(tx: UnitOfWork, account_id: UUID, *, requested_by: str, plan: str) -> Row:
    """Start a scan of one account; the work goes on in the background, shard by shard.

    Args:
        tx: the organisation's.
        account_id: which account.
        requested_by: who wants it: `kind:id`.
        plan: of the organisation.

    Returns:
        The scan's row.

    Raises:
        NotFound: (404 `not_found`) there is no such account.
        ScanInProgress: (409 `scan_in_progress`).
        ScanLimitReached: (402 `scan_limit_reached`).
    """
    account = account_queries.get_account(tx, account_id)
    account_queries.lock_plan(tx)
    cap = limit_of("concurrent_scans", plan)
    active, active_here = queries.count_active_scans(tx, account_id)
    if active_here:  # said before any limit of the plan: a bigger plan would not help
        raise ScanInProgress(account_id=str(account_id))
    if cap.is_reached(active):
        raise ScanLimitReached(cap, active)
    cloud = cloud_of(account)
    regions = cloud.regions(account)
    shards = _shards(tx, cloud, account_id, regions) if regions else cloud.cut_lookup()
    values = {"account_id": account_id, "requested_by": requested_by, "shards_total": len(shards), "regions": regions}
    try:
        row = queries.insert_scan(tx, **values)
    except UniqueViolated as error:
        raise ScanInProgress(account_id=str(account_id)) from error
    _send(tx, cloud, row["id"], shards)
    tx.audit("scan:scan:started", "scan", row["id"], account_id=str(account_id))
    return row


def spread(tx: UnitOfWork, shard: Row, *, account: Mapping[str, Any], regions: Sequence[str]) -> None:
    """Cut a scan whose regions were looked up, and end the shard that did, at once; a second delivery changes nothing.

    Args:
        tx: the organisation's.
        shard: the row of the shard that looked them up.
        account: the row of the scanned account.
        regions: what it found.
    """
    scan_id: UUID = shard["scan_id"]
    cloud = cloud_of(account)
    shards = _shards(tx, cloud, account["id"], regions)
    if not queries.spread_scan(tx, scan_id, regions=regions, added=len(shards)):
        return  # another delivery was first, or it is over
    _send(tx, cloud, scan_id, shards)
    shard_queries.end_shard(tx, shard["id"], status="done", resources=0)


def as_scanned(account: Row, scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account's row with the regions of one of its scans: the account may have been changed since.

    A scan of an account that says `all` keeps saying so until the regions are looked up.
    """
    return {**account, "regions": scan["regions"] or account["regions"]}


def _shards(tx: UnitOfWork, cloud: Cloud, account_id: UUID, regions: Sequence[str]) -> list[dict[str, str]]:
    states = source_queries.list_sources_of_account(tx, account_id)
    fetched = [row["id"] for row in states if row["kind"] != "upload"]
    return cloud.cut(regions, fetched, has_states=bool(states))


def _send(tx: UnitOfWork, cloud: Cloud, scan_id: UUID, shards: Sequence[Mapping[str, str]]) -> None:
    fetches = any(shard["service"].startswith(STATE_PREFIX) for shard in shards)
    for shard in shard_queries.insert_shards(tx, scan_id, shards):
        if shard["service"] != cloud.waits or not fetches:  # what it asks for, the states tell
            tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(scan_id)})
