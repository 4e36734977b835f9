"""The call of the operator in a Kubernetes cluster: it reports, part by part, what runs there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call, validated
from shared.http.reply import Reply
from shared.http.strict_json import parse_json
from shared.ports.clock import Entropy
from shared.security.errors import NotFound
from shared.security.signatures import verify

from ..domain.cluster_reports import PROVIDER, SCAN_INTERVAL, check_size, is_repeated, signing_secret
from ..domain.report_sealing import ObjectSealer
from ..errors import ReportGone, ReportMismatch, ScanInProgress, ScanLimitReached
from ..queries import reports as queries
from ..report_models import Identity, ReportAnswer, ReportPart
from ..starting import begin
from ..wiring import ScanDeps

MOST_PART_BYTES = 8 * 1024 * 1024  # uncompressed
MOST_PART_MEMBERS = 500_000
_MEASURED_EVERY = 20  # parts; in between, what is counted twice stands in for what is there


def take_report(call: Call, deps: ScanDeps) -> Reply:
    """Take one part of a report on a Kubernetes cluster.

    Parts come in order, are signed, and may come again: a repeated one changes nothing. With the part that ends the listing the
    report takes the place of the one before it and a scan starts; parts that follow are changes.
    """
    verify("standard", call.headers, call.content, [signing_secret(_api_key(call))], deps.clock)
    part = validated(ReportPart, parse_json(call.content, most_members=MOST_PART_MEMBERS))
    content_hash = hashlib.sha256(call.content).digest()
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        _check(queries.get_account(tx, part.account_id))
        report = queries.find_report(tx, part.account_id, part.report_id)
    if is_repeated(report, part.part, content_hash) and report is not None:
        return Reply.ok(_answer("already_processed", report))
    sealer, columns = _sealer(call, deps, part, report)  # KMS is asked outside of transactions
    objects = _sealed(part, sealer, deps.entropy)
    with deps.db.unit(call.actor) as tx:
        _check(queries.lock_account(tx, part.account_id))
        report = queries.find_report(tx, part.account_id, part.report_id)
        if is_repeated(report, part.part, content_hash) and report is not None:
            return Reply.ok(_answer("already_processed", report))
        if report is None:
            report = queries.insert_report(
                tx, part.account_id, part.report_id, last_hash=content_hash, now=now, **columns
            )
            queries.delete_other_reports(tx, part.account_id, part.report_id, is_every=False)
        elif part.listing is not None and report["completed_at"] is not None:
            raise ReportMismatch  # a listing ends once; a new one is a new report
        if report["sealing_id"] != sealer.sealing_id:
            raise ReportGone  # it began anew while this part was on its way
        taken = _store(tx, part, report, objects, content_hash, now)
        if part.listing is not None:
            queries.delete_other_reports(tx, part.account_id, part.report_id, is_every=True)
            tx.audit(
                "scan:cluster_report:completed", "cloud_account", part.account_id,
                objects=taken["objects"], not_listed=len(part.listing.failures),
            )  # fmt: skip
        has_news = part.listing is not None or (taken["completed_at"] is not None and (part.objects or part.deleted))
        scan_id = _scan(call, tx, part.account_id, now, is_first=part.listing is not None) if has_news else None
    return Reply.ok(_answer("accepted", taken, scan_id))


def _check(account: Row) -> None:
    if account["provider"] != PROVIDER:
        raise NotFound


def _sealer(call: Call, deps: ScanDeps, part: ReportPart, report: Row | None) -> tuple[ObjectSealer, dict[str, Any]]:
    """Return what seals the part's objects, and the columns of a new report that hold its key."""
    org_id = call.actor.org_id or call.org_id
    if report is not None:
        return deps.object_sealer(org_id, part.account_id, report), {}
    key, columns = deps.new_report_key(org_id)
    return ObjectSealer(key, org_id, part.account_id, part.report_id, columns["sealing_id"]), columns


def _sealed(part: ReportPart, sealer: ObjectSealer, entropy: Entropy) -> list[dict[str, str | int]]:
    """Return the rows of the part's objects; of one that it tells twice, the last word."""
    named = {(name.kind_name, name.key): item for item in part.objects for name in (_identity(item),)}
    return [sealer.seal(item, kind, key, part=part.part, entropy=entropy) for (kind, key), item in named.items()]


def _store(
    tx: UnitOfWork,
    part: ReportPart,
    report: Row,
    objects: Sequence[Mapping[str, str | int]],
    content_hash: bytes,
    now: datetime,
) -> Row:
    names = [{"kind": item.kind_name, "key": item.key} for item in part.deleted]
    queries.delete_objects(tx, part.account_id, part.report_id, names)
    queries.upsert_objects(tx, part.account_id, part.report_id, objects)
    count, size = report["objects"] + len(objects), report["object_bytes"]
    if part.listing is not None or part.part % _MEASURED_EVERY == 0:
        count, size = queries.measure_objects(tx, part.account_id, part.report_id)
    check_size(count, size)
    facts = part.listing
    values: dict[str, object] = {
        "part": part.part,
        "last_hash": content_hash,
        "objects": count,
        "object_bytes": size,
        "now": now,
        "completed_at": now if facts else None,
        "kinds": facts.kinds if facts else None,
        "failures": json.dumps([item.model_dump() for item in facts.failures]) if facts else None,
        "server_version": facts.server_version if facts else None,
        "operator_version": facts.operator_version if facts else None,
    }
    return queries.take_part(tx, part.account_id, part.report_id, **values)


def _scan(call: Call, tx: UnitOfWork, account_id: UUID, now: datetime, *, is_first: bool) -> UUID | None:
    """Start a scan, unless one is under way or has just been: the next one uses what was reported."""
    if not is_first and queries.was_scanned_since(tx, account_id, now - SCAN_INTERVAL):
        return None
    try:
        scan_id: UUID = begin(tx, account_id, requested_by=f"key:{call.actor.id}", plan=call.actor.plan)["id"]
    except (ScanInProgress, ScanLimitReached):
        return None
    return scan_id


def _identity(item: dict[str, object]) -> Identity:
    metadata = item["metadata"]
    names: dict[str, object] = metadata if isinstance(metadata, dict) else {}
    return Identity.model_validate(
        {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "name": names.get("name"),
            "namespace": names.get("namespace") or "",
        }
    )


def _answer(status: str, report: Row, scan_id: UUID | None = None) -> ReportAnswer:
    return ReportAnswer.model_validate(
        {
            "status": status,
            "next_part": report["parts"] + 1,
            "is_complete": report["completed_at"] is not None,
            "scan_id": scan_id,
        }
    )


def _api_key(call: Call) -> str:
    """Return the key that the call came with; it was found good before."""
    bearer = call.headers.get("authorization", "").partition(" ")[2].strip()
    return call.headers.get("x-api-key", "").strip() or bearer
