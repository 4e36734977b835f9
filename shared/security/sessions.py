"""Browser sessions: the cookie's secret, its hash, and the token that keeps other sites from using it.

Owns their form. The secret is 256 random bits, so a plain SHA-256 is enough to store it: there is nothing to guess.
Source: RFC 6265bis (`__Host-` prefix); OWASP, Cross-Site Request Forgery Prevention (a token derived from the session by HMAC).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.http.errors import AppError
from shared.ports.clock import Entropy

COOKIE = "__Host-driftwise"
CSRF_HEADER = "x-csrf-token"
IDLE_LIFETIME = timedelta(hours=12)
LONGEST_LIFETIME = timedelta(days=7)
NOTE_EVERY = timedelta(minutes=5)

_PREFIX = "dws_"
_SECRET = re.compile(r"dws_[A-Za-z0-9_-]{43}")
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})


class CsrfRefused(AppError):
    """403 `csrf_refused`: the browser's cookie came without the token that only our own pages have."""

    code, status, title = "csrf_refused", 403, "Send the session's X-CSRF-Token with this call"


def make_session_secret(entropy: Entropy) -> str:
    """Make the value of a browser's cookie."""
    return _PREFIX + base64.urlsafe_b64encode(entropy.token_bytes(32)).rstrip(b"=").decode()


def is_session_secret(text: str) -> bool:
    """Say whether a text has the form of a session's secret, before anything is looked up."""
    return _SECRET.fullmatch(text) is not None


def hash_session_secret(secret: str) -> bytes:
    """Hash a secret for storage."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(secret: str) -> str:
    """Derive the token that a page must send along with every change; who has only the token has no session."""
    digest = hmac.digest(secret.encode(), b"driftwise csrf v1", "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_csrf(secret: str, method: str, headers: Mapping[str, str], own_origin: str) -> None:
    """Refuse a change that another site may have caused.

    Args:
        secret: the cookie's value.
        method: of the request; reading needs no token.
        headers: lower-case names.
        own_origin: scheme, host and port of our pages.

    Raises:
        CsrfRefused: (403 `csrf_refused`).
    """
    if method in _SAFE_METHODS:
        return
    sent = headers.get(CSRF_HEADER, "")
    is_ours = headers.get("sec-fetch-site", "none") in _OWN_SITE and headers.get("origin", own_origin) == own_origin
    if not hmac.compare_digest(sent.encode(), csrf_token(secret).encode()) or not is_ours:
        raise CsrfRefused


def is_live(session: Mapping[str, Any], now: datetime) -> bool:
    """Say whether a session that was not ended is neither too old nor idle for too long."""
    return bool(now < session["expires_at"] and now < session["last_seen_at"] + IDLE_LIFETIME)


def session_cookie(secret: str) -> str:
    """Return the header value that sets the cookie; the browser keeps it as long as the session can last."""
    return f"{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={int(LONGEST_LIFETIME.total_seconds())}"


def ended_cookie() -> str:
    """Return the header value that takes the cookie away."""
    return f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
