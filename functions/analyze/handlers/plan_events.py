"""Plans that webhooks delivered, off the queue: each is judged like any other, once per time that the webhook worker asks.

The body stays where it is: it is read by a grant on some columns, and opened with the key of webhooks' bodies (ADR-0023). What became of
it goes back over the queue, as deliveries are the webhook function's to write.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call, validated
from shared.http.errors import AppError, MalformedRequest
from shared.http.reply import Reply
from shared.security.actor import Actor
from shared.telemetry.log import logger

from ..domain.plan_events import find_plan
from ..errors import BodyPurged
from ..judging import Judged, Wish, judge, store
from ..models.analyses import PlanEvent
from ..queries import plan_events as queries
from ..wiring import AnalyzeDeps, body_place

TOPIC: Final = "plan-events"
_SERVER_ERROR = 500
_MOST_DETAIL, _MOST_FIELDS = 500, 5
_log = logger("analyze")


def analyze_delivery(call: Call, deps: AnalyzeDeps) -> Reply:
    """Judge the plan of a delivery and keep the judgement; say what became of it, in the same transaction."""
    delivery_id = _delivery_id(call)
    with deps.db.unit(call.actor) as tx:
        delivery = queries.find_delivery(tx, delivery_id)
        actor = replace(call.actor, plan=queries.get_subscription(tx)) if delivery else call.actor
    if delivery is None:
        return Reply.no_content()  # its config was removed, or it is another organisation's
    result: dict[str, Any] = {"delivery_id": str(delivery_id)}
    wish: Wish | None = None
    judged: Judged | None = None
    try:
        wish = _read(call, deps, delivery)
        judged = judge(deps, actor, wish)
    except AppError as error:
        if error.status >= _SERVER_ERROR:
            raise
        result |= {"error_code": error.code, "error_detail": _detail(error)}
    with deps.db.unit(actor) as tx:
        tx.claim_event(TOPIC, call.event.id if call.event else "")
        if wish is not None and judged is not None:
            result["analysis_id"] = str(_keep(deps, tx, wish, judged, delivery))
        tx.emit("plan-event-results", result)
    _log.info("plan event", delivery_id=str(delivery_id), error_code=result.get("error_code"))
    return Reply.no_content()


def _keep(deps: AnalyzeDeps, tx: UnitOfWork, wish: Wish, judged: Judged, delivery: Row) -> UUID:
    by, digest = f"webhook:{delivery['config_id']}", bytes(delivery["body_sha256"])
    found: UUID = store(deps, tx, wish, judged, requested_by=by, plan_sha256=digest)["id"]
    return found


def _read(call: Call, deps: AnalyzeDeps, delivery: Row) -> Wish:
    """Open a delivery's body and find the plan in it.

    Raises:
        BodyPurged: (409 `body_purged`).
        PlanUnreadable, PlanTooLarge, Invalid: there is no plan in it, or what stands beside it makes no sense.
    """
    if delivery["body_encrypted"] is None:
        raise BodyPurged
    place = body_place(_org_id(call.actor), delivery["id"])
    found = find_plan(delivery["provider"], deps.bodies.open(bytes(delivery["body_encrypted"]), place).reveal())
    beside = validated(PlanEvent, dict(found.beside))
    return Wish(found.plan, beside.ci, beside.fail_on)


def _detail(error: AppError) -> str:
    """Return what the reader says, with the names of fields that are wrong."""
    problems: Any = error.facts.get("errors") or []
    named = "; ".join(f"{item['field']}: {item['problem']}" for item in problems[:_MOST_FIELDS])
    return (named or str(error))[:_MOST_DETAIL]


def _org_id(actor: Actor) -> UUID:
    if actor.org_id is None:
        raise MalformedRequest("the message names no organisation")
    return actor.org_id


def _delivery_id(call: Call) -> UUID:
    try:
        return UUID(str(call.event.payload["delivery_id"]))  # type: ignore[union-attr]  # event routes always carry one
    except (KeyError, ValueError) as error:
        raise MalformedRequest("the message has no delivery_id") from error
