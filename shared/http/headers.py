"""Headers that every reply carries: nothing is cached, sniffed, framed or read by another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=63072000; includeSubDomains; preload"


def harden(response: Response, *, is_production: bool) -> None:
    """Add the headers a reply does not set itself; HSTS only where TLS ends in front of us.

    Source: RFC 6797; OWASP Secure Headers Project.
    """
    own = {name.lower() for name, _ in response.headers}
    response.headers.extend({name: value for name, value in _HEADERS.items() if name.lower() not in own})
    if is_production:
        response.headers["Strict-Transport-Security"] = _HSTS
