"""The whole surface of the function."""

from __future__ import annotations

from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.permissions import may
from shared.http.routes import Route

from . import handlers

_JS = "text/javascript"

ROUTES: list[Route[Deps]] = [
    Route("GET", "/", handlers.show_page("index.html"), may("pages:read")),
    Route("GET", "/device", handlers.show_page("device.html"), may("pages:read")),
    health_route("/console"),
    Route("GET", "/console/style.css", handlers.show_asset("style.css", "text/css"), may("pages:read")),
    *(
        Route("GET", f"/console/{name}.js", handlers.show_asset(f"{name}.js", _JS), may("pages:read"))
        for name in ("api", "device", "elements", "start")
    ),
]
