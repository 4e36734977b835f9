"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.routes import Route

from . import handlers, purge_handlers

ROUTES: list[Route[Deps]] = [
    health_route("/webhooks"),
]
EVENT_ROUTES: list[Route[Deps]] = [
    Route("POST", "/_events/outbox-relay", handlers.relay_outboxes, Access.from_event("outbox-relay")),
    Route("POST", "/_events/purge", purge_handlers.purge_shared_tables, Access.from_event("purge")),
]
