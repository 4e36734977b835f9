"""The whole surface of the function."""

from __future__ import annotations

from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.permissions import may
from shared.http.routes import Route

from . import handlers

ROUTES: list[Route[Deps]] = [
    Route("GET", "/", handlers.show_start, may("pages:read")),
    health_route("/console"),
    Route("GET", "/console/style.css", handlers.show_style, may("pages:read")),
]
