"""One deadline for a whole exchange, however many reads, writes and redirects it takes."""

from __future__ import annotations

from shared.ports.clock import Clock

from .errors import EgressTimeout


class Deadline:
    """A point in time that no step of an exchange outlives."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._at_seconds = clock.monotonic_seconds() + seconds

    def left_seconds(self) -> float:
        """Return what is left, above zero.

        Raises:
            EgressTimeout: (504 `egress_timeout`) nothing is.
        """
        left = self._at_seconds - self._clock.monotonic_seconds()
        if left <= 0:
            raise EgressTimeout
        return left
