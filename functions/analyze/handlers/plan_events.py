"""Plans that webhooks delivered, off the queue: each is judged like any other, once per time that the webhook worker asks.

The body stays where it is: it is read by a grant on some columns, and opened with the key of webhooks' bodies (ADR-0023). What became of
it goes back over the queue, as deliveries are the webhook function's to write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call, validated
from shared.http.errors import AppError, MalformedRequest
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.security.actor import Actor
from shared.telemetry.log import logger

from ..code_hosts.connecting import Credentials
from ..domain.plan import load_document
from ..domain.plan_events import find_plan
from ..domain.runs import RunNotice, choose_connection, read_notice
from ..errors import BodyPurged, ConnectionMissing
from ..judging import Judged, Wish, judge, store
from ..models.analyses import CiFacts, PlanEvent
from ..queries import code_hosts as host_queries
from ..queries import plan_events as queries
from ..queries.orgs import get_subscription
from ..wiring import AnalyzeDeps, body_place, code_host_place

TOPIC: Final = "plan-events"
_SERVER_ERROR = 500
_MOST_DETAIL, _MOST_FIELDS = 500, 5
_log = logger("analyze")


def analyze_delivery(call: Call, deps: AnalyzeDeps) -> Reply:
    """Judge the plan of a delivery and keep the judgement; say what became of it, in the same transaction."""
    delivery_id = id_of(call, "delivery_id")
    with deps.db.unit(call.actor) as tx:
        delivery = queries.find_delivery(tx, delivery_id)
        actor = replace(call.actor, plan=get_subscription(tx)) if delivery else call.actor
    if delivery is None or delivery["status"] != "received":
        return Reply.no_content()  # its config was removed, it is another organisation's, or it was ended meanwhile
    result: dict[str, Any] = {"delivery_id": str(delivery_id)}
    wish: Wish | None = None
    judged: Judged | None = None
    try:
        wish = _read(call, deps, delivery)
        judged = judge(deps, actor, wish) if wish else None
    except AppError as error:
        if error.status >= _SERVER_ERROR:
            raise
        result |= {"error_code": error.code, "error_detail": _detail(error)}
    with deps.db.unit(actor) as tx:
        tx.claim_event(TOPIC, call.event.id if call.event else "")
        if wish is not None and judged is not None:
            by = f"webhook:{delivery['config_id']}"
            row = store(deps, tx, wish, judged, requested_by=by)
            result["analysis_id"] = str(row["id"])
        tx.emit("plan-event-results", result)
    _log.info("plan event", delivery_id=str(delivery_id), error_code=result.get("error_code"))
    return Reply.no_content()


def _read(call: Call, deps: AnalyzeDeps, delivery: Row) -> Wish | None:
    """Open a delivery's body and find the plan in it, or the run that it is about; None when there is nothing to judge.

    Raises:
        BodyPurged: (409 `body_purged`).
        PlanUnreadable, PlanTooLarge, Invalid: there is no plan in it, or what stands beside it makes no sense.
        ConnectionMissing, CodeHostRefused, CodeHostAway: the run's plan cannot be fetched.
    """
    if delivery["body_encrypted"] is None:
        raise BodyPurged
    place = body_place(_org_id(call.actor), delivery["id"])
    content = deps.bodies.open(bytes(delivery["body_encrypted"]), place).reveal()
    if delivery["provider"] == "terraform_cloud":
        return _fetch(call, deps, read_notice(load_document(content)))
    found = find_plan(delivery["provider"], content)
    beside = validated(PlanEvent, dict(found.beside))
    return Wish(found.plan, beside.ci, beside.fail_on)


def _fetch(call: Call, deps: AnalyzeDeps, notice: RunNotice) -> Wish | None:
    """Fetch the plan of a run; a run that was applied is past judging."""
    if notice.is_applied:
        return None
    with deps.db.unit(call.actor) as tx:
        host = choose_connection(host_queries.list_enabled(tx), notice)
    if host is None:
        raise ConnectionMissing(organisation=notice.organisation)
    org_id, sealed = _org_id(call.actor), bytes(host["credentials_encrypted"])
    credentials = Credentials.of_sealed(deps.envelope.open(sealed, code_host_place(org_id, host["id"])))
    run = deps.code_hosts.terraform_cloud(credentials, (org_id, host["id"], hash(sealed)), notice.run_id)
    error: AppError | None = None
    try:
        ci, content = run.read_ci(), run.read_plan()
    except AppError as raised:
        error = raised
        raise
    finally:
        with deps.db.unit(call.actor) as tx:
            host_queries.note_use(tx, host["id"], error_code=error.code if error else None, now=deps.clock.now())
    facts = validated(CiFacts, {**ci, "workspace": notice.workspace or None}) if ci else None
    return Wish(load_document(content), facts, None)


def _detail(error: AppError) -> str:
    """Return what the reader says, with the names of fields that are wrong."""
    problems: Any = error.facts.get("errors") or []
    named = "; ".join(f"{item['field']}: {item['problem']}" for item in problems[:_MOST_FIELDS])
    return (named or str(error))[:_MOST_DETAIL]


def _org_id(actor: Actor) -> UUID:
    if actor.org_id is None:
        raise MalformedRequest("the message names no organisation")
    return actor.org_id
