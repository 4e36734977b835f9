"""Events: the work of scans, off the queue and off the clock. Every handler may be called twice for one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.ports.queue import DEAD_LETTER_SOURCE
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from ..clouds import Cloud, cloud_of
from ..clouds.port import Outcome, ShardWork
from ..domain import records
from ..domain.resources import NotChecked
from ..domain.shards import STATE_PREFIX
from ..errors import CredentialsRefused, StateUnreachable
from ..queries import accounts as account_queries
from ..queries import gaps as gap_queries
from ..queries import inventory as inventory_queries
from ..queries import scans as queries
from ..queries import shards as shard_queries
from ..queries import sources as source_queries
from ..starting import as_scanned, spread
from ..turns import settle
from ..wiring import ScanDeps
from .fetching import fetch_and_store

_log = logger("scan")
_STUCK_SECONDS = 900
_MOST_ATTEMPTS = 8
_MOST_ORGS = 200


def work_shard(call: Call, deps: ScanDeps) -> Reply:
    """Read one shard: list, store what was seen, and count the shard; the last one asks for the comparison."""
    shard_id, scan_id = id_of(call, "shard_id"), id_of(call, "scan_id")
    with deps.db.unit(call.actor) as tx:
        scan = queries.begin_scan(tx, scan_id)
        shard = shard_queries.begin_shard(tx, shard_id) if scan else None
        account = as_scanned(account_queries.get_account(tx, scan["account_id"]), scan) if scan else None
    if scan is None or shard is None or account is None:
        return Reply.no_content()  # a repeated message, or the scan was cancelled
    outcome = _work(call, deps, scan, shard, account)
    with deps.db.unit(call.actor) as tx:
        if outcome.regions is not None:
            spread(tx, shard, account=account, regions=outcome.regions)
        if outcome.continues is not None:
            _pause_shard(tx, shard, outcome)
        else:
            _end_shard(tx, cloud_of(account), shard, "done", outcome)
    _log.info(
        "shard read",
        service=shard["service"],
        region=shard["region"],
        resources=outcome.resources,
        gaps=len(outcome.gaps),
        goes_on=outcome.continues is not None,
    )
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
    stuck = shard_queries.list_stuck_shards(tx, stuck_seconds=_STUCK_SECONDS)
    for shard in stuck:
        if shard["attempts"] >= _MOST_ATTEMPTS:
            _give_up_shard(tx, shard["scan_id"], shard["id"])
        else:
            shard_queries.touch_shard(tx, shard["id"])  # or each sweep would send it again while it waits its turn
            tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(shard["scan_id"])})
    waiting = queries.list_stuck_comparisons(tx, stuck_seconds=_STUCK_SECONDS)
    for scan_id in waiting:
        tx.emit("scan-comparisons", {"scan_id": str(scan_id)})
    return len(stuck) + len(waiting)


def _give_up_shard(tx: UnitOfWork, scan_id: UUID, shard_id: UUID) -> None:
    shard = shard_queries.begin_shard(tx, shard_id)
    if shard is None:
        return
    cloud = cloud_of(account_queries.get_account(tx, queries.get_scan(tx, scan_id)["account_id"]))
    outcome = Outcome()
    if shard["service"].startswith(STATE_PREFIX):
        source_id = UUID(shard["service"].removeprefix(STATE_PREFIX))
        source_queries.set_failed(
            tx, source_id, error_code=StateUnreachable.code, error_detail="fetching the state failed again and again"
        )
    else:
        types = cloud.types_of(shard["service"], shard["region"])
        gap = NotChecked(types, shard["region"], "unavailable", None, "the shard failed again and again")
        outcome.gaps.append(records.gap_row(gap, shard["region"]))
    _end_shard(tx, cloud, shard, "failed", outcome)


def _pause_shard(tx: UnitOfWork, shard: Row, outcome: Outcome) -> None:
    """Note how far a shard was read and send it on its way, once: a second delivery that comes late changes nothing."""
    resources = shard["resources"] + outcome.resources
    turn = {"before": shard["progress"], "following": outcome.continues or {}}
    if shard_queries.pause_shard(tx, shard["id"], **turn, resources=resources):
        _store_gaps(tx, shard, outcome.gaps)
        tx.emit("scan-shards", {"shard_id": str(shard["id"]), "scan_id": str(shard["scan_id"])})


def _end_shard(tx: UnitOfWork, cloud: Cloud, shard: Row, status: str, outcome: Outcome) -> None:
    """End a shard with what it could not read, once: a second delivery that comes late changes nothing any more."""
    scan_id: UUID = shard["scan_id"]
    ended = shard_queries.end_shard(
        tx,
        shard["id"],
        status=status,
        resources=shard["resources"] + outcome.resources,
        progress=shard["progress"],
    )
    if ended is None:
        return
    _store_gaps(tx, shard, outcome.gaps)
    if shard["service"].startswith(STATE_PREFIX):  # the last state tells what is asked for one by one
        for waiting in inventory_queries.list_waiting_shards(tx, scan_id, service=cloud.waits):
            tx.emit("scan-shards", {"shard_id": str(waiting), "scan_id": str(scan_id)})
    if ended.is_last:
        tx.emit("scan-comparisons", {"scan_id": str(scan_id)})


def _store_gaps(tx: UnitOfWork, shard: Row, gaps: Sequence[Mapping[str, object]]) -> None:
    """Store what a turn could not read: the first one in the place of what an earlier try could not."""
    is_first = shard["progress"] is None
    store = gap_queries.replace_gaps if is_first else gap_queries.add_gaps
    store(tx, scan_id=shard["scan_id"], shard_id=shard["id"], gaps=gaps)


def _work(call: Call, deps: ScanDeps, scan: Row, shard: Row, account: Row) -> Outcome:
    if shard["service"].startswith(STATE_PREFIX):
        _fetch_state(call, deps, UUID(shard["service"].removeprefix(STATE_PREFIX)), account)
        return Outcome()
    cloud, org_id = cloud_of(account), call.actor.org_id or call.org_id
    work = ShardWork(deps, call.actor, org_id, shard, account, is_second=scan["readings"] > 1)
    try:
        return cloud.read(work)
    except CredentialsRefused as error:
        permission = error.facts.get("permission")
        reason = str(error.facts.get("reason") or "access_denied")
        types = cloud.types_of(shard["service"], shard["region"])
        gap = NotChecked(types, shard["region"], reason, str(permission) if permission else None, str(error))
        return Outcome(gaps=[records.gap_row(gap, shard["region"])])


def _fetch_state(call: Call, deps: ScanDeps, source_id: UUID, account: Row) -> None:
    try:
        with deps.db.unit(call.actor) as tx:
            source = source_queries.get_source(tx, source_id)
    except NotFound:
        return  # it was removed while the scan waited
    fetch_and_store(call, deps, source, account)
