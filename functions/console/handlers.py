"""Serves the pages' files, as they are, with the headers that keep them safe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.errors import MediaTypeUnsupported
from shared.http.reply import Reply
from shared.http.strict_json import parse_json
from shared.telemetry.log import logger

from .violations import read_violations

REPORTS_PATH = "/console/csp-reports"

_STATIC = Path(__file__).parent / "static"
# Browsers that know `report-to` pass over `report-uri`.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
    f"report-to csp; report-uri {REPORTS_PATH}"
)
_REPORTING_ENDPOINTS = f'csp="{REPORTS_PATH}"'
_REPORT_TYPES = frozenset({"application/reports+json", "application/csp-report", "application/json"})
_log = logger("console")
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


def take_reports(call: Call, deps: Deps) -> Reply:
    """Take what a browser reports about the policy; anyone may send it, and nobody is told what became of it.

    Raises:
        MediaTypeUnsupported: (415 `media_type_unsupported`) no form of a report.
    """
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() not in _REPORT_TYPES:
        raise MediaTypeUnsupported
    for each in read_violations(parse_json(call.content) if call.content else None, deps.settings.public_url):
        _log.warning(
            "content security policy violated",
            directive=each.directive,
            blocked=each.blocked,
            page=each.page,
            source=each.source,
            line=each.line,
        )
    return Reply.no_content()


def _named(handler: Handler, file: str, text: str) -> Handler:
    """Give a handler the name and the words that the OpenAPI document shows."""
    handler.__name__ = f"show_{file.replace('.', '_')}"
    handler.__doc__ = text
    return handler


def _file(name: str, content_type: str) -> Reply:
    reply = Reply.text(_read(name), content_type)
    reply.headers["Content-Security-Policy"] = _CSP
    reply.headers["Reporting-Endpoints"] = _REPORTING_ENDPOINTS
    return reply


@cache
def _read(name: str) -> str:
    return (_STATIC / name).read_text("utf-8")
