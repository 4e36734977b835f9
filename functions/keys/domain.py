"""What may happen to a key. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.security.actor import SCOPE_ROLES, Actor, Role
from shared.security.plans import limit_of

from .errors import ExpiryPast, KeyLimitReached, KeyRevoked, ScopeAboveMaker, ScopeUnknown


def make(
    scopes: Sequence[str], maker: Actor, expires_at: datetime | None, live_keys: int, *, now: datetime
) -> list[str]:
    """Decide whether a key may be made; returns its scopes, each once, in rising order.

    Args:
        scopes: wished scopes.
        maker: who makes it.
        expires_at: wished expiry.
        live_keys: keys of the organisation that are neither revoked nor expired.
        now: time of the decision, aware UTC.

    Raises:
        ScopeUnknown: (400 `scope_unknown`).
        ScopeAboveMaker: (403 `scope_above_maker`).
        ExpiryPast: (422 `expiry_past`).
        KeyLimitReached: (402 `key_limit_reached`).
    """
    unknown = sorted(set(scopes) - SCOPE_ROLES.keys())
    if unknown:
        raise ScopeUnknown(unknown=unknown[:10], known=sorted(SCOPE_ROLES))
    above = sorted(name for name in scopes if SCOPE_ROLES[name] > (maker.role or Role.VIEWER))
    if above:
        raise ScopeAboveMaker(above=above)
    if expires_at is not None and expires_at <= now:
        raise ExpiryPast
    cap = limit_of("api_keys", maker.plan)
    if cap.is_reached(live_keys):
        raise KeyLimitReached(required_plan=cap.next_plan, used=live_keys, cap=cap.most)
    return sorted(set(scopes), key=lambda name: SCOPE_ROLES[name])


def revoke(key: Mapping[str, Any], *, now: datetime) -> datetime:
    """Decide the revocation of one key; returns the time to store.

    Args:
        key: the locked row; `revoked_at` is None while the key is live.
        now: time of the decision, aware UTC.

    Raises:
        KeyRevoked: (409 `key_revoked`).
    """
    if key["revoked_at"] is not None:
        raise KeyRevoked(revoked_at=key["revoked_at"].isoformat())
    return now
