"""Decisions about sessions: how long they last, and what becomes of a refresh token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.ports.clock import Entropy
from shared.security.sessions import IDLE_LIFETIME, LONGEST_LIFETIME, is_live

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
_MOST_USER_AGENT, _MOST_ADDRESS = 200, 64


class Refresh(Enum):
    """What a refresh token is worth."""

    GOOD = "good"
    REUSED = "reused"
    ENDED = "ended"


def make_token(entropy: Entropy, prefix: str) -> str:
    """Make an opaque token of 256 random bits."""
    return prefix + base64.urlsafe_b64encode(entropy.token_bytes(32)).rstrip(b"=").decode()


def hash_token(token: str) -> bytes:
    """Hash an opaque token for storage; it is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def judge_refresh(found: Mapping[str, Any], *, now: datetime) -> Refresh:
    """Decide what a refresh token is worth. One that comes twice was stolen, or its thief came first (RFC 9700 section 4.14.2).

    Args:
        found: the token's locked row with its session's.
        now: time of the decision, aware UTC.
    """
    if found["used_at"] is not None:
        return Refresh.REUSED
    is_idle = found["last_seen_at"] + IDLE_LIFETIME <= now
    if found["revoked_at"] is not None or found["disabled_at"] is not None or found["expires_at"] <= now or is_idle:
        return Refresh.ENDED
    return Refresh.GOOD


def expires_at(now: datetime, ends_at: datetime | None = None) -> datetime:
    """Return when a session that begins now ends, whatever happens; earlier when the provider said so."""
    longest = now + LONGEST_LIFETIME
    return longest if ends_at is None else min(longest, ends_at)


def may_let_in(session: Mapping[str, Any], *, now: datetime) -> bool:
    """Decide whether a session that approved a terminal is still there when the terminal comes."""
    return session["revoked_at"] is None and is_live(session, now)


def shown_origin(user_agent: str, address: str) -> dict[str, str]:
    """Keep of a browser what its owner knows it by, cut to size, control characters out."""
    clean = "".join(letter for letter in user_agent if letter.isprintable())
    return {"user_agent": clean[:_MOST_USER_AGENT], "address": address[:_MOST_ADDRESS]}
