"""Time and randomness that stand still until a test moves them."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from threading import Lock

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Tells the time that a test set; waiting moves it on and takes no time."""

    def __init__(self, now: datetime = START) -> None:
        """Start.

        Args:
            now: aware UTC.
        """
        if now.utcoffset() != timedelta(0):
            raise ValueError("the clock needs an aware UTC time")
        self._start = now
        self._passed_seconds = 0.0
        self._lock = Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_seconds)

    def monotonic_seconds(self) -> float:
        return self._passed_seconds

    def sleep_seconds(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not go back")
        with self._lock:
            self._passed_seconds += seconds


class FixedEntropy:
    """Makes the same bytes and ids in every run, all different within one; never guessable is what it is not."""

    def __init__(self, seed: str = "driftwise") -> None:
        self._seed = seed
        self._drawn = 0
        self._lock = Lock()

    def token_bytes(self, size_bytes: int) -> bytes:
        return hashlib.shake_256(f"{self._seed}/{self._next()}".encode()).digest(size_bytes)

    def uuid(self) -> uuid.UUID:
        number = self._next()
        milliseconds = int(START.timestamp() * 1000) + number
        random = int.from_bytes(hashlib.shake_256(f"{self._seed}/id/{number}".encode()).digest(10), "big")
        random_a, random_b = random >> 68, random & ((1 << 62) - 1)
        return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)

    def _next(self) -> int:
        with self._lock:
            self._drawn += 1
            return self._drawn
