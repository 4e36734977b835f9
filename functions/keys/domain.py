"""What may happen to a key. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.ports.secret_store import Secret
from shared.security.actor import NARROW_SCOPES, SCOPE_ROLES, Actor, Role
from shared.security.api_keys import matches, parse_key
from shared.security.plans import limit_of

from .errors import (
    ExpiryPast,
    KeyExpired,
    KeyLimitReached,
    KeyRevoked,
    KeyRotated,
    RotationUnderWay,
    ScopeAboveMaker,
    ScopeUnknown,
)

_WORTH = {**SCOPE_ROLES, **NARROW_SCOPES}


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
    unknown = sorted(set(scopes) - _WORTH.keys())
    if unknown:
        raise ScopeUnknown(unknown=unknown[:10], known=sorted(_WORTH))
    _check_scopes(scopes, maker)
    if expires_at is not None and expires_at <= now:
        raise ExpiryPast
    cap = limit_of("api_keys", maker.plan)
    if cap.is_reached(live_keys):
        raise KeyLimitReached(cap, live_keys)
    return sorted(set(scopes), key=lambda name: (name in NARROW_SCOPES, _WORTH[name]))


def revoke(key: Mapping[str, Any], *, now: datetime) -> datetime:
    """Decide the revocation of one key; returns the time to store.

    Args:
        key: the locked row; `revoked_at` is None while the key is live.
        now: time of the decision, aware UTC.

    Raises:
        KeyRevoked: (409 `key_revoked`).
    """
    _check_live(key)
    return now


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation stores.

    Attributes:
        scopes: of the new key.
        old_ends_at: when the old key stops working.
        new_ends_at: when the new key does, None for never: as the old one would have without the rotation.
    """

    scopes: list[str]
    old_ends_at: datetime
    new_ends_at: datetime | None


def rotate(
    key: Mapping[str, Any], older: Mapping[str, Any] | None, maker: Actor, grace: timedelta, *, now: datetime
) -> Rotation:
    """Decide the rotation of one key. At most two keys of a line work at a time.

    Args:
        key: the locked row.
        older: the row of the key that it took over from itself, when there is one.
        maker: who rotates it; the new key is worth no more than this person.
        grace: how long the old key goes on working; never past its own expiry.
        now: time of the decision, aware UTC.

    Raises:
        KeyRevoked: (409 `key_revoked`).
        KeyRotated: (409 `key_rotated`).
        KeyExpired: (409 `key_expired`).
        RotationUnderWay: (409 `rotation_under_way`).
        ScopeAboveMaker: (403 `scope_above_maker`).
    """
    _check_live(key)
    if key["replaced_by_id"] is not None:
        raise KeyRotated(replaced_by_id=str(key["replaced_by_id"]))
    if _has_ended(key, now):
        raise KeyExpired(expires_at=key["expires_at"].isoformat())
    if older is not None and older["revoked_at"] is None and not _has_ended(older, now):
        raise RotationUnderWay(older_key_id=str(older["id"]), ends_at=_text(older["expires_at"]))
    _check_scopes(key["scopes"], maker)
    ends_at = key["expires_at"]
    graced = now + grace
    return Rotation(list(key["scopes"]), graced if ends_at is None else min(graced, ends_at), ends_at)


def confirm(
    tokens: Iterable[str], keys: Sequence[Mapping[str, Any]], peppers: Mapping[int, Secret]
) -> dict[str, Mapping[str, Any]]:
    """Say which reported tokens are keys: those whose secret is right, not those that only look like one.

    Args:
        tokens: as reported.
        keys: rows found by the tokens' public ids.
        peppers: every version of the pepper that the rows name.

    Returns:
        Token to row.
    """
    by_public_id = {row["public_id"]: row for row in keys}
    found: dict[str, Mapping[str, Any]] = {}
    for token in tokens:
        key = parse_key(token)
        row = by_public_id.get(key.public_id) if key else None
        if key and row and matches(key, peppers[row["pepper_version"]], bytes(row["secret_hash"])):
            found[token] = row
    return found


def _check_live(key: Mapping[str, Any]) -> None:
    if key["revoked_at"] is not None:
        raise KeyRevoked(revoked_at=key["revoked_at"].isoformat())


def _check_scopes(scopes: Sequence[str], maker: Actor) -> None:
    above = sorted(name for name in scopes if _WORTH[name] > (maker.role or Role.VIEWER))
    if above:
        raise ScopeAboveMaker(above=above)


def _has_ended(key: Mapping[str, Any], now: datetime) -> bool:
    return key["expires_at"] is not None and key["expires_at"] <= now


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
