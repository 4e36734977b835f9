"""Entry points only; cheap to import: no client, no socket, no secret is read here."""

from __future__ import annotations

import flask

from shared.http.app import App

from .routes import EVENT_ROUTES, ROUTES
from .wiring import load_deps

_app = App("auth", load_deps, ROUTES)
_worker = App("auth", load_deps, EVENT_ROUTES)


def auth(request: flask.Request) -> flask.Response:
    """Serve people and machines."""
    return _app.handle(request)


def auth_worker(request: flask.Request) -> flask.Response:
    """Serve the scheduler."""
    return _worker.handle(request)
