"""Deliveries as they arrive: prove the sender, take each in once, leave the work to the queue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, cast
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import RouteNotFound
from shared.http.reply import Reply
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.security.errors import SignatureRefused
from shared.security.signatures import PROVIDERS, Provider, verify

from ..domain import configs as domain
from ..domain import events
from ..models import Accepted, Slot
from ..queries import configs as config_queries
from ..queries import deliveries as queries
from ..wiring import WebhookDeps, body_place, secret_place

_MOST_CONTENT_TYPE = 200


class Delivery(TypedDict):
    """A row of `webhook.deliveries_in` as it is taken in."""

    id: UUID
    config_id: UUID
    provider: Provider
    external_id: str | None
    proved_by: Slot
    content_type: str
    event_name: str
    body_sha256: bytes
    body_bytes: int
    body_encrypted: bytes
    received_at: datetime


def take_delivery(call: Call, deps: WebhookDeps) -> Reply:
    """Take in a delivery that one of the config's live secrets signed; the work on it goes on in the background.

    Answers 202 the first time, and 200 `{"status": "already_processed"}` with no second effect when the same delivery, or
    within a day the same body, comes again. A config that is unknown, disabled or another provider's is refused like a bad
    signature, after as much work: who cannot sign does not learn which configs there are.
    """
    provider, config_id = _provider(call.path["provider"]), call.path_uuid("config_id")
    config = config_queries.find_config(deps.db, config_id)
    slots, secrets = _live_secrets(deps, provider, config_id, config)
    place = verify(provider, call.headers, call.content, secrets, deps.clock)
    if config is None or place >= len(slots):
        raise SignatureRefused
    content_type = call.headers.get("content-type", "")[:_MOST_CONTENT_TYPE]
    asked = events.challenge(provider, content_type, call.content)
    if asked is not None:
        return Reply.ok({"challenge": asked})
    org_id, delivery_id = config["org_id"], deps.entropy.uuid()
    values: Delivery = {
        "id": delivery_id,
        "config_id": config_id,
        "provider": provider,
        "external_id": events.external_id(provider, call.headers, content_type, call.content),
        "proved_by": slots[place],
        "content_type": content_type,
        "event_name": events.event_name(provider, call.headers),
        "body_sha256": hashlib.sha256(call.content).digest(),
        "body_bytes": len(call.content),
        "body_encrypted": deps.envelope.seal(Secret(call.content), body_place(org_id, delivery_id)),
        "received_at": deps.clock.now(),
    }
    with deps.db.unit(Actor("event", f"webhook:{config_id}", org_id)) as tx:
        if not config_queries.hold_config(tx, config_id):  # ended since it was found
            raise SignatureRefused
        if not _take(tx, values):
            return Reply.ok({"status": "already_processed"})
        tx.emit("webhook-deliveries", {"delivery_id": str(delivery_id)})
    return Reply.accepted(Accepted(status="accepted", id=delivery_id))


def _take(tx: UnitOfWork, values: Delivery) -> bool:
    """Insert a delivery unless it was taken in before. The body is always claimed first, so that no two wait for each other."""
    config_id, delivery_id, body_sha256 = values["config_id"], values["id"], values["body_sha256"]
    if queries.claim_body(tx, config_id, body_sha256, delivery_id, now=values["received_at"]):
        if queries.insert_delivery(tx, **values):
            return True
        queries.release_body(tx, config_id, body_sha256, delivery_id)  # another body under a name that was taken in
    queries.count_repeat(tx, config_id, external_id=values["external_id"], body_sha256=body_sha256)
    return False


def _provider(text: str) -> Provider:
    if text not in PROVIDERS:
        raise RouteNotFound
    return cast("Provider", text)


def _live_secrets(
    deps: WebhookDeps, provider: Provider, config_id: UUID, config: Row | None
) -> tuple[Sequence[Slot], Sequence[Secret]]:
    """Return a config's live secrets; decoys make two of them in every case, so that all cost the same."""
    if config is None or config["provider"] != provider:
        return [], [deps.decoy, deps.decoy]
    slots = domain.live_slots(config, now=deps.clock.now())
    place = secret_place(config["org_id"], config_id)
    secrets = [deps.opened.open(sealed, place) for sealed in slots.values()]
    return list(slots), [*secrets, *[deps.decoy] * (2 - len(secrets))]
