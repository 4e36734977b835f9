"""Building packs for auditors: one worker at a time for each, file by file; and the tick that keeps it going and cleans up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.errors import AppError, MalformedRequest
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret
from shared.telemetry.log import logger

from ..domain import audit_exports as domain
from ..domain import packs
from ..domain.packs import Part
from ..packing import Job, PackTooLarge, Step, next_step, read_anchors, sign_manifest, wants_anchors
from ..queries import audit_exports as queries
from ..wiring import AuthDeps, export_place

_TOPIC = "audit-exports"
_LEASE = timedelta(seconds=180)  # far longer than one file may take
_MOST_SECONDS = 60.0  # then it is another message's turn: one large pack does not keep all others waiting
_WAITING = timedelta(seconds=120)
_MOST_TENDED = 200
_log = logger("audit_exports")


def build_audit_export(call: Call, deps: AuthDeps) -> Reply:
    """Build a pack, or go on where the last worker ended.

    A lease keeps others away. No transaction is open while KMS or the bucket of anchors is asked. Who crashes leaves whole files and
    a lease that ends by itself; `tend_audit_exports` then asks for the rest.
    """
    if call.actor.org_id is None:
        raise MalformedRequest("the message names no organisation")
    export_id, lease_id = id_of(call, "export_id"), deps.entropy.uuid()
    now, ends_at = deps.clock.now(), deps.clock.monotonic_seconds() + _MOST_SECONDS
    with deps.db.unit(call.actor) as tx:
        export = queries.lease_export(tx, export_id, lease_id=lease_id, now=now, leased_until=now + _LEASE)
    if export is not None and export["tries"] > domain.MOST_TRIES:
        _fail(call, deps, export_id, lease_id, "too_many_tries")
        export = None
    try:
        while export is not None and deps.clock.monotonic_seconds() < ends_at:
            export = _go_on(call, deps, call.actor.org_id, export, lease_id)
    except PackTooLarge:
        _fail(call, deps, export_id, lease_id, "too_large")
        return Reply.no_content()
    except AppError as error:
        with deps.db.unit(call.actor) as tx:
            queries.release_export(tx, export_id, lease_id=lease_id, is_counted=not isinstance(error, ServiceAway))
        raise
    if export is not None:
        with deps.db.unit(call.actor) as tx:
            queries.release_export(tx, export_id, lease_id=lease_id, is_counted=True)
            tx.emit(_TOPIC, {"export_id": str(export_id)})
    return Reply.no_content()


def tend_audit_exports(call: Call, deps: AuthDeps) -> Reply:
    """Ask for the building of what nobody builds, and delete what was kept long enough."""
    now, asked, deleted = deps.clock.now(), 0, 0
    for row in queries.list_to_tend(deps.db, waiting_since=now - _WAITING, now=now, most=_MOST_TENDED):
        with deps.db.unit_in(row["org_id"], call.actor) as tx:
            if not row["is_over"]:
                tx.emit(_TOPIC, {"export_id": str(row["export_id"])})
                asked += 1
            elif queries.delete_expired(tx, row["export_id"], now=now):
                tx.audit("auth:audit_export:expired", "audit_export", row["export_id"])
                deleted += 1
    return Reply.ok({"asked": asked, "deleted": deleted})


def _go_on(call: Call, deps: AuthDeps, org_id: UUID, export: Row, lease_id: UUID) -> Row | None:
    """Add the next files to a pack; returns it as it is then, None when it is whole or somebody else's by now.

    Raises:
        PackTooLarge: it has outgrown what a pack may be.
        ServiceAway: (503 `service_away`) KMS or the object store did not answer.
    """
    anchors = read_anchors(deps.anchors, org_id) if wants_anchors(export) else ()
    with deps.db.unit(call.actor) as tx:
        step = next_step(Job(tx, deps.settings.public_url, export, anchors))
        before = queries.list_parts(tx, export["id"]) if step.is_last else ()
    parts = _pack(deps, export, step, before)
    sealed = [_seal(deps, org_id, part) for part in parts]
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        row = queries.advance_export(
            tx,
            export["id"],
            lease_id=lease_id,
            section=export["section"] + (step.progress is None),
            progress=step.handed_on if step.progress is None else step.progress,
            files=len([part for part in parts if part.path != packs.DIRECTORY]),
            content_bytes=sum(part.content_bytes for part in parts),
            packed_bytes=sum(len(part.packed) for part in parts),
            leased_until=now + _LEASE,
        )
        if row is None:
            return None
        if domain.is_too_large(**{name: row[name] for name in ("files", "content_bytes", "packed_bytes")}):
            raise PackTooLarge
        for number, part in enumerate(sealed, export["files"] + 1):
            queries.insert_part(tx, export["id"], number=number, **part)
        if not step.is_last:
            return row
        queries.end_export(tx, export["id"], lease_id=lease_id, status="done", error_code=None, now=now)
        told = {name: row[name] for name in ("files", "packed_bytes")}
        tx.audit("auth:audit_export:finished", "audit_export", export["id"], **told)
        tx.emit("org-events", {"event": "auth:audit_export:finished", "export_id": str(export["id"]), **told})
    _log.info("audit export done", export_id=str(export["id"]), **told)
    return None


def _pack(deps: AuthDeps, export: Row, step: Step, before: Sequence[Row]) -> list[Part]:
    """Turn files into parts of the ZIP; the last ones are followed by its directory."""
    at = export["started_at"]
    files = [*step.files, sign_manifest(deps.export_key, step.files[0].content)] if step.is_last else step.files
    parts = [packs.pack_file(file, at) for file in files]
    if not step.is_last:
        return parts
    return [*parts, packs.pack_directory([*before, *(part.columns for part in parts)], at)]


def _seal(deps: AuthDeps, org_id: UUID, part: Part) -> Mapping[str, Any]:
    part_id = deps.entropy.uuid()
    sealed = deps.envelope.seal(Secret(part.packed), export_place(org_id, part_id))
    return {"id": part_id, **part.columns, "content_encrypted": sealed}


def _fail(call: Call, deps: AuthDeps, export_id: UUID, lease_id: UUID, error_code: str) -> None:
    """Give a pack up, with what there is of it."""
    with deps.db.unit(call.actor) as tx:
        if queries.end_export(
            tx, export_id, lease_id=lease_id, status="failed", error_code=error_code, now=deps.clock.now()
        ):
            queries.delete_parts(tx, export_id)
            tx.audit("auth:audit_export:failed", "audit_export", export_id, error_code=error_code)
            tx.emit(
                "org-events",
                {"event": "auth:audit_export:failed", "export_id": str(export_id), "error_code": error_code},
            )
            _log.warning("audit export failed", export_id=str(export_id), error_code=error_code)
