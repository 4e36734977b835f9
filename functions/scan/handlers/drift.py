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
    most = query.limit + 1 if query.format == "json" else _MOST_EXPORTED
    filters: dict[str, Any] = {
        "status": query.status,
        "scan_id": scan_id,
        "account_id": query.account_id,
        "kind": "unmanaged" if query.kind == "extra" else query.kind,
        "severity": query.severity,
        "type": query.type,
        "actor": query.actor,
        "after_id": query.after_id(),
        "skipped": query.offset,
    }
    with deps.db.unit(call.actor) as tx:
        if scan_id is not None:
            scan_queries.get_scan(tx, scan_id)
        rows = queries.list_items(tx, most=most, **filters)
    return Reply.ok(page(rows, query, DriftView.of)) if query.format == "json" else _export(rows, query.format)


def _export(rows: Sequence[Row], form: str) -> Reply:
    from ..domain import reports  # few calls ask for another form than JSON

    write, content_type = {
        "csv": (reports.to_csv, "text/csv"),
        "markdown": (reports.to_markdown, "text/markdown"),
        "sarif": (reports.to_sarif, "application/sarif+json"),
    }[form]
    return Reply.text(write(rows), content_type)
