"""Entry points only; cheap to import: no client, no socket, no secret is read here."""

from __future__ import annotations

import flask

from shared.http.app import App

from .routes import ROUTES
from .wiring import load_deps

_app = App("console", load_deps, ROUTES)


def console(request: flask.Request) -> flask.Response:
    """Serve browsers."""
    return _app.handle(request)
