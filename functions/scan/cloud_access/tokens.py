"""Access tokens, kept until shortly before they expire, so that the shards of a scan share one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.ports.clock import Clock
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
        self._clock = clock
        self._known: dict[Hashable, tuple[float, Secret]] = {}
        self._gates: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], AccessToken]) -> Secret:
        """Return the token of a key, asking for one when none is known or the known one is about to expire.

        Args:
            key: everything that a token depends on; changed credentials make another key.
            make: asks for it; a failure is not remembered.
        """
        with self._lock:
            gate = self._gates.setdefault(key, threading.Lock())
        with gate:  # others who want the same token wait for the first one's outcome; nobody else does
            known = self._fresh(key)
            return known if known is not None else self._keep(key, make())

    def _fresh(self, key: Hashable) -> Secret | None:
        now = self._clock.monotonic_seconds()
        with self._lock:
            self._known = {name: item for name, item in self._known.items() if now < item[0]}
            found = self._known.get(key)
        return found[1] if found else None

    def _keep(self, key: Hashable, token: AccessToken) -> Secret:
        good_until = self._clock.monotonic_seconds() + min(token.lifetime_seconds, _LONGEST_SECONDS) - _MARGIN_SECONDS
        with self._lock:
            while len(self._known) >= _MOST:
                del self._known[min(self._known, key=lambda name: self._known[name][0])]
            self._known[key] = (good_until, token.secret)
            self._gates = {name: gate for name, gate in self._gates.items() if name in self._known or gate.locked()}
        return token.secret


def lifetime_of(document: Mapping[str, Any]) -> float:
    """Return `expires_in` of a token's answer (RFC 6749 section 5.1), a short time where it does not say."""
    found = document.get("expires_in")
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= 6:
        found = int(found)
    return float(found) if isinstance(found, int) and not isinstance(found, bool) and found > 0 else _UNSAID_SECONDS
