"""Circuit breakers: who did not answer several times in a row is left alone for a while, then asked once.

One breaker for each endpoint and whoever's key it is called with, in this process only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from shared.ports.clock import Clock
from shared.ports.language_model import ModelAway

MOST_FAILURES = 5
OPEN_SECONDS = 30.0
_MOST_BREAKERS = 1000


@dataclass(slots=True)
class _State:
    failures: int = 0
    opens_until: float = 0.0


class Breakers:
    """What this process knows of endpoints. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: OrderedDict[Hashable, _State] = OrderedDict()
        self._lock = Lock()

    def check(self, endpoint: Hashable) -> None:
        """Let a call through, or not; after the pause one call is let through, and the rest wait for how it ends.

        Raises:
            ModelAway: (503 `model_away`) says when to come back.
        """
        now = self._clock.monotonic_seconds()
        with self._lock:
            state = self._states.get(endpoint)
            if state is None or state.failures < MOST_FAILURES:
                return
            if now < state.opens_until:
                raise ModelAway(retry_after_seconds=int(state.opens_until - now) + 1)
            state.opens_until = now + OPEN_SECONDS

    def is_open(self, endpoint: Hashable) -> bool:
        """Say whether a call would not be let through now."""
        now = self._clock.monotonic_seconds()
        with self._lock:
            state = self._states.get(endpoint)
            return state is not None and state.failures >= MOST_FAILURES and now < state.opens_until

    def note(self, endpoint: Hashable, *, answered: bool) -> None:
        """Remember how a call ended; an answer of any kind counts as one."""
        with self._lock:
            if answered:
                self._states.pop(endpoint, None)
                return
            state = self._states.setdefault(endpoint, _State())
            state.failures += 1
            state.opens_until = self._clock.monotonic_seconds() + OPEN_SECONDS
            self._states.move_to_end(endpoint)
            while len(self._states) > _MOST_BREAKERS:
                self._states.popitem(last=False)
