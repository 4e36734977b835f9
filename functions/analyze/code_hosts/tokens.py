"""Installation tokens that are still good, so that not every call asks for one. In memory only; never logged, never stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

from shared.ports.clock import Clock
from shared.ports.secret_store import Secret

_SPARE = timedelta(minutes=5)  # GitHub's tokens live an hour; one that is about to end is not begun with
_MOST_TOKENS = 500


class InstallationTokens:
    """Tokens by what they are for. Safe to share between threads; two that need the same one may both ask for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: OrderedDict[Hashable, tuple[Secret, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Secret, datetime]]) -> Secret:
        """Return a token.

        Args:
            key: what it is for.
            make: asks for a new one; returns it and when it ends.
        """
        with self._lock:
            known = self._found.get(key)
        if known is not None and self._clock.now() < known[1] - _SPARE:
            return known[0]
        made = make()
        with self._lock:
            self._found[key] = made
            self._found.move_to_end(key)
            while len(self._found) > _MOST_TOKENS:
                self._found.popitem(last=False)
        return made[0]

    def forget(self, key: Hashable, token: Secret) -> None:
        """Drop a token that is not taken any more, unless a newer one has its place."""
        with self._lock:
            known = self._found.get(key)
            if known is not None and known[0] is token:
                del self._found[key]
