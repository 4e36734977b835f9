"""Events: the comparison of a scan, part by part. Every handler may be called twice for one event, and in any order.

How far a comparison is stands with its scan and nowhere else. A part and that note are one transaction, so that a worker that is
killed loses at most one part, and whoever takes the scan up next goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.rules.levels import SEVERITIES
from shared.telemetry.log import logger

from .. import streaming
from ..baselining import Walk, baseline_drifts, reported_changes
from ..clouds import cloud_of
from ..clouds.port import Beyond
from ..confirming import ask_again
from ..domain import records
from ..domain.comparison import Drift, Tally
from ..domain.ignoring import MOST_RULES, IgnoreRule, marked
from ..further import Answered, further_drifts, without_answered
from ..queries import accounts as account_queries
from ..queries import comparing as queries
from ..queries import drift as drift_queries
from ..queries import ignoring as ignoring_queries
from ..queries import live as live_queries
from ..queries import scans as scan_queries
from ..starting import as_scanned
from ..streaming import Found, Scope
from ..turns import settle
from ..wiring import ScanDeps

_log = logger("scan")
_TURN = timedelta(
    seconds=240
)  # of the 540 that the function has and the 600 after which the queue sends a message again
_PAGE = 2_000
_MOST_RESTARTS = 3
_NOTHING: dict[str, Any] = {
    "after": list(queries.FIRST), "in_sync": 0, "compared": 0, "not_checked": 0, "out_of_scope": 0, "uncovered": {}, "keyless": {}, "ambiguous": {},
    "restarts": 0, "documents": list(queries.FIRST),
}  # fmt: skip


def work_comparison(call: Call, deps: ScanDeps) -> Reply:
    """Compare what a scan saw with what the states declare, as far as this turn goes; the last part stores the difference."""
    scan_id = id_of(call, "scan_id")
    seal = deps.sealer(call.actor.org_id or call.org_id)
    ends_at = deps.clock.now() + _TURN
    summary: dict[str, Any] | None = None
    while summary is None:
        with deps.db.unit(call.actor) as tx:
            scan = queries.take_scan(tx, scan_id)
            if scan is None or scan["status"] != "comparing":
                return Reply.no_content()  # it is over, it reads once more, or somebody else is at it
            account = as_scanned(account_queries.get_account(tx, scan["account_id"]), scan)
            now = deps.clock.now()
            scope = Scope.of(tx, scan, account, cloud_of(account).specs(), seal)
            summary = step(tx, scan, account, scope, now=now)
            if summary is not None:
                settle(tx, scan_id, "done", summary, now=now)
            is_turn_over = summary is None and deps.clock.now() >= ends_at
            if is_turn_over:
                tx.emit("scan-comparisons", {"scan_id": str(scan_id)})
        if is_turn_over:
            _log.info("comparison goes on in another turn", scan_id=str(scan_id))
            return Reply.no_content()
    _log.info("scan done", scan_id=str(scan_id), drift=summary["drift"])
    return Reply.no_content()


def step(
    tx: UnitOfWork, scan: Row, account: Row, scope: Scope, *, now: datetime, part: int | None = None
) -> dict[str, Any] | None:
    """Do the next part of a comparison, or end it; returns the summary of one that was ended.

    Args:
        tx: the unit of work.
        scan: its row, locked.
        account: the row of its account.
        scope: what is compared.
        now: time of the step, for rules that end.
        part: about how many resources of a side; `streaming.PART` when None.
    """
    kept: dict[str, Any] = scan["comparison"] or _begin(tx, scan)
    most = part or streaming.PART
    if kept["after"] != list(queries.LAST):
        until, pieces = streaming.compare_part(tx, scope, (kept["after"][0], kept["after"][1]), part=most)
        for found in pieces:
            _keep(tx, scan["id"], kept, found)
        kept["after"] = list(until)
    if kept["after"] == list(queries.LAST):
        if _is_overtaken(tx, scan, kept):
            return None
        if _add_documents(tx, scan, scope, kept, most):
            return _end(tx, scan, account, scope, kept, now)
    queries.save(tx, scan["id"], kept)
    return None


def _is_overtaken(tx: UnitOfWork, scan: Row, kept: Mapping[str, Any]) -> bool:
    """Begin anew when a state was taken in since the comparison began; says whether it does."""
    if kept["restarts"] >= _MOST_RESTARTS or queries.name_states(tx, scan["account_id"]) == kept["states"]:
        return False
    _begin(tx, scan, restarts=kept["restarts"] + 1)
    return True


def _add_documents(tx: UnitOfWork, scan: Row, scope: Scope, kept: dict[str, Any], most: int) -> bool:
    """Keep what the next of the documents show against their baselines; says whether these were the last ones."""
    after = kept.get("documents", queries.FIRST)  # a comparison of the release before keeps none
    walk = Walk(most, (after[0], after[1]))
    reported = reported_changes(queries.list_changed(tx, scan["id"]))
    place = {"account_id": scan["account_id"], "scan_id": scan["id"]}
    _add_drifts(tx, scan, baseline_drifts(tx, **place, seal=scope.seal, reported=reported, walk=walk))
    kept["documents"] = list(walk.after)
    return walk.is_over


def _begin(tx: UnitOfWork, scan: Row, *, restarts: int = 0) -> dict[str, Any]:
    states = queries.name_states(tx, scan["account_id"])
    return queries.begin(tx, scan["id"], {**_NOTHING, "states": states, "restarts": restarts})


def _keep(tx: UnitOfWork, scan_id: UUID, kept: dict[str, Any], found: Found) -> None:
    queries.add_findings(tx, scan_id, found.items)
    _add(kept, found.tally)
    for name, resources in found.keyless.items():
        kept["keyless"][name] = kept["keyless"].get(name, 0) + resources
    kept["ambiguous"] = Counter(kept.get("ambiguous", {})) + Counter(found.tally.ambiguous)


def _add(kept: dict[str, Any], tally: Tally) -> None:
    for name in ("in_sync", "compared", "not_checked", "out_of_scope"):
        kept[name] += getattr(tally, name)
    for name, resources in tally.uncovered.items():
        kept["uncovered"][name] = kept["uncovered"].get(name, 0) + resources


def _end(
    tx: UnitOfWork, scan: Row, account: Row, scope: Scope, kept: dict[str, Any], now: datetime
) -> dict[str, Any] | None:
    """Store the difference at once and end the scan, unless what is new has to be read once more."""
    apart = streaming.count_apart(tx, scope)
    answered = _add_further(tx, scan, scope, cloud_of(account).beyond(apart.uncovered))
    if ask_again(tx, scan, account):
        queries.clear_findings(tx, scan["id"])
        return None
    _add(kept, apart)
    _add_answered(kept, answered)
    if kept["keyless"]:
        _log.warning("digests of a key version that is gone", resources=sum(kept["keyless"].values()))
    unread = queries.count_unread(tx, scan["id"])
    unknown = (
        {name for gap in scope.not_checked for name in gap.types}
        | unread.keys()
        | kept["keyless"].keys()
        | kept.get("ambiguous", {}).keys()
    )
    ignored = _publish(tx, scan, scope, now)
    fixed = drift_queries.fix_gone(
        tx, account_id=scan["account_id"], unknown_types=sorted(_with_stand_alone_forms(unknown, scope))
    )
    live_queries.delete_gone(tx, account_id=scan["account_id"], scan_id=scan["id"])
    summary = _summary(tx, scan, scope, kept)
    summary |= {"fixed": fixed, "ignored": ignored, "unread": sum(unread.values()) + sum(kept["keyless"].values())}
    queries.clear_findings(tx, scan["id"])
    scan_queries.set_done(tx, scan["id"], summary)
    tx.emit("org-events", {"event": "scan:scan:done", "scan_id": str(scan["id"])})
    tx.emit("scan-attributions", {"account_id": str(scan["account_id"]), "scan_id": str(scan["id"])})
    return summary


def _add_further(tx: UnitOfWork, scan: Row, scope: Scope, beyond: Beyond) -> Answered:
    """Keep what lies beyond the typed readers."""
    place, answered = {"account_id": scan["account_id"], "scan_id": scan["id"]}, Answered()
    _add_drifts(tx, scan, further_drifts(tx, **place, not_checked=scope.not_checked, answered=answered, beyond=beyond))
    return answered


def _add_drifts(tx: UnitOfWork, scan: Row, drifts: Iterator[Drift]) -> None:
    while batch := [records.drift_row(drift) for drift in islice(drifts, _PAGE)]:
        queries.add_findings(tx, scan["id"], list({row["fingerprint"]: row for row in batch}.values()))


def _add_answered(kept: dict[str, Any], answered: Answered) -> None:
    kept["uncovered"] = without_answered(kept["uncovered"], answered.told)
    kept["compared"] += answered.told.total()
    kept["in_sync"] += answered.told.total() - answered.missing


def _publish(tx: UnitOfWork, scan: Row, scope: Scope, now: datetime) -> int:
    """Make drift items of what was found, in one transaction with the scan's end; returns how many a rule hides."""
    rules = [IgnoreRule.of(row) for row in ignoring_queries.list_live_rules(tx, now=now, most=MOST_RULES)]
    after, ignored = b"", 0
    while rows := queries.page_findings(tx, scan["id"], after=after, most=_PAGE):
        items: list[dict[str, object]] = [row["item"] for row in rows]
        if rules:
            live = queries.list_live(tx, scope.place, {(str(item["type"]), str(item["key"])) for item in items})
            items = marked(items, rules, {(row["type"], row["key"]): row["tags"] for row in live})
            ignored += sum(item["ignore_rule_id"] is not None for item in items)
        drift_queries.upsert_items(tx, account_id=scan["account_id"], scan_id=scan["id"], items=items)
        after = rows[-1]["fingerprint"]
    return ignored


def _with_stand_alone_forms(types: set[str], scope: Scope) -> set[str]:
    """Add the types about which a comparison keeps silent while their parents are unknown."""
    specs = (scope.specs[name] for name in types if name in scope.specs)
    return types | {child for spec in specs for children in spec.inline.values() for child in children}


def _summary(tx: UnitOfWork, scan: Row, scope: Scope, kept: dict[str, Any]) -> dict[str, Any]:
    counts = [(row["kind"], row["severity"], int(row["items"])) for row in queries.count_findings(tx, scan["id"])]
    kinds = ("missing", "unmanaged", "changed")
    return {
        "drift": sum(items for _, _, items in counts),
        "by_kind": {name: sum(items for kind, _, items in counts if kind == name) for name in kinds},
        "by_severity": {name: sum(items for _, severity, items in counts if severity == name) for name in SEVERITIES},
        "live_resources": queries.count_live(tx, scope.place),
        "compared": kept["compared"],
        "in_sync": kept["in_sync"],
        "not_checked": {
            "resources": kept["not_checked"],
            "types": sorted({name for gap in scope.not_checked for name in gap.types}),
        },
        "out_of_scope": kept["out_of_scope"],
        "uncovered": dict(sorted(kept["uncovered"].items())),
    }
