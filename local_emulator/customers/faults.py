"""Fault switches of the stand-ins: a test can make one operation fail the way the vendor's fails.

Owns which request a fault speaks about; what the failure looks like on the wire the stand-in says. `POST /_faults` adds a
fault (one for each operation), `GET` lists them with how often each was met, `DELETE` ends them all and lets waiting requests go.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

_HANG_SECONDS = 600.0

Mode: TypeAlias = Literal["deny", "throttle", "unavailable", "malformed", "slow", "hang"]


class Fault(BaseModel):
    """The body of `POST /_faults`.

    Attributes:
        operation: e.g. `ListAssets`, `ListAssets.IAM_POLICY`, `Resources.resources`; `*` for every one.
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


@dataclass
class _Active:
    fault: Fault
    hits: int = 0


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._active: dict[str, _Active] = {}
        self._lock = threading.Lock()
        self._released = threading.Event()

    def switch(self, fault: Fault) -> None:
        """Switch a fault on, in the place of the one that its operation had."""
        with self._lock:
            self._active[fault.operation] = _Active(fault)

    def clear(self) -> None:
        """End all faults, and let go who waits."""
        with self._lock:
            self._active = {}
            self._released.set()
            self._released = threading.Event()

    def list(self) -> list[dict[str, Any]]:
        """Return the faults with how often each was met."""
        with self._lock:
            return [{**active.fault.model_dump(), "hits": active.hits} for active in self._active.values()]

    def meet(self, operations: Iterable[str]) -> Fault | None:
        """Return the fault that a request meets, and count it.

        Args:
            operations: its names, the most telling first.
        """
        with self._lock:
            for name in (*operations, "*"):
                active = self._active.get(name)
                if active is not None and (active.fault.times is None or active.hits < active.fault.times):
                    active.hits += 1
                    return active.fault
        return None

    def wait(self, seconds: float, sleep: Callable[[float], object] | None = None) -> None:
        """Let time pass; ends early when all faults do."""
        (sleep or self._released.wait)(seconds or _HANG_SECONDS)
