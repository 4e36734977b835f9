"""The whole surface of the function."""

from __future__ import annotations

from shared.data.errors import DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict
from shared.http.access import Access
from shared.http.health import health_route
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.resealing import resealing_route
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security.errors import SignatureRefused
from shared.security.ratelimit import Limit, Quota

from . import errors, models
from .channel_routes import CHANNEL_EVENT_ROUTES, CHANNEL_ROUTES
from .handlers import configs, deliveries, intake, purge, relay, worker
from .plan_event_routes import PLAN_EVENT_ROUTES
from .wiring import WebhookDeps

_CONFIGS = "/api/v2/orgs/{org_id}/webhook-configs"
_CONFIG = f"{_CONFIGS}/{{config_id}}"
_DELIVERIES = "/api/v2/orgs/{org_id}/webhook-deliveries"
_READ, _CHANGE = may("webhook_configs:read"), may("webhook_configs:change")
_SENDERS = Limit((Quota("webhook", "address", 6000),))  # a provider delivers for all its customers from a few addresses

ROUTES: list[Route[WebhookDeps]] = [
    health_route("/webhooks"),
    Route(  # open to anyone: the sender's signature over the body is checked before the body is read
        "POST", "/webhooks/{provider}/{config_id}", intake.take_delivery, may("webhooks:send"),
        reply=models.Accepted, status=202, is_raw=True, limit=_SENDERS,
        errors=(SignatureRefused, ServiceAway, DatabaseAway, PoolExhausted, QueryTimeout, WriteConflict),
    ),
    Route(
        "POST", _CONFIGS, configs.create_config, _CHANGE,
        body=models.CreateConfig, reply=models.NewSecretView, status=201,
        errors=(errors.SecretNotAccepted, errors.SecretMalformed, errors.SecretRequired),
    ),
    Route("GET", _CONFIGS, configs.list_configs, _READ, query=PageQuery, reply=models.ConfigPage),
    Route("GET", _CONFIG, configs.get_config, _READ, reply=models.ConfigView),
    Route("PATCH", _CONFIG, configs.change_config, _CHANGE, body=models.ChangeConfig, reply=models.ConfigView),
    Route("DELETE", _CONFIG, configs.delete_config, _CHANGE, status=204),
    Route(
        "POST", f"{_CONFIG}/rotate", configs.rotate_secret, _CHANGE,
        body=models.RotateSecret, reply=models.NewSecretView, status=201,
        errors=(errors.RotationUnderWay, errors.SecretNotAccepted, errors.SecretMalformed, errors.SecretRequired),
    ),
    Route("GET", _DELIVERIES, deliveries.list_deliveries, may("webhook_deliveries:read"), query=models.DeliveryQuery, reply=models.DeliveryPage),
    Route(
        "POST", f"{_DELIVERIES}/{{delivery_id}}/replay", deliveries.replay_delivery, may("webhook_deliveries:replay"),
        reply=models.AnyDeliveryView, status=202, errors=(errors.DeliveryInProgress, errors.BodyPurged, errors.ChannelDisabled),
    ),
    *CHANNEL_ROUTES,
]  # fmt: skip

EVENT_ROUTES: list[Route[WebhookDeps]] = [
    Route("POST", "/_events/outbox-relay", relay.relay_outboxes, Access.from_event("outbox-relay")),
    Route("POST", "/_events/webhook-purge", relay.purge_deliveries, Access.from_event("webhook-purge")),
    Route("POST", "/_events/webhook-deliveries", worker.work_delivery, Access.from_event("webhook-deliveries")),
    Route("POST", "/_events/webhook-dead-letters", worker.work_dead_letter, Access.from_event("webhook-dead-letters")),
    Route("POST", "/_events/purge", purge.purge_shared_tables, Access.from_event("purge")),
    resealing_route("webhook-sealed-columns"),
    *PLAN_EVENT_ROUTES,
    *CHANNEL_EVENT_ROUTES,
]
