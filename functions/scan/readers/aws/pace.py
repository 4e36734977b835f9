"""A token bucket per API, so that one scan does not use up what an account may ask of AWS in a second.

Owns the waiting only. Source: token bucket as AWS describes its own limits ("Amazon EC2 API throttling").
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets so many calls through per second, and at most a burst at once."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._now = now
        self._sleep = sleep
        self._tokens = float(burst)
        self._at = now()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for one call's turn."""
        with self._lock:
            now = self._now()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
            self._at = now
            self._tokens -= 1
            wait = -self._tokens / self._per_second
        if wait > 0:
            self._sleep(wait)

    def slow_down(self) -> None:
        """Halve the pace, as AWS said that it was too fast; never below one call in four seconds."""
        with self._lock:
            self._per_second = max(0.25, self._per_second / 2)
            self._tokens = min(self._tokens, 0.0)

    def pause(self, seconds: float) -> None:
        """Wait before the same call is made again."""
        self._sleep(seconds)
