"""The versions of the pepper that API keys are hashed under."""

from __future__ import annotations

import threading

from shared.ports.clock import Clock, SystemClock
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret, SecretStore
from shared.telemetry.log import logger

_PEPPER = "api-key-pepper"
_log = logger("peppers")


class Peppers:
    """The versions of the pepper. A version never changes, so each is read once; which is the newest is asked now and then."""

    _fresh_seconds = 60.0

    def __init__(self, secrets: SecretStore, clock: Clock | None = None) -> None:
        self._secrets = secrets
        self._clock = clock or SystemClock()
        self._known: dict[int, Secret] = {}
        self._newest: int | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()
        self._newest_lock = threading.Lock()

    def version(self, number: int) -> Secret:
        """Return one version of the pepper.

        Raises:
            ServiceAway: (503 `service_away`) it is not known and cannot be read.
        """
        with self._lock:
            if number not in self._known:
                self._known[number] = self._secrets.read(_PEPPER, str(number))
            return self._known[number]

    def newest(self) -> tuple[int, Secret]:
        """Return the version that keys are hashed under now; up to a minute old, and the last one known in an outage.

        Raises:
            ServiceAway: (503 `service_away`) none is known and none can be had.
        """
        number = self._newest_number()
        return number, self.version(number)

    def _newest_number(self) -> int:
        known = self._newest
        if not self._newest_lock.acquire(blocking=known is None) and known is not None:
            return known  # somebody is asking already
        try:
            now = self._clock.monotonic_seconds()
            if self._newest is not None and now - self._asked_at < self._fresh_seconds:
                return self._newest
            self._asked_at = now
            try:
                self._newest = self._secrets.latest_version(_PEPPER)
            except ServiceAway:
                if self._newest is None:
                    raise
                _log.warning("newest pepper not refreshed")
            return self._newest
        finally:
            self._newest_lock.release()
