"""Calls on drift items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.paging import page
from shared.http.reply import Reply

from ..models import DriftQuery, DriftView
from ..queries import drift as queries
from ..queries import scans as scan_queries
from ..wiring import ScanDeps

_MOST_EXPORTED = 10_000


def list_drift(call: Call, deps: ScanDeps) -> Reply:
    """List open drift across accounts."""
    return _list(call, deps, None)


def list_scan_drift(call: Call, deps: ScanDeps) -> Reply:
    """List the drift that a scan found."""
    return _list(call, deps, call.path_uuid("scan_id"))


def _list(call: Call, deps: ScanDeps, scan_id: UUID | None) -> Reply:
    query = call.query(DriftQuery)
    filters: dict[str, Any] = {
        "status": query.status,
        "scan_id": scan_id,
        "account_id": query.account_id,
        "kind": "unmanaged" if query.kind == "extra" else query.kind,
        "severity": query.severity,
        "type": query.type,
        "assignee": query.assignee,
        "is_acknowledged": query.is_acknowledged,
        "ignored": query.ignored,
        "now": deps.clock.now(),
    }
    with deps.db.unit(call.actor) as tx:
        if scan_id is not None:
            scan_queries.get_scan(tx, scan_id)
        if query.format != "json":
            rows = queries.list_worst_items(tx, most=_MOST_EXPORTED + 1, **filters)
            return _export(rows[:_MOST_EXPORTED], query.format, left_out=len(rows) > _MOST_EXPORTED)
        rows = queries.list_items(tx, most=query.limit + 1, after_id=query.after_id(), skipped=query.offset, **filters)
    return Reply.ok(page(rows, query, DriftView.of))


def _export(rows: Sequence[Row], form: str, *, left_out: bool) -> Reply:
    from shared.reports.page import HEADER_POLICY

    from ..domain import reports  # few calls ask for another form than JSON

    write, content_type, ending = {
        "csv": (reports.to_csv, "text/csv", "csv"),
        "html": (reports.to_html, "text/html", "html"),
        "markdown": (reports.to_markdown, "text/markdown", "md"),
        "sarif": (reports.to_sarif, "application/sarif+json", "sarif"),
    }[form]
    reply = Reply.text(write(rows, left_out=left_out), content_type)
    # Kept as a file: shown from our own address, a page of strangers' texts is what the sandbox is for.
    reply.headers["Content-Disposition"] = f'attachment; filename="drift.{ending}"'
    if form == "html":
        reply.headers["Content-Security-Policy"] = HEADER_POLICY
    if left_out:
        reply.headers["DriftWise-Left-Out"] = "true"
    return reply
