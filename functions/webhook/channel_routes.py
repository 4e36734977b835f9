"""Routes of notification channels, and the events and ticks by which messages go out."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.paging import PageQuery
from shared.http.permissions import may
from shared.http.routes import Route
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout
from shared.security.plans import FeatureRequired

from . import channel_models as models
from . import errors
from .handlers import channels, notifications, senders
from .wiring import WebhookDeps

_CHANNELS = "/api/v2/orgs/{org_id}/notification-channels"
_CHANNEL = f"{_CHANNELS}/{{channel_id}}"
_READ, _CHANGE = may("notification_channels:read"), may("notification_channels:change")
_ADDRESSED = (EgressRefused, EgressFailed, EgressTimeout, FeatureRequired, errors.MailNotSetUp)

CHANNEL_ROUTES: list[Route[WebhookDeps]] = [
    Route(
        "POST", _CHANNELS, channels.create_channel, _CHANGE,
        body=models.CreateChannel, reply=models.NewChannelView, status=201, errors=(*_ADDRESSED, errors.TargetNotOfKind, errors.ChannelLimitReached),
    ),
    Route("GET", _CHANNELS, channels.list_channels, _READ, query=PageQuery, reply=models.ChannelPage),
    Route("GET", _CHANNEL, channels.get_channel, _READ, reply=models.ChannelView),
    Route(
        "PATCH", _CHANNEL, channels.change_channel, _CHANGE,
        body=models.ChangeChannel, reply=models.ChannelView, errors=(*_ADDRESSED, errors.TargetNotOfKind),
    ),
    Route("DELETE", _CHANNEL, channels.delete_channel, _CHANGE, status=204),
    Route(
        "POST", f"{_CHANNEL}/rotate", channels.rotate_channel_secret, _CHANGE,
        body=models.RotateChannelSecret, reply=models.NewChannelView, status=201,
        errors=(errors.RotationUnderWay, errors.ChannelSignsNothing),
    ),
    Route(
        "POST", f"{_CHANNEL}/test", channels.test_channel, _CHANGE,
        reply=models.ChannelTestView, errors=(FeatureRequired, errors.MailNotSetUp),
    ),
]  # fmt: skip

CHANNEL_EVENT_ROUTES: list[Route[WebhookDeps]] = [
    Route("POST", "/_events/notification-events", notifications.route_event, Access.from_event("notification-events")),
    Route("POST", "/_events/notification-sends", senders.send_due, Access.from_event("notification-sends")),
    Route("POST", "/_events/notification-sweep", senders.sweep_channels, Access.from_event("notification-sweep")),
    Route("POST", "/_events/notification-purge", senders.purge_channels, Access.from_event("notification-purge")),
]
