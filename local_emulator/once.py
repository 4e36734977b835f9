"""Values that are handed out behind keys which nobody can guess."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_Kept = TypeVar("_Kept")


class Once(Generic[_Kept]):
    """Values behind random keys, each handed out once and only for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, _Kept]] = {}
        self._lock = threading.Lock()

    def put(self, value: _Kept, seconds: float) -> str:
        """Keep a value; returns its key."""
        key = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > now}
            self._kept[key] = (now + seconds, value)
        return key

    def get(self, key: str, *, take: bool) -> _Kept | None:
        """Return a value that is still good; `take` makes it the last time."""
        with self._lock:
            found = self._kept.pop(key, None) if take else self._kept.get(key)
        return found[1] if found is not None and found[0] > self._clock() else None
