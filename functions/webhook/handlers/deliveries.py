"""Calls on deliveries: what came, and working on one again."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.paging import page
from shared.http.reply import Reply

from ..errors import BodyPurged, DeliveryInProgress
from ..models import DeliveryQuery, DeliveryView
from ..queries import deliveries as queries
from ..wiring import WebhookDeps


def list_deliveries(call: Call, deps: WebhookDeps) -> Reply:
    """List deliveries, newest first. Bodies are not shown."""
    query = call.query(DeliveryQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_deliveries(
            tx,
            after_id=query.after_id(),
            most=query.limit + 1,
            skipped=query.offset,
            config_id=query.config_id,
            provider=query.provider,
            status=query.status,
            proved_by=query.proved_by,
        )
    return Reply.ok(page(rows, query, DeliveryView.of))


def replay_delivery(call: Call, deps: WebhookDeps) -> Reply:
    """Work on a delivery again, as if it had just come in."""
    delivery_id = call.path_uuid("delivery_id")
    with deps.db.unit(call.actor, call.idempotency) as tx:
        found = queries.lock_delivery(tx, delivery_id)
        if found["status"] == "received":
            raise DeliveryInProgress
        if not found["has_body"]:
            raise BodyPurged
        row = queries.reset_delivery(tx, delivery_id)
        facts = {"config_id": str(found["config_id"]), "was": found["status"]}
        tx.audit("webhook:delivery:replayed", "webhook_delivery", delivery_id, **facts)
        tx.emit("webhook-deliveries", {"delivery_id": str(delivery_id)})
        return tx.settle(Reply.accepted(DeliveryView.of(row)))
