"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], object], what: str, *, timeout_seconds: float = 20.0) -> None:
    """Return once `is_so()` is true; fail with `what` when it does not become true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {timeout_seconds:g} s in vain: {what}"
        time.sleep(0.02)
