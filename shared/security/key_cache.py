"""Keys that were authenticated a moment ago, so that a busy key costs one lookup every few seconds.

Owns how long and how many. Holds neither keys nor their stored hashes: an entry is found by a keyed digest under a key that
this process alone has. See ADR-0010.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from uuid import UUID

from shared.ports.clock import Clock

from .actor import Role

FRESH_SECONDS = 3.0
MOST_KEYS = 5000


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What is known of a key whose holder proved it.

    Attributes:
        role: what it is worth, its maker's present role considered.
        networks: where it may be used from; empty for everywhere.
        expires_at: when it ends, None for never; checked at every use.
    """

    key_id: UUID
    org_id: UUID
    role: Role | None
    scopes: frozenset[str]
    plan: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    expires_at: datetime | None

    def admits(self, address: IPv4Address | IPv6Address | None) -> bool:
        """Whether the key may be used from an address; from an unknown one only when it may be used from everywhere."""
        return not self.networks or (address is not None and any(address in network for network in self.networks))


class KeyCache:
    """Positive answers only, each for at most `FRESH_SECONDS` from before its lookup began. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._found: OrderedDict[bytes, tuple[float, KnownKey]] = OrderedDict()
        self._forgotten = 0
        self._lock = threading.Lock()

    def find(self, text: str) -> KnownKey | None:
        """Return what is known of a key, as its holder sent it."""
        digest = self._digest(text)
        with self._lock:
            entry = self._found.get(digest)
            if entry is None:
                return None
            if self._clock.monotonic_seconds() >= entry[0]:
                del self._found[digest]
                return None
            return entry[1]

    def begin(self) -> tuple[float, int]:
        """Begin a lookup; what it finds is kept with `keep` and this ticket."""
        with self._lock:
            return self._clock.monotonic_seconds(), self._forgotten

    def keep(self, text: str, known: KnownKey, ticket: tuple[float, int]) -> None:
        """Keep what a lookup found, unless a key was forgotten since it began: it may have read that one still alive."""
        began_at, forgotten = ticket
        digest = self._digest(text)
        with self._lock:
            if forgotten != self._forgotten:
                return
            self._found[digest] = (began_at + FRESH_SECONDS, known)
            self._found.move_to_end(digest)
            while len(self._found) > MOST_KEYS:
                self._found.popitem(last=False)

    def forget(self, key_id: UUID) -> None:
        """Drop a key at once; call it after the commit that ends or changes the key."""
        with self._lock:
            self._forgotten += 1
            for digest in [digest for digest, (_, known) in self._found.items() if known.key_id == key_id]:
                del self._found[digest]

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), "sha256")
