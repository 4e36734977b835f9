"""Every error of its own that the keys function can answer."""

from __future__ import annotations

from shared.http.errors import AppError
from shared.security.plans import LimitReached


class KeyRevoked(AppError):
    """409 `key_revoked`: the key was revoked before."""

    code, status, title = "key_revoked", 409, "The key was revoked before"


class ScopeAboveMaker(AppError):
    """403 `scope_above_maker`: a key may not do more than the person who makes it."""

    code, status, title = "scope_above_maker", 403, "A key cannot have a scope that you do not have"


class ScopeUnknown(AppError):
    """400 `scope_unknown`: there is no such scope."""

    code, status, title = "scope_unknown", 400, "Unknown scope"


class KeyLimitReached(LimitReached):
    """402 `key_limit_reached`: the plan allows no more live keys."""

    code, title = "key_limit_reached", "Your plan's number of API keys is used up"


class ExpiryPast(AppError):
    """422 `expiry_past`: the expiry lies in the past."""

    code, status, title = "expiry_past", 422, "The expiry lies in the past"


class KeyExpired(AppError):
    """409 `key_expired`: the key has ended; make a new one."""

    code, status, title = "key_expired", 409, "The key has ended"


class KeyRotated(AppError):
    """409 `key_rotated`: another key took over from this one; rotate that one."""

    code, status, title = "key_rotated", 409, "Another key took over from this one"


class RotationUnderWay(AppError):
    """409 `rotation_under_way`: the key that this one took over from still works; revoke it, or wait for its end."""

    code, status, title = "rotation_under_way", 409, "The last rotation's grace is not over"
