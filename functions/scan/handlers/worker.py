"""Events: the work of scans, off the queue and off the clock. Every handler may be called twice for one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.reply import Reply
from shared.ports.queue import DEAD_LETTER_SOURCE
from shared.rules.levels import SEVERITIES
from shared.security.actor import Actor
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from ..domain import records
from ..domain.comparison import Sides, Tally, compare
from ..domain.ignoring import MOST_RULES, IgnoreRule, marked
from ..domain.resources import Declared, LiveResource, NotChecked, Unread
from ..domain.sealing import Marks, Sealer, incomparable, mark_declared, mark_live, marks_of
from ..domain.shards import GLOBAL, STATE_PREFIX
from ..errors import CredentialsRefused, StateUnreachable
from ..queries import accounts as account_queries
from ..queries import drift as drift_queries
from ..queries import ignoring as ignoring_queries
from ..queries import scans as queries
from ..queries import sources as source_queries
from ..readers.aws import SERVICES
from ..readers.aws.base import Service, collect
from ..turns import settle
from ..types.aws import SPECS
from ..wiring import ScanDeps
from .fetching import fetch_and_store

_log = logger("scan")
_SERVICES = {service.name: service for service in SERVICES}
_BATCH = 200
_STUCK_SECONDS = 900
_MOST_ATTEMPTS = 8
_MOST_ORGS = 200


def work_shard(call: Call, deps: ScanDeps) -> Reply:
    """Read one shard: list, store what was seen, and count the shard; the last one asks for the comparison."""
    shard_id, scan_id = _id(call, "shard_id"), _id(call, "scan_id")
    with deps.db.unit(call.actor) as tx:
        scan = queries.begin_scan(tx, scan_id)
        shard = queries.begin_shard(tx, shard_id) if scan else None
        account = account_queries.get_account(tx, scan["account_id"]) if scan else None
    if scan is None or shard is None or account is None:
        return Reply.no_content()  # a repeated message, or the scan was cancelled
    resources, gaps = _work(call, deps, shard, account)
    with deps.db.unit(call.actor) as tx:
        _end_shard(tx, scan_id, shard_id, "done", resources, gaps)
    _log.info("shard done", service=shard["service"], region=shard["region"], resources=resources, gaps=len(gaps))
    return Reply.no_content()


def work_comparison(call: Call, deps: ScanDeps) -> Reply:
    """Compare what a scan saw with what the states declare, and store the difference; once per request for it."""
    scan_id = _id(call, "scan_id")
    org_id = call.actor.org_id or call.org_id
    seal = deps.sealer(org_id)
    with deps.db.unit(call.actor) as tx:
        scan = queries.lock_scan(tx, scan_id)
        if scan["status"] != "comparing":
            return Reply.no_content()
        now = deps.clock.now()
        summary = _compare(tx, scan, account_queries.get_account(tx, scan["account_id"]), seal, now)
        queries.set_done(tx, scan_id, summary)
        settle(tx, scan_id, "done", summary, now=now)
        tx.emit("org-events", {"event": "scan:scan:done", "scan_id": str(scan_id)})
    _log.info("scan done", scan_id=str(scan_id), drift=summary["drift"])
    return Reply.no_content()


def work_dead_letter(call: Call, deps: ScanDeps) -> Reply:
    """End what the queue gave up on: a shard becomes "not checked", a comparison fails its scan."""
    source = (call.event.attributes if call.event else {}).get(DEAD_LETTER_SOURCE, "")
    if source.endswith("scan-shards"):
        with deps.db.unit(call.actor) as tx:
            _give_up_shard(tx, _id(call, "scan_id"), _id(call, "shard_id"))
    elif source.endswith("scan-comparisons"):
        with deps.db.unit(call.actor) as tx:
            if queries.set_ended(tx, _id(call, "scan_id"), status="failed", error_code="comparison_failed"):
                settle(tx, _id(call, "scan_id"), "failed", {}, now=deps.clock.now())
    _log.error("message given up", subscription=source)
    return Reply.no_content()


def sweep_scans(call: Call, deps: ScanDeps) -> Reply:
    """Take up again what a lost message or a dead worker left lying; give up what was tried too often."""
    swept = 0
    for org_id in queries.list_orgs_with_active_scans(deps.db, most=_MOST_ORGS):
        with deps.db.unit_in(org_id, call.actor) as tx:
            swept += _sweep(tx)
    return Reply.ok({"swept": swept})


def _sweep(tx: UnitOfWork) -> int:
    stuck = queries.list_stuck_shards(tx, stuck_seconds=_STUCK_SECONDS)
    for shard in stuck:
        if shard["attempts"] >= _MOST_ATTEMPTS:
            _give_up_shard(tx, shard["scan_id"], shard["id"])
        else:
            queries.touch_shard(tx, shard["id"])  # or each sweep would send it again while it waits its turn
            tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(shard["scan_id"])})
    waiting = queries.list_stuck_comparisons(tx, stuck_seconds=_STUCK_SECONDS)
    for scan_id in waiting:
        tx.emit("scan-comparisons", {"scan_id": str(scan_id)})
    return len(stuck) + len(waiting)


def _give_up_shard(tx: UnitOfWork, scan_id: UUID, shard_id: UUID) -> None:
    shard = queries.begin_shard(tx, shard_id)
    if shard is None:
        return
    gaps: list[dict[str, object]] = []
    if shard["service"].startswith(STATE_PREFIX):
        source_id = UUID(shard["service"].removeprefix(STATE_PREFIX))
        source_queries.set_failed(
            tx, source_id, error_code=StateUnreachable.code, error_detail="fetching the state failed again and again"
        )
    elif shard["service"] in _SERVICES:
        types = _types(_SERVICES[shard["service"]], shard["region"])
        gap = NotChecked(types, shard["region"], "unavailable", None, "the shard failed again and again")
        gaps = [records.gap_row(gap, shard["region"])]
    _end_shard(tx, scan_id, shard_id, "failed", 0, gaps)


def _end_shard(
    tx: UnitOfWork, scan_id: UUID, shard_id: UUID, status: str, resources: int, gaps: Sequence[Mapping[str, object]]
) -> None:
    """End a shard with what it could not read, once: a second delivery that comes late changes nothing any more."""
    outcome = queries.end_shard(tx, shard_id, status=status, resources=resources)
    if outcome is None:
        return
    queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard_id, gaps=gaps)
    if outcome.is_last:
        tx.emit("scan-comparisons", {"scan_id": str(scan_id)})


def _work(call: Call, deps: ScanDeps, shard: Row, account: Row) -> tuple[int, list[dict[str, object]]]:
    if shard["service"].startswith(STATE_PREFIX):
        _fetch_state(call, deps, UUID(shard["service"].removeprefix(STATE_PREFIX)), account)
        return 0, []
    return _read_shard(call, deps, shard, account)


def _fetch_state(call: Call, deps: ScanDeps, source_id: UUID, account: Row) -> None:
    try:
        with deps.db.unit(call.actor) as tx:
            source = source_queries.get_source(tx, source_id)
    except NotFound:
        return  # it was removed while the scan waited
    fetch_and_store(call, deps, source, account)


def _read_shard(call: Call, deps: ScanDeps, shard: Row, account: Row) -> tuple[int, list[dict[str, object]]]:
    """Read one service of one region; returns how many resources were stored and what could not be read."""
    org_id = call.actor.org_id or call.org_id
    service, region = _SERVICES[shard["service"]], shard["region"]
    try:
        signed_in = deps.sign_in(org_id, account)
    except CredentialsRefused as error:
        permission = error.facts.get("permission")
        reason = str(error.facts.get("reason") or "access_denied")
        gap = NotChecked(_types(service, region), region, reason, str(permission) if permission else None, str(error))
        return 0, [records.gap_row(gap, region)]
    seal = deps.sealer(org_id)
    with deps.db.unit(call.actor) as tx:
        marks = marks_of(records.declared_of(found) for found in source_queries.list_marked(tx, account["id"]))
    gaps: list[dict[str, object]] = []
    batch: dict[tuple[str, str], LiveResource] = {}
    stored = 0
    scope = signed_in.scope(region)

    def row(item: LiveResource) -> dict[str, object]:
        return records.live_row(item, SPECS, seal, marks=marks)

    for listing in service.listings:
        if listing.is_global != (region == GLOBAL):
            continue
        for item in collect(listing, scope):
            if isinstance(item, LiveResource):
                batch[item.type, item.key] = item
            else:
                gaps.append(records.gap_row(item, region))
            if len(batch) >= _BATCH:
                stored += _store(call.actor, deps, shard, account, [row(item) for item in batch.values()])
                batch.clear()
    stored += _store(call.actor, deps, shard, account, [row(item) for item in batch.values()])
    return stored, gaps


def _store(actor: Actor, deps: ScanDeps, shard: Row, account: Row, rows: Sequence[Mapping[str, object]]) -> int:
    if rows:
        with deps.db.unit(actor) as tx:
            queries.upsert_live(tx, account_id=account["id"], scan_id=shard["scan_id"], resources=rows)
    return len(rows)


def _compare(tx: UnitOfWork, scan: Row, account: Row, seal: Sealer, now: datetime) -> dict[str, Any]:
    declared = [records.declared_of(row) for row in source_queries.list_resources(tx, account["id"])]
    live = [records.live_of(row) for row in queries.list_live(tx, account_id=account["id"], scan_id=scan["id"])]
    declared, live = _hide(tx, scan, account, declared, live, seal)
    not_checked, unread = records.gaps_of(queries.list_gaps(tx, scan["id"]))
    unread += _keyless(declared, live)
    sides = Sides(
        account=account["external_account"],
        regions=frozenset(account["regions"]),
        declared=declared,
        live=live,
        unread=unread,
        not_checked=not_checked,
    )
    tally = Tally()
    rows = (records.drift_row(drift) for drift in compare(sides, SPECS, tally))
    unique = {row["fingerprint"]: row for row in rows}  # two states may declare the very same thing
    rules = [IgnoreRule.of(row) for row in ignoring_queries.list_live_rules(tx, now=now, most=MOST_RULES)]
    found = marked(unique.values(), rules, {(item.type, item.key): item.tags for item in live})
    drift_queries.upsert_items(tx, account_id=account["id"], scan_id=scan["id"], items=found)
    unknown = _with_stand_alone_forms(
        {name for gap in not_checked for name in gap.types} | {gap.type for gap in unread}
    )
    fixed = drift_queries.fix_gone(tx, account_id=account["id"], unknown_types=sorted(unknown))
    queries.delete_gone(tx, account_id=account["id"], scan_id=scan["id"])
    return _summary(found, tally, not_checked, unread, live, fixed)


def _with_stand_alone_forms(types: set[str]) -> set[str]:
    """Add the types about which a comparison keeps silent while their parents are unknown."""
    specs = (SPECS[name] for name in types if name in SPECS)
    return types | {child for spec in specs for children in spec.inline.values() for child in children}


def _hide(
    tx: UnitOfWork, scan: Row, account: Row, declared: Sequence[Declared], live: Sequence[LiveResource], seal: Sealer
) -> tuple[list[Declared], list[LiveResource]]:
    """Hide on both sides what any state hides; what a state that came after the shards hides is hidden in its row as well."""
    marks: Marks = marks_of(declared)
    hidden = [mark_live(item, SPECS.get(item.type), marks, seal) for item in live]
    late = [item for item, before in zip(hidden, live, strict=True) if item != before]
    if late:
        rows = [records.live_row(item, SPECS, seal, marks=marks) for item in late]
        queries.upsert_live(tx, account_id=account["id"], scan_id=scan["id"], resources=rows)
    by_identity = {(item.type, item.key): item for item in hidden}
    return [
        mark_declared(item, SPECS.get(item.type), by_identity.get((item.type, item.key or "")), marks, seal)
        for item in declared
    ], hidden


def _keyless(declared: Sequence[Declared], live: Sequence[LiveResource]) -> list[Unread]:
    """Name what cannot be compared, as a version of the digest key that hides it is gone."""
    by_identity = {(item.type, item.key): item for item in live}
    found: list[Unread] = []
    for item in declared:
        resource = by_identity.get((item.type, item.key or ""))
        if resource is not None and (names := incomparable(item.attributes, resource.attributes)):
            detail = "the state was taken in under a digest key that is gone; fetch or upload it again"
            found.append(Unread(resource.type, resource.key, names, None, "digest_key_gone", detail))
    if found:
        _log.warning("digests of a key version that is gone", resources=len(found))
    return found


def _summary(
    found: Sequence[Mapping[str, object]],
    tally: Tally,
    not_checked: Sequence[NotChecked],
    unread: Sequence[Unread],
    live: Sequence[LiveResource],
    fixed: int,
) -> dict[str, Any]:
    kinds = ("missing", "unmanaged", "changed")
    return {
        "drift": len(found),
        "by_kind": {kind: sum(item["kind"] == kind for item in found) for kind in kinds},
        "by_severity": {name: sum(item["severity"] == name for item in found) for name in SEVERITIES},
        "ignored": sum(item["ignore_rule_id"] is not None for item in found),
        "live_resources": len(live),
        "compared": tally.compared,
        "in_sync": tally.in_sync,
        "fixed": fixed,
        "not_checked": {
            "resources": tally.not_checked,
            "types": sorted({name for gap in not_checked for name in gap.types}),
        },
        "unread": len(unread),
        "out_of_scope": tally.out_of_scope,
        "uncovered": dict(sorted(tally.uncovered.items())),
    }


def _types(service: Service, region: str) -> tuple[str, ...]:
    listings = [listing for listing in service.listings if listing.is_global == (region == GLOBAL)]
    return tuple(name for listing in listings for name in listing.types)


def _id(call: Call, name: str) -> UUID:
    try:
        return UUID(str(call.event.payload[name]))  # type: ignore[union-attr]  # event routes always carry one
    except (KeyError, ValueError, AttributeError) as error:
        raise MalformedRequest(f"the message has no {name}") from error
