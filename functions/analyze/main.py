"""Entry points only; cheap to import: no client, no socket, no secret is read here."""

from __future__ import annotations

import flask

from shared.http.app import App

from .routes import EVENT_ROUTES, ROUTES
from .wiring import load_deps

_app = App("analyze", load_deps, ROUTES)
_worker = App("analyze", load_deps, EVENT_ROUTES)


def analyze(request: flask.Request) -> flask.Response:
    """Serve people and machines."""
    return _app.handle(request)


def analyze_worker(request: flask.Request) -> flask.Response:
    """Serve the queue and the scheduler."""
    return _worker.handle(request)
