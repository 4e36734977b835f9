"""The whole surface of the function."""

from __future__ import annotations

from shared.http.access import Access
from shared.http.deps import Deps
from shared.http.health import health_route
from shared.http.routes import Route

from . import handlers

_JS = "text/javascript"

ROUTES: list[Route[Deps]] = [
    Route("GET", "/", handlers.show_page("index.html"), Access.anyone()),
    Route("GET", "/device", handlers.show_page("device.html"), Access.anyone()),
    health_route("/console"),
    Route("GET", "/console/style.css", handlers.show_asset("style.css", "text/css"), Access.anyone()),
    *(
        Route("GET", f"/console/{name}.js", handlers.show_asset(f"{name}.js", _JS), Access.anyone())
        for name in ("api", "device", "elements", "start")
    ),
]
