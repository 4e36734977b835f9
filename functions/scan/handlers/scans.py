"""Calls on scans."""

from __future__ import annotations

import base64
import binascii
import json
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply

from ..clouds import cloud_of
from ..errors import ScanEnded, ScanNotComparable
from ..models import CoverageView, GapView, ResourceQuery, ResourceView, ScanView, StartedScans, StartScan
from ..queries import accounts as account_queries
from ..queries import gaps as gap_queries
from ..queries import live as live_queries
from ..queries import scans as queries
from ..starting import begin
from ..turns import settle
from ..wiring import ScanDeps


def start_scan(call: Call, deps: ScanDeps) -> Reply:
    """Start a scan of one account, or of each of several (all or none); the work goes on in the background, shard by shard."""
    wish = call.body(StartScan)
    requested_by = f"{call.actor.kind}:{call.actor.id}"

    def start(tx: UnitOfWork, account_id: UUID) -> ScanView:
        return ScanView.of(begin(tx, account_id, requested_by=requested_by, plan=call.actor.plan))

    with deps.db.unit(call.actor, call.idempotency) as tx:
        if wish.account_id is not None:
            return tx.settle(Reply.accepted(start(tx, wish.account_id)))
        views = [start(tx, account_id) for account_id in wish.account_ids or ()]
        return tx.settle(Reply.accepted(StartedScans(items=views)))


def list_scans(call: Call, deps: ScanDeps) -> Reply:
    """List scans, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_scans(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, ScanView.of))


def get_scan(call: Call, deps: ScanDeps) -> Reply:
    """Show where a scan stands."""
    scan_id = call.path_uuid("scan_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_scan(tx, scan_id)
    return Reply.ok(ScanView.of(row))


def cancel_scan(call: Call, deps: ScanDeps) -> Reply:
    """Stop a scan that is under way; what it saw so far changes no drift."""
    scan_id = call.path_uuid("scan_id")
    with deps.db.unit(call.actor) as tx:
        queries.lock_scan(tx, scan_id)
        if not queries.set_ended(tx, scan_id, status="cancelled"):
            raise ScanEnded
        settle(tx, scan_id, "cancelled", {}, now=deps.clock.now())
        tx.audit("scan:scan:cancelled", "scan", scan_id)
        row = queries.get_scan(tx, scan_id)
    return Reply.ok(ScanView.of(row))


def compare_again(call: Call, deps: ScanDeps) -> Reply:
    """Compare what a finished scan saw with the states as they are now."""
    scan_id = call.path_uuid("scan_id")
    with deps.db.unit(call.actor, call.idempotency) as tx:
        row = queries.lock_scan(tx, scan_id)
        if row["status"] != "done" or queries.latest_scan_id(tx, row["account_id"]) != scan_id:
            raise ScanNotComparable(status=row["status"])
        queries.set_comparing(tx, scan_id)
        tx.emit("scan-comparisons", {"scan_id": str(scan_id)})
        return tx.settle(Reply.accepted(ScanView.of({**row, "status": "comparing"})))


def list_resources(call: Call, deps: ScanDeps) -> Reply:
    """List what a scan saw."""
    scan_id, query = call.path_uuid("scan_id"), call.query(ResourceQuery)
    with deps.db.unit(call.actor) as tx:
        queries.get_scan(tx, scan_id)
        rows = live_queries.page_live(
            tx, scan_id, type_name=query.type, after=_after(query.cursor), most=query.limit + 1
        )
    shown = rows[: query.limit]
    last = _cursor(shown[-1]["type"], shown[-1]["key"]) if len(rows) > query.limit else None
    return Reply.ok({"items": [ResourceView.of(row).model_dump(mode="json") for row in shown], "next_cursor": last})


def show_coverage(call: Call, deps: ScanDeps) -> Reply:
    """Show what a scan read, what it could not read, and why."""
    scan_id = call.path_uuid("scan_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_scan(tx, scan_id)
        cloud = cloud_of(account_queries.get_account(tx, row["account_id"]))
        counts, gaps = live_queries.count_live(tx, scan_id), _gaps(tx, call)
    view = CoverageView(
        shards_total=row["shards_total"],
        shards_done=row["shards_done"],
        resources_by_type=counts,
        types_known=cloud.count_known(),
        types_mapped=len(cloud.specs()),
        not_checked=[gap for gap in gaps if gap.key is None],
        unread=[gap for gap in gaps if gap.key is not None],
    )
    return Reply.ok(view)


def _gaps(tx: UnitOfWork, call: Call) -> list[GapView]:
    return [GapView(**row) for row in gap_queries.list_gaps(tx, call.path_uuid("scan_id"))]


def _cursor(type_name: str, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([type_name, key]).encode()).rstrip(b"=").decode()


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        type_name, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid(errors=[{"field": "cursor", "problem": "not a cursor of this list"}]) from error
    return str(type_name), str(key)
