"""Things that a process makes once for each key and keeps for a while: access tokens, sign-ins into accounts.

Owns who makes one while others wait, when it is made again, and which of them goes when there are too many. `kept.py` does the
same for one value that may be old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .clock import Clock

_T = TypeVar("_T")


class KeptByKey(Generic[_T]):
    """Things by everything that they depend on, each for as long as it is good. Safe to share between threads."""

    def __init__(self, clock: Clock, *, most: int) -> None:
        """Set up; makes nothing yet.

        Args:
            clock: time.
            most: how many are kept; whatever ends first goes.
        """
        self._clock = clock
        self._most = most
        self._known: dict[Hashable, tuple[float, _T]] = {}
        self._gates: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _T], good_seconds: Callable[[_T], float]) -> _T:
        """Return the thing of a key, made now when there is none that is still good.

        Args:
            key: everything that it depends on; whatever changed makes another key.
            make: makes it; a failure is not remembered.
            good_seconds: how long it is good from then on.
        """
        with self._lock:
            gate = self._gates.setdefault(key, threading.Lock())
        with gate:  # others who want the same wait for the first one's outcome; nobody else does
            found = self._fresh(key)
            if found is None:
                found = (make(),)
                self._keep(key, found[0], good_seconds(found[0]))
            return found[0]

    def __len__(self) -> int:
        return len(self._known)

    def _fresh(self, key: Hashable) -> tuple[_T] | None:
        now = self._clock.monotonic_seconds()
        with self._lock:
            self._known = {name: item for name, item in self._known.items() if now < item[0]}
            return (self._known[key][1],) if key in self._known else None

    def _keep(self, key: Hashable, thing: _T, seconds: float) -> None:
        with self._lock:
            while len(self._known) >= self._most:
                del self._known[min(self._known, key=lambda name: self._known[name][0])]
            self._known[key] = (self._clock.monotonic_seconds() + seconds, thing)
            self._gates = {name: gate for name, gate in self._gates.items() if name in self._known or gate.locked()}
