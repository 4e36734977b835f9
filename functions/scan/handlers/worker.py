"""Events: the work of scans, off the queue and off the clock. Every handler may be called twice for one event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.ports.queue import DEAD_LETTER_SOURCE
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from ..domain import records
from ..domain.baseline_records import document_row
from ..domain.comparison import identities_of
from ..domain.resources import LiveResource, NotChecked
from ..domain.sealing import Marks, Sealer, marks_of
from ..domain.shards import CLOUD_CONTROL, GLOBAL, REGIONS, STATE_PREFIX
from ..errors import CredentialsRefused, StateUnreachable
from ..further import (
    further_types,
    read_further,
    store_further,
    wanted_of,
)
from ..queries import accounts as account_queries
from ..queries import baselines as baseline_queries
from ..queries import inventory as inventory_queries
from ..queries import scans as queries
from ..queries import sources as source_queries
from ..readers.aws import SERVICES
from ..readers.aws.base import Gap, Scope, collect
from ..readers.aws.regions import read_regions
from ..readers.aws.session import AwsAccount
from ..starting import as_scanned, spread
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
    shard_id, scan_id = id_of(call, "shard_id"), id_of(call, "scan_id")
    with deps.db.unit(call.actor) as tx:
        scan = queries.begin_scan(tx, scan_id)
        shard = queries.begin_shard(tx, shard_id) if scan else None
        account = as_scanned(account_queries.get_account(tx, scan["account_id"]), scan) if scan else None
    if scan is None or shard is None or account is None:
        return Reply.no_content()  # a repeated message, or the scan was cancelled
    resources, gaps = _work(call, deps, shard, account)
    with deps.db.unit(call.actor) as tx:
        _end_shard(tx, scan_id, shard, "done", resources, gaps)
    _log.info("shard done", service=shard["service"], region=shard["region"], resources=resources, gaps=len(gaps))
    return Reply.no_content()


def work_dead_letter(call: Call, deps: ScanDeps) -> Reply:
    """End what the queue gave up on: a shard becomes "not checked", a comparison fails its scan."""
    source = (call.event.attributes if call.event else {}).get(DEAD_LETTER_SOURCE, "")
    if source.endswith("scan-shards"):
        with deps.db.unit(call.actor) as tx:
            _give_up_shard(tx, id_of(call, "scan_id"), id_of(call, "shard_id"))
    elif source.endswith("scan-comparisons"):
        with deps.db.unit(call.actor) as tx:
            if queries.set_ended(tx, id_of(call, "scan_id"), status="failed", error_code="comparison_failed"):
                settle(tx, id_of(call, "scan_id"), "failed", {}, now=deps.clock.now())
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
    else:
        types = _types(shard["service"], shard["region"])
        gap = NotChecked(types, shard["region"], "unavailable", None, "the shard failed again and again")
        gaps = [records.gap_row(gap, shard["region"])]
    _end_shard(tx, scan_id, shard, "failed", 0, gaps)


def _end_shard(
    tx: UnitOfWork, scan_id: UUID, shard: Row, status: str, resources: int, gaps: Sequence[Mapping[str, object]]
) -> None:
    """End a shard with what it could not read, once: a second delivery that comes late changes nothing any more."""
    outcome = queries.end_shard(tx, shard["id"], status=status, resources=resources)
    if outcome is None:
        return
    queries.replace_gaps(tx, scan_id=scan_id, shard_id=shard["id"], gaps=gaps)
    if shard["service"].startswith(STATE_PREFIX):  # the last state tells what is asked for one by one
        for waiting in inventory_queries.list_waiting_shards(tx, scan_id, service=CLOUD_CONTROL):
            tx.emit("scan-shards", {"shard_id": str(waiting), "scan_id": str(scan_id)})
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
    region = shard["region"]
    try:
        signed_in = deps.sign_in(org_id, account)
    except CredentialsRefused as error:
        permission = error.facts.get("permission")
        reason = str(error.facts.get("reason") or "access_denied")
        gap = NotChecked(
            _types(shard["service"], region), region, reason, str(permission) if permission else None, str(error)
        )
        return 0, [records.gap_row(gap, region)]
    if shard["service"] == REGIONS:
        return 0, _look_up_regions(call, deps, shard, account, signed_in)
    seal = deps.sealer(org_id)
    if shard["service"] not in _SERVICES:
        return _read_further(call, deps, shard, account, signed_in.scope(region), seal)
    service = _SERVICES[shard["service"]]
    gaps: list[dict[str, object]] = []
    batch: dict[tuple[str, str], LiveResource] = {}
    stored = 0
    scope = signed_in.scope(region)

    def store() -> int:
        items = list(batch.values())
        batch.clear()
        with deps.db.unit(call.actor) as tx:
            return _store(tx, shard["scan_id"], account["id"], items, seal)

    for listing in service.listings:
        if listing.is_global != (region == GLOBAL):
            continue
        for item in collect(listing, scope):
            if isinstance(item, LiveResource):
                batch[item.type, item.key] = item
            else:
                gaps.append(records.gap_row(item, region))
            if len(batch) >= _BATCH:
                stored += store()
    stored += store()
    return stored, gaps


def _look_up_regions(
    call: Call, deps: ScanDeps, shard: Row, account: Row, signed_in: AwsAccount
) -> list[dict[str, object]]:
    """Cut the scan over the regions of the account; where they are not told, nothing is read and nothing is concluded."""
    found = read_regions(signed_in.scope(GLOBAL))
    if isinstance(found, Gap):
        types = _types(shard["service"], shard["region"])
        gap = NotChecked(types, GLOBAL, found.reason, found.permission, found.detail)
        return [records.gap_row(gap, GLOBAL)]
    with deps.db.unit(call.actor) as tx:
        spread(tx, shard, account_id=account["id"], regions=found)
    _log.info("regions looked up", scan_id=str(shard["scan_id"]), regions=len(found))
    return []


def _read_further(
    call: Call, deps: ScanDeps, shard: Row, account: Row, scope: Scope, seal: Sealer
) -> tuple[int, list[dict[str, object]]]:
    with deps.db.unit(call.actor) as tx:
        wanted = wanted_of(tx, account, shard["region"]) if shard["service"] == CLOUD_CONTROL else []
        marks = _marks(tx, account["id"], {(item.type, item.key) for item in wanted})
    found = read_further(shard, scope, regions=account["regions"], wanted=wanted, seal=seal, marks=marks)
    with deps.db.unit(call.actor) as tx:
        stored = store_further(tx, found, account_id=account["id"], scan_id=shard["scan_id"])
    return stored, found.gaps


def _marks(tx: UnitOfWork, account_id: UUID, names: Iterable[tuple[str, str]]) -> Marks:
    return marks_of(records.declared_of(row) for row in source_queries.list_marked(tx, account_id, names))


def _store(tx: UnitOfWork, scan_id: UUID, account_id: UUID, items: Sequence[LiveResource], seal: Sealer) -> int:
    """Store what was read, with hidden what a state of the account marks as sensitive; returns how much that is."""
    marks = _marks(tx, account_id, {name for item in items for name in identities_of(item)})
    rows = [records.live_row(item, SPECS, seal, marks=marks) for item in items]  # reads what else was handed on
    documents = [row for item in items if (row := document_row(item, SPECS, seal, marks=marks)) is not None]
    if rows:
        queries.upsert_live(tx, account_id=account_id, scan_id=scan_id, resources=rows)
        baseline_queries.upsert_documents(tx, account_id=account_id, scan_id=scan_id, documents=documents)
    return len(rows)


def _types(name: str, region: str) -> tuple[str, ...]:
    if name not in _SERVICES:
        return further_types(name)
    service = _SERVICES[name]
    listings = [listing for listing in service.listings if listing.is_global == (region == GLOBAL)]
    return tuple(name for listing in listings for name in listing.types)
