"""Fault switches of the stand-ins: which are on, how often each was met, and who waits because of one.

Which request a fault speaks about, and what the failure looks like on the wire, each stand-in says for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

_HANG_SECONDS = 600.0

Mode: TypeAlias = Literal["deny", "throttle", "unavailable", "malformed", "slow", "hang"]
Key = TypeVar("Key", bound=Hashable)
Switched = TypeVar("Switched", bound=BaseModel)


class Fault(BaseModel):
    """A fault of one operation, as `POST` switches it on.

    Attributes:
        operation: as the vendor names it; `*` for every one.
        mode: `deny` (no permission), `throttle`, `unavailable` (503), `malformed` (an answer that is cut off), `slow`
            (the answer comes late), `hang` (no answer, then the connection ends).
        seconds: the delay of `slow`; how long `hang` lasts (0: ten minutes).
        times: how many requests meet it; None for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str = Field(default="*", min_length=1, max_length=200)
    mode: Mode
    seconds: float = Field(default=0, ge=0, le=_HANG_SECONDS)
    times: int | None = Field(default=None, ge=1)

    @property
    def held_seconds(self) -> float:
        """Return how long a request waits that meets it."""
        if self.mode == "hang":
            return self.seconds or _HANG_SECONDS
        return self.seconds if self.mode == "slow" else 0


@dataclass(slots=True)
class Active(Generic[Switched]):
    """A fault that is switched on.

    Attributes:
        fault: as it was asked for.
        hits: how many requests met it.
        since: when it was switched on, on the monotonic clock.
    """

    fault: Switched
    hits: int = 0
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Met(Generic[Switched]):
    """A fault that a request met; its waiting ends early when all faults do."""

    fault: Switched
    _released: Event

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._released.wait(seconds)


class Switches(Generic[Key, Switched]):
    """The faults that are switched on, at most one for each key.

    Args:
        is_on: says whether a fault still applies to whoever comes.
    """

    def __init__(self, is_on: Callable[[Active[Switched]], bool]) -> None:
        self._is_on = is_on
        self._active: dict[Key, Active[Switched]] = {}
        self._lock = Lock()
        self._released = Event()

    def switch(self, key: Key, fault: Switched) -> None:
        """Switch a fault on, in the place of the one that its key had."""
        with self._lock:
            self._active[key] = Active(fault)

    def clear(self) -> None:
        """End all faults, and let go who waits."""
        with self._lock:
            self._active = {}
            self._released.set()
            self._released = Event()

    def list(self) -> list[dict[str, Any]]:
        """Return the faults with how often each was met."""
        with self._lock:
            return [{**active.fault.model_dump(), "hits": active.hits} for active in self._active.values()]

    def is_any(self) -> bool:
        """Say whether any fault is switched on."""
        return bool(self._active)

    def meet(self, keys: Iterable[Key]) -> Met[Switched] | None:
        """Return the fault that a request meets, and count it.

        Args:
            keys: what the request is known by, the most telling first.
        """
        with self._lock:
            for key in keys:
                active = self._active.get(key)
                if active is not None and self._is_on(active):
                    active.hits += 1
                    return Met(active.fault, self._released)
        return None


def is_left(active: Active[Any]) -> bool:
    """Say whether a `Fault` is still to be met: always, or so many times."""
    return active.fault.times is None or active.hits < active.fault.times
