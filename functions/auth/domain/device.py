"""Decisions about terminals that wait for a person's approval. Source: RFC 8628."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.ports.clock import Entropy

from ..errors import (
    AuthorizationPending,
    DeviceDenied,
    DeviceExpired,
    InvalidGrant,
    OAuthError,
    SlowDown,
    UserCodeUnknown,
)

LIFETIME = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; no digits, so nothing to mix up (section 6.1)
_LENGTH = 8


def make_user_code(entropy: Entropy) -> str:
    """Make a code that a person can type: eight letters, 34 bits."""
    letters: list[str] = []
    while len(letters) < _LENGTH:
        usable = [byte for byte in entropy.token_bytes(16) if byte < len(_LETTERS) * (256 // len(_LETTERS))]
        letters += [_LETTERS[byte % len(_LETTERS)] for byte in usable]
    return "".join(letters[:4]) + "-" + "".join(letters[4:_LENGTH])


def read_user_code(text: str) -> str:
    """Return a typed code in its one form: case, blanks and dashes do not count.

    Raises:
        UserCodeUnknown: (404 `user_code_unknown`) it cannot be one.
    """
    letters = "".join(letter for letter in text.upper() if letter not in " -\u2010\u2011\u2013")
    if len(letters) != _LENGTH or not set(letters) <= set(_LETTERS):
        raise UserCodeUnknown
    return f"{letters[:4]}-{letters[4:]}"


def check_waiting(grant: Mapping[str, Any] | None, *, now: datetime) -> Mapping[str, Any]:
    """Decide whether a terminal still waits for an answer.

    Raises:
        UserCodeUnknown: (404 `user_code_unknown`) unknown, too old, or answered.
    """
    is_open = grant is not None and grant["approved_by"] is None and grant["denied_at"] is None
    if grant is None or not is_open or grant["expires_at"] <= now:
        raise UserCodeUnknown
    return grant


def judge_poll(grant: Mapping[str, Any] | None, *, now: datetime) -> UUID | OAuthError:
    """Decide what a polling terminal gets: the session that let it in, or what to tell it.

    An error is returned and not raised, as that somebody polled must be stored with it.
    """
    if grant is None:
        return InvalidGrant()
    if grant["expires_at"] <= now:
        return DeviceExpired()
    if grant["denied_at"] is not None:
        return DeviceDenied()
    if grant["approved_by"] is not None:
        approved_by: UUID = grant["approved_by"]
        return approved_by
    is_too_soon = grant["polled_at"] is not None and now - grant["polled_at"] < INTERVAL
    return SlowDown() if is_too_soon else AuthorizationPending()
