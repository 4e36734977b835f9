"""Events off the queue: the work on deliveries. Every handler may be called twice for one event."""

from __future__ import annotations

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.ports.queue import DEAD_LETTER_SOURCE
from shared.telemetry.log import logger

from ..domain.events import carries_plan, kind_of
from ..queries import deliveries as queries
from ..wiring import WebhookDeps, body_place
from .plan_events import PLAN_TOPICS, hand_on

_log = logger("webhook")
_TOPIC = "webhook-deliveries"


def work_delivery(call: Call, deps: WebhookDeps) -> Reply:
    """Work on one delivery: read what it is about, store that, and tell the organisation's events; once.

    Whoever acts on a kind of event listens to `webhook:delivery:handled` and reads the delivery it names.
    """
    delivery_id = id_of(call, "delivery_id")
    with deps.db.unit(call.actor) as tx:
        delivery = queries.begin_delivery(tx, delivery_id)
    if delivery is None:
        return Reply.no_content()  # a repeated message, or its config was removed
    kind, error_code = _read(call, deps, delivery)
    if kind is not None and carries_plan(delivery["provider"], kind):
        return hand_on(call, deps, delivery_id, kind)
    status = "failed" if error_code else "handled"
    with deps.db.unit(call.actor) as tx:
        if queries.end_delivery(
            tx, delivery_id, status=status, event_kind=kind, error_code=error_code, now=deps.clock.now()
        ):
            facts = {"delivery_id": str(delivery_id), "config_id": str(delivery["config_id"])}
            told = {"provider": delivery["provider"], "kind": kind, "error_code": error_code}
            tx.emit("org-events", {"event": f"webhook:delivery:{status}", **facts, **told})
    _log.info("delivery worked on", delivery_id=str(delivery_id), status=status, kind=kind)
    return Reply.no_content()


def work_dead_letter(call: Call, deps: WebhookDeps) -> Reply:
    """End a delivery that the queue gave up on; an admin may replay it."""
    source = (call.event.attributes if call.event else {}).get(DEAD_LETTER_SOURCE, "")
    if not source.endswith((_TOPIC, *PLAN_TOPICS)):
        return Reply.no_content()  # another function's
    delivery_id = id_of(call, "delivery_id")
    with deps.db.unit(call.actor) as tx:
        if queries.end_delivery(
            tx, delivery_id, status="failed", event_kind=None, error_code="given_up", now=deps.clock.now()
        ):
            tx.emit("org-events", {"event": "webhook:delivery:failed", "delivery_id": str(delivery_id)})
    _log.error("delivery given up", delivery_id=str(delivery_id))
    return Reply.no_content()


def _read(call: Call, deps: WebhookDeps, delivery: Row) -> tuple[str | None, str | None]:
    """Return the kind of a delivery's event, or the code of why there is none."""
    if delivery["body_encrypted"] is None:
        return None, "body_purged"
    org_id = call.actor.org_id or call.org_id
    body = deps.envelope.open(bytes(delivery["body_encrypted"]), body_place(org_id, delivery["id"])).reveal()
    try:
        return kind_of(delivery["provider"], delivery["event_name"], delivery["content_type"], body), None
    except MalformedRequest:
        return None, "body_unreadable"
