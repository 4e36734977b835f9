"""Every error of its own that the keys function can answer."""

from __future__ import annotations

from shared.http.errors import AppError


class KeyRevoked(AppError):
    """409 `key_revoked`: the key was revoked before."""

    code, status, title = "key_revoked", 409, "The key was revoked before"


class ScopeAboveMaker(AppError):
    """403 `scope_above_maker`: a key may not do more than the person who makes it."""

    code, status, title = "scope_above_maker", 403, "A key cannot have a scope that you do not have"


class ScopeUnknown(AppError):
    """400 `scope_unknown`: there is no such scope."""

    code, status, title = "scope_unknown", 400, "Unknown scope"


class KeyLimitReached(AppError):
    """402 `key_limit_reached`: the plan allows no more live keys."""

    code, status, title = "key_limit_reached", 402, "Your plan's number of API keys is used up"


class ExpiryPast(AppError):
    """422 `expiry_past`: the expiry lies in the past."""

    code, status, title = "expiry_past", 422, "The expiry lies in the past"
