"""Starting a scan: the one way for people, keys and schedules.

Owns the limits and the cutting. Must not read a cloud.
"""

from __future__ import annotations

from uuid import UUID

from shared.data.errors import UniqueViolated
from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.plans import limit_of

from .domain.shards import cut
from .errors import ScanInProgress, ScanLimitReached
from .queries import accounts as account_queries
from .queries import scans as queries
from .queries import sources as source_queries
from .readers.aws import SERVICES


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
    if active_here:
        raise ScanInProgress  # said before any limit of the plan: a bigger plan would not help
    if cap.is_reached(active):
        raise ScanLimitReached(cap, active)
    fetched = [row["id"] for row in source_queries.list_sources_of_account(tx, account_id) if row["kind"] != "upload"]
    shards = cut(SERVICES, account["regions"], fetched)
    try:
        row = queries.insert_scan(tx, account_id=account_id, requested_by=requested_by, shards_total=len(shards))
    except UniqueViolated as error:
        raise ScanInProgress from error
    for shard in queries.insert_shards(tx, row["id"], shards):
        tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(row["id"])})
    tx.audit("scan:scan:started", "scan", row["id"], account_id=str(account_id))
    return row
