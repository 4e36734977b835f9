"""Deliveries that carry a Terraform plan: handed on to be judged, and ended by what became of it (ADR-0023).

A delivery stays `received` until the answer is there. Every handler may be called twice for one event.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.telemetry.log import logger

from ..queries import deliveries as queries
from ..wiring import WebhookDeps

PLAN_TOPICS: Final = ("plan-events", "plan-event-results")
_MOST_CODE, _MOST_DETAIL = 100, 500
_log = logger("webhook")


def hand_on(call: Call, deps: WebhookDeps, delivery_id: UUID, kind: str) -> Reply:
    """Ask for the judgement of a delivery's plan, once for each message that asks for work on the delivery."""
    with deps.db.unit(call.actor) as tx:
        tx.claim_event("webhook-deliveries", call.event.id if call.event else "")
        if queries.note_kind(tx, delivery_id, kind):
            tx.emit("plan-events", {"delivery_id": str(delivery_id)})
    _log.info("delivery handed on", delivery_id=str(delivery_id), kind=kind)
    return Reply.no_content()


def take_result(call: Call, deps: WebhookDeps) -> Reply:
    """End a delivery by what became of its plan: `handled` with an analysis, or `failed` with the reader's reason."""
    delivery_id, payload = id_of(call, "delivery_id"), call.event.payload if call.event else {}
    error_code, error_detail = _text(payload, "error_code", _MOST_CODE), _text(payload, "error_detail", _MOST_DETAIL)
    status = "failed" if error_code else "handled"
    with deps.db.unit(call.actor) as tx:
        tx.claim_event("plan-event-results", call.event.id if call.event else "")
        ended = queries.end_delivery(
            tx,
            delivery_id,
            status=status,
            event_kind=None,
            error_code=error_code,
            error_detail=error_detail,
            now=deps.clock.now(),
        )
        if ended is not None:
            told = {
                "delivery_id": str(delivery_id),
                "config_id": str(ended["config_id"]),
                "provider": ended["provider"],
                "kind": ended["event_kind"],
                "error_code": error_code,
                "analysis_id": _text(payload, "analysis_id", _MOST_CODE),
            }
            tx.emit("org-events", {"event": f"webhook:delivery:{status}", **told})
    _log.info("delivery worked on", delivery_id=str(delivery_id), status=status)
    return Reply.no_content()


def _text(payload: Any, name: str, most: int) -> str | None:
    found = payload.get(name)
    return found[:most] if isinstance(found, str) and found else None
