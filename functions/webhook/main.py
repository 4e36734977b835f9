"""Entry points only; cheap to import: no client, no socket, no secret is read here."""

from __future__ import annotations

import flask

from shared.http.app import App

from .routes import EVENT_ROUTES, ROUTES
from .wiring import load_deps

_app = App("webhook", load_deps, ROUTES)
_worker = App("webhook", load_deps, EVENT_ROUTES)


def webhook(request: flask.Request) -> flask.Response:
    """Serve webhook senders and people."""
    return _app.handle(request)


def webhook_worker(request: flask.Request) -> flask.Response:
    """Serve the queue and the scheduler."""
    return _worker.handle(request)
