"""What a process reads from elsewhere and keeps: a secret's version, published keys, a client.

Owns when it is read, by whom, and what everybody else does meanwhile. Knows nothing of what it keeps.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from shared.telemetry.log import logger

from .clock import Clock
from .errors import ServiceAway

_PAUSE_SECONDS = 1.0  # while there is nothing: every caller is refused, so it is tried again soon
_RETRY_SECONDS = 10.0  # while there is an older value
_T = TypeVar("_T")
_log = logger("kept")


class Kept(Generic[_T]):
    """One value, read when it is first needed, and again once it is no longer fresh. Safe to share between threads.

    One thread reads at a time and holds no lock meanwhile. Whoever finds an older value goes on with that, also while its
    source is away. Whoever finds none waits for the reading under way and gets what it brings, its failure too: in an
    outage nobody waits for more than one reading, however many callers there are.
    """

    def __init__(self, name: str, read: Callable[[], _T], clock: Clock, *, fresh_seconds: float = math.inf) -> None:
        """Set up; reads nothing yet.

        Args:
            name: for the log.
            read: gets the value; raises `ServiceAway` when that cannot be done now.
            clock: time.
            fresh_seconds: how long a value is as good as new.
        """
        self._name = name
        self._read = read
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._values: tuple[_T, ...] = ()  # the one value, once there is one
        self._failure: ServiceAway | None = None
        self._due_at = -math.inf
        self._is_reading = False
        self._changed = threading.Condition()

    def get(self) -> _T:
        """Return the value.

        Raises:
            ServiceAway: (503 `service_away`) there is none, and none can be had.
        """
        with self._changed:
            while self._is_reading and not self._values:
                self._changed.wait()
            if self._is_reading or self._clock.monotonic_seconds() < self._due_at:
                return self._outcome()
            self._is_reading = True
        found: tuple[_T, ...] = ()
        failure = None
        try:
            found = (self._read(),)
        except ServiceAway as error:
            failure = error
        finally:
            self._settle(found, failure)
        if found:
            return found[0]
        with self._changed:
            return self._outcome()

    def forget(self, value: _T) -> None:
        """Let a value go, unless it was replaced already; the next caller reads it anew."""
        with self._changed:
            if self._values and self._values[0] is value:
                self._values, self._due_at = (), -math.inf

    def _outcome(self) -> _T:
        if self._values:
            return self._values[0]
        raise self._failure or ServiceAway(self._name)

    def _settle(self, found: tuple[_T, ...], failure: ServiceAway | None) -> None:
        with self._changed:
            self._is_reading = False
            now = self._clock.monotonic_seconds()
            if found:
                self._values, self._failure, self._due_at = found, None, now + self._fresh_seconds
            elif failure is not None:
                self._failure, self._due_at = failure, now + (_RETRY_SECONDS if self._values else _PAUSE_SECONDS)
                _log.warning("not refreshed", what=self._name, has_older=bool(self._values))
            self._changed.notify_all()
