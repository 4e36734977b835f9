"""Packs for auditors: asked for, listed, fetched, deleted. They are built by `audit_packing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.actor import Actor

from ..domain import audit_exports as domain
from ..models.audit_exports import AuditExportView, CreateAuditExport
from ..packing import SECTIONS
from ..queries import audit_exports as queries
from ..queries import orgs
from ..wiring import AuthDeps, export_place

_TOPIC = "audit-exports"


def create_audit_export(call: Call, deps: AuthDeps) -> Reply:
    """Ask for a pack for auditors; it is built in the background and kept for seven days."""
    wish, now, export_id = call.body(CreateAuditExport), deps.clock.now(), deps.entropy.uuid()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        org = orgs.lock_org(tx)  # so that two calls do not count past each other
        window = domain.choose_window(
            wish.from_at, wish.to_at, plan=org["plan"], made_at=org["created_at"], now=now
        )  # fmt: skip
        domain.check_room(*queries.count_exports(tx))
        row = queries.insert_export(
            tx,
            id=export_id,
            requested_by=f"{call.actor.kind}:{call.actor.id}",
            from_at=window.from_at,
            to_at=window.to_at,
            now=now,
            expires_at=now + domain.KEPT_FOR,
        )
        told = {"from_at": window.from_at.isoformat(), "to_at": window.to_at.isoformat()}
        tx.audit("auth:audit_export:created", "audit_export", export_id, **told)
        tx.emit("org-events", {"event": "auth:audit_export:created", "export_id": str(export_id), **told})
        tx.emit(_TOPIC, {"export_id": str(export_id)})
        return tx.settle(Reply.accepted(_view(row)))


def list_audit_exports(call: Call, deps: AuthDeps) -> Reply:
    """List packs for auditors, newest first, with how far each is."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_exports(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, _view))


def get_audit_export(call: Call, deps: AuthDeps) -> Reply:
    """Show one pack for auditors and how far it is."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_export(tx, call.path_uuid("export_id"))
    return Reply.ok(_view(row))


def delete_audit_export(call: Call, deps: AuthDeps) -> Reply:
    """Delete a pack for auditors, also one that is still being built."""
    export_id = call.path_uuid("export_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_export(tx, export_id)
        told = {"from_at": row["from_at"].isoformat(), "to_at": row["to_at"].isoformat()}
        tx.audit("auth:audit_export:deleted", "audit_export", export_id, status=row["status"], **told)
        tx.emit("org-events", {"event": "auth:audit_export:deleted", "export_id": str(export_id), **told})
    return Reply.no_content()


def download_audit_export(call: Call, deps: AuthDeps) -> Reply:
    """Send a pack for auditors as a ZIP; `Range: bytes=N-` goes on where an earlier download ended."""
    export_id = call.path_uuid("export_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_export(tx, export_id)
        domain.check_whole(row)
        parts = queries.list_parts(tx, export_id)
        length: int = row["packed_bytes"]
        start = domain.range_start(call.headers.get("range"), length)
        tx.audit("auth:audit_export:downloaded", "audit_export", export_id, from_byte=start)
        tx.emit("org-events", {"event": "auth:audit_export:downloaded", "export_id": str(export_id)})
    chunks = _Download(deps, call.actor, call.org_id, export_id, parts, start)
    chunks.open_first()
    headers = {
        "Content-Length": str(length - start),
        "Content-Disposition": f'attachment; filename="driftwise-audit-{row["to_at"]:%Y-%m-%d}-{export_id}.zip"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store, no-transform",
    }
    if start:
        headers["Content-Range"] = f"bytes {start}-{length - 1}/{length}"
    return Reply(206 if start else 200, chunks=chunks, content_type="application/zip", headers=headers)


class _Download:
    """A pack on its way out: one part at a time is read, opened and sent, and no connection is held in between.

    A part that cannot be read ends the connection before the length that was told is reached: whoever fetches sees that.
    """

    def __init__(
        self, deps: AuthDeps, actor: Actor, org_id: UUID, export_id: UUID, parts: Sequence[Row], start: int
    ) -> None:
        self._deps = deps
        self._actor = actor
        self._org_id = org_id
        self._export_id = export_id
        self._skipped = start
        self._numbers: list[int] = []
        for part in parts:
            if not self._numbers and self._skipped >= part["packed_bytes"]:
                self._skipped -= part["packed_bytes"]
            else:
                self._numbers.append(part["number"])
        self._first = b""

    def open_first(self) -> None:
        """Read the first part, so that what is away is told by an error and not by a broken download.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
            NotFound: (404 `not_found`) the pack was deleted meanwhile.
        """
        self._first = self._open(self._numbers[0])[self._skipped :]

    def __iter__(self) -> Iterator[bytes]:
        first, self._first = self._first, b""
        yield first
        for number in self._numbers[1:]:
            yield self._open(number)

    def close(self) -> None:
        """Let go of what is held: nothing but memory."""
        self._first, self._numbers = b"", []

    def _open(self, number: int) -> bytes:
        with self._deps.db.unit(self._actor) as tx:
            part = queries.get_part(tx, self._export_id, number)
        place = export_place(self._org_id, part["id"])
        return self._deps.envelope.open(bytes(part["content_encrypted"]), place).reveal()


def _view(row: Mapping[str, Any]) -> AuditExportView:
    return AuditExportView.of(row, sections=len(SECTIONS))
