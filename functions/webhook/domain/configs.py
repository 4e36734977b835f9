"""Secrets of a config: who may make them, which are live, what a rotation does. Decides, stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.ports.clock import Entropy
from shared.ports.secret_store import Secret
from shared.security.signatures import SECRET_PREFIX, Provider, make_secret, standard_key

from ..errors import RotationUnderWay, SecretMalformed, SecretNotAccepted, SecretRequired
from ..models import Slot

# Whose secret a provider works with: made here and put in there, the reverse, or either.
_MADE_HERE = frozenset({"atlantis", "github", "terraform_cloud", "gitlab", "standard"})
_MADE_THERE = frozenset({"stripe", "slack", "gitlab", "standard"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The secret a config gets.

    Attributes:
        secret: None while the provider has not made it yet.
        is_shown: it was made here, so that the answer is the one time to see it.
    """

    secret: Secret | None
    is_shown: bool


def choose_secret(provider: Provider, given: str | None, entropy: Entropy, *, is_needed: bool) -> Choice:
    """Decide which secret a config gets.

    Args:
        provider: who will sign with it.
        given: one that the provider made.
        entropy: for one that is made here.
        is_needed: whether the config may go without one until the provider has made it.

    Raises:
        SecretNotAccepted: (422 `secret_not_accepted`).
        SecretMalformed: (422 `secret_malformed`).
        SecretRequired: (422 `secret_required`).
    """
    if given is not None:
        if provider not in _MADE_THERE:
            raise SecretNotAccepted(provider=provider)
        secret = given.encode()
        is_standard = provider == "standard" or (provider == "gitlab" and given.startswith(SECRET_PREFIX))
        if is_standard and standard_key(secret) is None:
            raise SecretMalformed("send `whsec_` and 24 to 64 bytes in base64", provider=provider)
        return Choice(Secret(secret), is_shown=False)
    if provider in _MADE_HERE:
        return Choice(make_secret(entropy), is_shown=True)
    if is_needed:
        raise SecretRequired(provider=provider)
    return Choice(None, is_shown=False)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation puts beside the new secret: the present one with its end, or neither."""

    previous_secret_encrypted: bytes | None
    previous_expires_at: datetime | None


def rotate(config: Mapping[str, Any], grace: timedelta, *, now: datetime) -> Rotation:
    """Decide the rotation of a config's secret. At most two work at a time; without grace only the new one does.

    Args:
        config: the locked row.
        grace: how long the present secret goes on working.
        now: time of the decision, aware UTC.

    Raises:
        RotationUnderWay: (409 `rotation_under_way`).
    """
    if not grace or config["current_secret_encrypted"] is None:
        return Rotation(None, None)
    ends_at = config["previous_expires_at"]
    if ends_at is not None and ends_at > now:
        raise RotationUnderWay(previous_expires_at=ends_at.isoformat())
    return Rotation(bytes(config["current_secret_encrypted"]), now + grace)


def live_slots(config: Mapping[str, Any], *, now: datetime) -> dict[Slot, bytes]:
    """Return the sealed secrets that work now, the current one first; none when the config is disabled."""
    if config["disabled_at"] is not None:
        return {}
    found: dict[Slot, bytes] = {}
    if config["current_secret_encrypted"] is not None:
        found["current"] = bytes(config["current_secret_encrypted"])
    ends_at = config["previous_expires_at"]
    if ends_at is not None and now < ends_at:
        found["previous"] = bytes(config["previous_secret_encrypted"])
    return found
