"""httpx reads the authorities of the web once for all clients of the test process: it reads them for each client, at 40 ms a time."""

from __future__ import annotations

import os
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx
from httpx._transports import default


def read_certificates_once() -> None:
    """Have clients share the context that httpx makes for them when nobody says how to verify; a context is never changed after that."""
    default.create_ssl_context = _context  # type: ignore[attr-defined]


def _context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> SSLContext:  # noqa: FBT001, FBT002  # the shape of httpx's
    if verify is not True or cert is not None:
        return httpx.create_ssl_context(verify, cert, trust_env)
    named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")) if trust_env else ()
    return _usual(trust_env, named)


@cache
def _usual(trust_env: bool, _named: tuple[str | None, ...]) -> SSLContext:  # noqa: FBT001  # the shape of httpx's
    return httpx.create_ssl_context(trust_env=trust_env)
