"""Serves the pages' files, as they are, with the headers that keep them safe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.reply import Reply

_STATIC = Path(__file__).parent / "static"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_CACHED = "public, max-age=300"

Handler: TypeAlias = Callable[[Call, Deps], Reply]


def show_page(name: str) -> Handler:
    """Make the handler of one page; anyone may see it: what it shows, it asks the API for."""
    return _named(lambda _call, _deps: _file(name, "text/html"), name, f"Show the page {name}; anyone may see it.")


def show_asset(name: str, content_type: str) -> Handler:
    """Make the handler of one file that the pages load; anyone may have it."""

    def show(_call: Call, _deps: Deps) -> Reply:
        reply = _file(name, content_type)
        reply.headers["Cache-Control"] = _CACHED
        return reply

    return _named(show, name, f"Serve the pages' file {name}; anyone may have it.")


def _named(handler: Handler, file: str, text: str) -> Handler:
    """Give a handler the name and the words that the OpenAPI document shows."""
    handler.__name__ = f"show_{file.replace('.', '_')}"
    handler.__doc__ = text
    return handler


def _file(name: str, content_type: str) -> Reply:
    reply = Reply.text(_read(name), content_type)
    reply.headers["Content-Security-Policy"] = _CSP
    return reply


@cache
def _read(name: str) -> str:
    return (_STATIC / name).read_text("utf-8")
