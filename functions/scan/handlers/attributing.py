"""Events: who made the drift that a scan found. After the scan, at the pace of the cloud's history, and for one account by one worker.

A message may come twice or be lost: an account is leased to one worker, what is settled stays, and a sweep finds what is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.telemetry.log import logger

from ..clouds import cloud_of
from ..clouds.port import History
from ..domain import attribution as domain
from ..domain.attribution import HistoryRefused
from ..errors import CredentialsRefused
from ..queries import accounts as account_queries
from ..queries import attribution as queries
from ..queries import scans as scan_queries
from ..wiring import ScanDeps

TOPIC = "scan-attributions"
_log = logger("scan")
_BATCH = 25
_MOST_ITEMS_PER_SCAN = 2000
_WORK_SECONDS = 300.0
_LEASE_SECONDS = 600
_THROTTLED_SECONDS = 120
_MOST_ORGS = 200
_MOST_HOLDERS = 5000
_SOONEST = timedelta(minutes=1)
_ASKED_AGAIN = ("access_denied", "limit_reached", "other_account", "unavailable", "malformed")


def work_attribution(call: Call, deps: ScanDeps) -> Reply:
    """Look up who made the drift of one account, until all is known or the time is over."""
    account_id = id_of(call, "account_id")
    with deps.db.unit(call.actor) as tx:
        if not queries.lease(tx, account_id, lease_seconds=_LEASE_SECONDS):
            return Reply.no_content()  # another worker has it, or the account is gone
        account = account_queries.get_account(tx, account_id)
        account["regions"] = scan_queries.latest_regions(tx, account_id) or account["regions"]
        holders = cloud_of(account).holders
        account["holders"] = queries.list_holders(tx, account_id, types=holders, most=_MOST_HOLDERS) if holders else ()
        if call.event is not None and "scan_id" in call.event.payload:
            queries.reopen(tx, account_id, reasons=_ASKED_AGAIN)
            queries.cap_due(tx, account_id, most=_MOST_ITEMS_PER_SCAN, attribution=domain.unknown_row("limit_reached"))
    history = _sign_in(call, deps, account)
    if history is not None:
        _work(call, deps, account, history)
    return Reply.no_content()


def sweep_attributions(call: Call, deps: ScanDeps) -> Reply:
    """Ask for what is due: second looks, and what a lost message or a dead worker left."""
    swept = 0
    for org_id in queries.list_orgs_with_due(deps.db, most=_MOST_ORGS):
        with deps.db.unit_in(org_id, call.actor) as tx:
            for account_id in queries.list_waiting_accounts(tx):
                tx.emit(TOPIC, {"account_id": str(account_id)})
                swept += 1
    return Reply.ok({"swept": swept})


def _sign_in(call: Call, deps: ScanDeps, account: Row) -> History | None:
    try:
        return cloud_of(account).history(deps, call.actor.org_id or call.org_id, account)
    except CredentialsRefused as error:
        permission, reason = error.facts.get("permission"), str(error.facts.get("reason") or "access_denied")
        refused = domain.unknown_row(reason, str(permission) if permission else None)
    with deps.db.unit(call.actor) as tx:
        queries.refuse_due(tx, account["id"], attribution=refused)
        queries.release(tx, account["id"])
    return None


def _work(call: Call, deps: ScanDeps, account: Row, history: History) -> None:
    deadline = deps.clock.monotonic_seconds() + _WORK_SECONDS
    while True:
        with deps.db.unit(call.actor) as tx:
            due = queries.list_due(tx, account["id"], most=_BATCH)
        answers, is_throttled = _answers(deps, history, due)
        is_late = deps.clock.monotonic_seconds() >= deadline
        with deps.db.unit(call.actor) as tx:
            queries.store_answers(tx, answers)
            if is_throttled:  # the lease keeps everybody away until the cloud had a rest; then the sweep goes on
                queries.hold(tx, account["id"], lease_seconds=_THROTTLED_SECONDS)
            elif is_late or len(due) < _BATCH:
                queries.release(tx, account["id"])
                if len(due) == _BATCH:
                    tx.emit(TOPIC, {"account_id": str(account["id"])})
            else:
                queries.hold(tx, account["id"], lease_seconds=_LEASE_SECONDS)
        _log.info("drift attributed", items=len(answers), requests=history.requests, throttled=is_throttled)
        if is_throttled or is_late or len(due) < _BATCH:
            return


def _answers(deps: ScanDeps, history: History, due: Sequence[Row]) -> tuple[list[dict[str, object]], bool]:
    """Answer a batch; also tells whether the cloud asked for a rest, with which the batch ends early."""
    answers: list[dict[str, object]] = []
    for row in due:
        question = domain.Question(
            kind=row["kind"], type=row["type"], key=row["key"], cloud_id=row["cloud_id"], region=row["region"], path=row["path"],
            seen_at=row["seen_at"], since=row["since"],
        )  # fmt: skip
        now = deps.clock.now()
        try:
            answer = history.explain(question, now)
        except HistoryRefused as error:
            if error.reason == "throttled":
                return answers, True
            answers.append(_refusal(row["id"], question, error, now))
            continue
        is_settled = domain.is_settled(question, answer, now)
        due_at = None if is_settled else max(question.seen_at + domain.DELIVERY, now + _SOONEST)
        if answer is not None:
            answers.append(_row(row["id"], "found", domain.row_of(answer), due_at))
        else:
            answers.append(
                _row(row["id"], "unknown" if is_settled else "pending", domain.unknown_row("no_event"), due_at)
            )
    return answers, False


def _refusal(item_id: UUID, question: domain.Question, error: HistoryRefused, now: datetime) -> dict[str, object]:
    """Write that there is no answer; one that may come later is asked for again while the item is young."""
    is_final = error.reason == "access_denied" or now >= question.seen_at + 6 * domain.DELIVERY
    due_at = None if is_final else now + domain.DELIVERY
    return _row(item_id, "unknown", domain.unknown_row(error.reason, error.permission), due_at)


def _row(item_id: UUID, status: str, attribution: Mapping[str, Any], due_at: datetime | None) -> dict[str, object]:
    return {"id": item_id, "status": status, "attribution": dict(attribution), "due_at": due_at}
