"""Calls on deliveries: what came and what went out, and working on one again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.paging import page
from shared.http.reply import Reply

from ..channel_models import OutgoingView
from ..errors import BodyPurged, ChannelDisabled, DeliveryInProgress
from ..models import DeliveryQuery, DeliveryView
from ..queries import channels as channel_queries
from ..queries import deliveries as queries
from ..queries import deliveries_out
from ..wiring import WebhookDeps


def list_deliveries(call: Call, deps: WebhookDeps) -> Reply:
    """List deliveries in and out, newest first. What they hold is not shown."""
    query = call.query(DeliveryQuery)
    most = query.offset + query.limit + 1
    with deps.db.unit(call.actor) as tx:
        rows = [*_incoming(tx, query, most), *_outgoing(tx, query, most)]
    rows.sort(key=itemgetter("id"), reverse=True)
    return Reply.ok(page(rows[query.offset : most], query, _view))


def replay_delivery(call: Call, deps: WebhookDeps) -> Reply:
    """Work on a delivery again, as if it had just come in; send one again that went out, under the id that it had."""
    delivery_id = call.path_uuid("delivery_id")
    with deps.db.unit(call.actor, call.idempotency) as tx:
        outgoing = deliveries_out.lock_out(tx, delivery_id)
        if outgoing is not None:
            view: BaseModel = _send_again(tx, outgoing, deps)
        else:
            view = _work_again(tx, delivery_id)
        return tx.settle(Reply.accepted(view))


def _incoming(tx: UnitOfWork, query: DeliveryQuery, most: int) -> Sequence[Row]:
    if not query.shows("in"):
        return []
    filters = query.model_dump(include={"config_id", "provider", "status", "proved_by"})
    return queries.list_deliveries(tx, after_id=query.after_id(), most=most, skipped=0, **filters)


def _outgoing(tx: UnitOfWork, query: DeliveryQuery, most: int) -> Sequence[Row]:
    if not query.shows("out"):
        return []
    filters = query.model_dump(include={"channel_id", "status"})
    return deliveries_out.list_out(tx, after_id=query.after_id(), most=most, skipped=0, **filters)


def _view(row: Mapping[str, Any]) -> BaseModel:
    return OutgoingView.of(row) if "channel_id" in row else DeliveryView.of(row)


def _work_again(tx: UnitOfWork, delivery_id: UUID) -> DeliveryView:
    found = queries.lock_delivery(tx, delivery_id)
    if found["status"] == "received":
        raise DeliveryInProgress
    if not found["has_body"]:
        raise BodyPurged
    row = queries.reset_delivery(tx, delivery_id)
    facts = {"config_id": str(found["config_id"]), "was": found["status"]}
    tx.audit("webhook:delivery:replayed", "webhook_delivery", delivery_id, **facts)
    tx.emit("webhook-deliveries", {"delivery_id": str(delivery_id)})
    return DeliveryView.of(row)


def _send_again(tx: UnitOfWork, found: Row, deps: WebhookDeps) -> OutgoingView:
    if found["status"] in {"collecting", "pending"}:
        raise DeliveryInProgress
    channel_id = found["channel_id"]
    if channel_queries.lock_channel(tx, channel_id)["disabled_at"] is not None:
        raise ChannelDisabled
    row = deliveries_out.replay_out(tx, found["id"], now=deps.clock.now())
    facts = {"channel_id": str(channel_id), "was": found["status"]}
    tx.audit("webhook:delivery:replayed", "notification_delivery", found["id"], **facts)
    tx.emit("notification-sends", {"channel_id": str(channel_id)})
    return OutgoingView.of(row)
