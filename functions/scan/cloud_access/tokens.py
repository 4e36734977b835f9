"""Access tokens, kept until shortly before they expire, so that the shards of a scan share one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.ports.clock import Clock
from shared.ports.kept_by_key import KeptByKey
from shared.ports.secret_store import Secret

_MARGIN_SECONDS: Final = 300.0  # a call that begins with a token ends with it
_LONGEST_SECONDS: Final = 3600.0
_UNSAID_SECONDS: Final = 600.0
_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and for how long it is good.

    Attributes:
        secret: what goes behind `Bearer`.
        lifetime_seconds: from now on, as its issuer says.
    """

    secret: Secret
    lifetime_seconds: float


class Tokens:
    """Tokens that this process has, by everything that they depend on."""

    def __init__(self, clock: Clock) -> None:
        self._kept = KeptByKey[AccessToken](clock, most=_MOST)

    def get(self, key: Hashable, make: Callable[[], AccessToken]) -> Secret:
        """Return the token of a key, asking for one when none is known or the known one is about to expire.

        Args:
            key: everything that a token depends on; changed credentials make another key.
            make: asks for it; a failure is not remembered.
        """
        return self._kept.get(key, make, _good_seconds).secret


def _good_seconds(token: AccessToken) -> float:
    return min(token.lifetime_seconds, _LONGEST_SECONDS) - _MARGIN_SECONDS


def lifetime_of(document: Mapping[str, Any]) -> float:
    """Return `expires_in` of a token's answer (RFC 6749 section 5.1), a short time where it does not say."""
    found = document.get("expires_in")
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= 6:
        found = int(found)
    return float(found) if isinstance(found, int) and not isinstance(found, bool) and found > 0 else _UNSAID_SECONDS
