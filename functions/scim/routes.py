"""The whole surface of the function."""

from __future__ import annotations

from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.routes import Route

ROUTES: list[Route[Deps]] = [
    health_route("/scim"),
]
