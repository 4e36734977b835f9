"""The versions of one secret, as a process sees them: read once each, the newest asked for now and then.

Owns what is done while versions come and go: which one is used for what is new, which ones can still be read.
See ADR-0011.
"""

from __future__ import annotations

import threading

from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway, VersionUnusable
from shared.ports.secret_store import Secret, SecretStore
from shared.telemetry.log import logger

_LEAST_BYTES = 16
_log = logger("secret_versions")


class SecretVersions:
    """The versions of one secret. Safe to share between threads.

    A version never changes, so one that was read is kept until the process ends, even when it is disabled meanwhile. That
    one is disabled is believed for as long as the number of the newest one.
    """

    _fresh_seconds = 60.0
    _away_seconds = 5.0  # not every caller waits for a store that did not answer the last one

    def __init__(self, name: str, secrets: SecretStore, clock: Clock) -> None:
        """Set up.

        Args:
            name: short name of the secret, as in `infra/suite.yaml`.
            secrets: where it is read.
            clock: time.
        """
        self._name = name
        self._secrets = secrets
        self._clock = clock
        self._known: dict[int, Secret] = {}
        self._refused: dict[int, tuple[float, type[ServiceAway]]] = {}  # number -> when to ask again, why not before
        self._newest: int | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()
        self._newest_lock = threading.Lock()

    def version(self, number: int) -> Secret:
        """Return one version.

        Raises:
            VersionUnusable: (503 `service_away`) it is disabled or destroyed, or too short to be a key.
            ServiceAway: (503 `service_away`) it is not known and cannot be read.
        """
        found = self._known.get(number)
        if found is not None:
            return found
        with self._lock:
            if number not in self._known:
                self._known[number] = self._read(number)
            return self._known[number]

    def newest(self) -> tuple[int, Secret]:
        """Return the version that is used for what is new: the newest that can be used, and its number.

        Up to a minute old, and the last one known in an outage. A version that was added last and cannot be used (disabled
        again, or too short) is passed over, everywhere alike.

        Raises:
            ServiceAway: (503 `service_away`) none is known and none can be had.
        """
        trouble: ServiceAway = VersionUnusable("secret_manager")
        for number in range(self._newest_number(), 0, -1):
            try:
                return number, self.version(number)
            except ServiceAway as error:
                trouble = error
        raise trouble

    def usable(self) -> list[tuple[int, Secret]]:
        """Return every version that can be read, newest first, at least one.

        Raises:
            ServiceAway: (503 `service_away`) one of them is not known and cannot be read just now, or there is none.
        """
        found: list[tuple[int, Secret]] = []
        for number in range(self._newest_number(), 0, -1):
            try:
                found.append((number, self.version(number)))
            except VersionUnusable:
                continue
        if not found:
            raise VersionUnusable("secret_manager")
        return found

    def _read(self, number: int) -> Secret:
        now = self._clock.monotonic_seconds()
        until, refusal = self._refused.get(number, (now, ServiceAway))
        if now < until:
            raise refusal("secret_manager")
        try:
            found = self._secrets.read(self._name, str(number))
            if len(found.reveal()) < _LEAST_BYTES:
                raise VersionUnusable("secret_manager")
        except ServiceAway as error:
            is_gone = isinstance(error, VersionUnusable)
            self._refused[number] = now + (self._fresh_seconds if is_gone else self._away_seconds), type(error)
            _log.warning("secret version not usable", name=self._name, version=number, is_gone=is_gone)
            raise
        return found

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
                # the store may tell an older number for a while after it told a newer one
                self._newest = max(self._newest or 0, self._secrets.latest_version(self._name))
            except ServiceAway:
                if self._newest is None:
                    raise
                _log.warning("newest secret version not refreshed", name=self._name)
            return self._newest
        finally:
            self._newest_lock.release()
