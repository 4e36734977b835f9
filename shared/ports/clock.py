"""Time, randomness and ids, so that tests can hold them still."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Return a clock that never goes back, for deadlines."""
        ...

    def sleep_seconds(self, seconds: float) -> None:
        """Wait."""
        ...


class Entropy(Protocol):
    """Makes what nobody can guess."""

    def token_bytes(self, size_bytes: int) -> bytes:
        """Return random bytes fit for secrets."""
        ...

    def uuid(self) -> uuid.UUID:
        """Return a new id that sorts by time (RFC 9562 section 5.7, version 7)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        return time.monotonic()

    def sleep_seconds(self, seconds: float) -> None:
        time.sleep(seconds)


class SystemEntropy:
    """The machine's randomness."""

    def token_bytes(self, size_bytes: int) -> bytes:
        return secrets.token_bytes(size_bytes)

    def uuid(self) -> uuid.UUID:
        milliseconds = time.time_ns() // 1_000_000
        random = int.from_bytes(secrets.token_bytes(10), "big")
        random_a, random_b = random >> 68, random & ((1 << 62) - 1)
        return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)
