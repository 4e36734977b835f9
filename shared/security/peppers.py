"""The versions of the pepper that API keys are hashed under."""

from __future__ import annotations

from functools import partial

from shared.ports.clock import Clock, SystemClock
from shared.ports.kept import Kept
from shared.ports.secret_store import Secret, SecretStore

_PEPPER = "api-key-pepper"
_FRESH_SECONDS = 60.0


class Peppers:
    """The versions of the pepper. A version never changes, so each is read once; which is the newest is asked now and then."""

    def __init__(self, secrets: SecretStore, clock: Clock | None = None) -> None:
        self._secrets = secrets
        self._clock = clock or SystemClock()
        self._known: dict[int, Kept[Secret]] = {}
        latest = partial(secrets.latest_version, _PEPPER)
        self._newest = Kept("newest pepper", latest, self._clock, fresh_seconds=_FRESH_SECONDS)

    def version(self, number: int) -> Secret:
        """Return one version of the pepper.

        Raises:
            ServiceAway: (503 `service_away`) it is not known and cannot be read.
        """
        known = self._known.get(number)
        if known is None:
            read = partial(self._secrets.read, _PEPPER, str(number))
            known = self._known.setdefault(number, Kept("pepper", read, self._clock))
        return known.get()

    def newest(self) -> tuple[int, Secret]:
        """Return the version that keys are hashed under now; up to a minute old, and the last one known in an outage.

        Raises:
            ServiceAway: (503 `service_away`) none is known and none can be had.
        """
        number = self._newest.get()
        return number, self.version(number)
