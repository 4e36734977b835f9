"""Serves the pages' files, as they are, with the headers that keep them safe."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply

_STATIC = Path(__file__).parent / "static"
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def show_start(_call: Call, _deps: Deps) -> Reply:
    """Show the first page; anyone may see it."""
    return _file("index.html", "text/html")


def show_style(_call: Call, _deps: Deps) -> Reply:
    """Serve the style sheet; anyone may see it."""
    reply = _file("style.css", "text/css")
    reply.headers["Cache-Control"] = "public, max-age=3600"
    return reply


def _file(name: str, content_type: str) -> Reply:
    reply = Reply.text(_read(name), content_type)
    reply.headers["Content-Security-Policy"] = _CSP
    return reply


@cache
def _read(name: str) -> str:
    return (_STATIC / name).read_text("utf-8")
