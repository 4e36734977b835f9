"""Event routes of deliveries that carry a Terraform plan."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.routes import Route

from .handlers import plan_events
from .wiring import WebhookDeps

PLAN_EVENT_ROUTES: list[Route[WebhookDeps]] = [
    Route("POST", "/_events/plan-event-results", plan_events.take_result, Access.from_event("plan-event-results")),
]
