"""Decisions about signing in. Decides, stores nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .errors import SignInFailed

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
SIGN_IN_LIFETIME = timedelta(minutes=10)
STATE_COOKIE = "__Host-driftwise-sign-in"


def hash_state(state: str) -> bytes:
    """Hash a sign-in's state for storage: who reads the table cannot finish a sign-in."""
    return hashlib.sha256(state.encode()).digest()


def check_sign_in(
    found: Mapping[str, Any] | None, *, cookie: str | None, state: str, now: datetime
) -> Mapping[str, Any]:
    """Decide whether a callback belongs to a sign-in that this very browser began.

    Args:
        found: the sign-in that was taken for this state.
        cookie: the state that the browser was given.
        state: the state that came back.
        now: time of the decision, aware UTC.

    Raises:
        SignInFailed: (401 `sign_in_failed`).
    """
    if found is None or cookie != state or found["expires_at"] <= now:
        raise SignInFailed
    return found
