"""The whole surface of the function."""

from __future__ import annotations

from shared.http.deps import Deps
from shared.http.errors import MediaTypeUnsupported
from shared.http.health import health_route
from shared.http.permissions import may
from shared.http.routes import Route

from . import handlers

_JS = "text/javascript"

ROUTES: list[Route[Deps]] = [
    Route("GET", "/", handlers.show_page("index.html"), may("pages:read")),
    Route("GET", "/device", handlers.show_page("device.html"), may("pages:read")),
    health_route("/console"),
    Route(
        "POST",
        handlers.REPORTS_PATH,
        handlers.take_reports,
        may("csp_reports:send"),
        status=204,
        errors=(MediaTypeUnsupported,),
        is_raw=True,
        body_limit_bytes=64 * 1024,
    ),
    Route("GET", "/console/style.css", handlers.show_asset("style.css", "text/css"), may("pages:read")),
    *(
        Route("GET", f"/console/{name}.js", handlers.show_asset(f"{name}.js", _JS), may("pages:read"))
        for name in ("api", "device", "elements", "start")
    ),
]
