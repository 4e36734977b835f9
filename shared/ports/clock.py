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
        """Return a random UUID (RFC 9562 version 4)."""
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
        return uuid.uuid4()
