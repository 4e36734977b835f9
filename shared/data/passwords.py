"""The passwords that a login may have at the moment, where it has one: in the emulator and in a deployment of one's own.

Owns the order in which versions of a secret are tried, so that a password can be changed while everything runs. An
operator adds a version, changes the role, then disables the old version; a process may see the two changes in any order.
In Google Cloud there is no password (IAM database authentication).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol

from shared.ports.clock import Clock, SystemClock
from shared.ports.errors import VersionUnusable
from shared.ports.secret_store import Secret, SecretStore
from shared.telemetry.log import logger

from .errors import DatabaseAway

_TRIED = 2  # the version that is meant, and the one before it while the role is not changed yet
_PAUSES_SECONDS = (0.0, 0.1, 0.4)  # before each look at the versions: either change may still be on its way
_REST_SECONDS = 1.0  # after a login that no version opened
_log = logger("passwords")


@dataclass(frozen=True, slots=True)
class Password:
    """A password to try.

    Attributes:
        version: of the secret; 0 for the one in `database_url`.
        secret: the password itself, UTF-8.
    """

    version: int
    secret: Secret

    def reveal(self) -> str:
        """Return the text: at the log-in only."""
        return self.secret.reveal().decode()


class Passwords(Protocol):
    """Where a login's password comes from."""

    def candidates(self) -> Iterator[Password]:
        """Yield one password after the other, for as long as trying makes sense."""
        ...

    def accept(self, password: Password) -> None:
        """Remember the one that opened a connection."""
        ...


class FixedPassword:
    """The one password in `database_url`."""

    def __init__(self, text: str) -> None:
        self._password = Password(0, Secret(text.encode()))

    def candidates(self) -> Iterator[Password]:
        yield self._password

    def accept(self, password: Password) -> None:
        """Nothing to remember."""


class RotatingPassword:
    """The newest versions of a secret. Safe to share between threads."""

    def __init__(self, secrets: SecretStore, name: str, clock: Clock | None = None) -> None:
        self._secrets = secrets
        self._name = name
        self._clock = clock or SystemClock()
        self._known: Password | None = None
        self._resume_at = 0.0

    def candidates(self) -> Iterator[Password]:
        """Yield the password that opened the last connection, then the newest that can be read, looked up again and again.

        Raises:
            DatabaseAway: (503 `database_away`) a moment ago none of them was right.
            ServiceAway: (503 `service_away`) Secret Manager does not answer.
        """
        if self._clock.monotonic_seconds() < self._resume_at:
            raise DatabaseAway
        known = self._known
        if known is not None:
            yield known
        for pause in _PAUSES_SECONDS:
            self._clock.sleep_seconds(pause)
            yield from islice(readable_versions(self._secrets, self._name, known.version if known else 0), _TRIED)
        self._resume_at = self._clock.monotonic_seconds() + _REST_SECONDS
        _log.error("no version of the password is right", secret_name=self._name)

    def accept(self, password: Password) -> None:
        """Remember the one that opened a connection: until it is refused, nothing has to be looked up."""
        self._known, self._resume_at = password, 0.0


def readable_versions(secrets: SecretStore, name: str, known: int = 0) -> Iterator[Password]:
    """Yield the versions of a secret that can be read, the newest first.

    What Secret Manager calls the latest, and its lists, may be hours old; reading a new version by its number never is. So
    numbers are tried upwards from the highest that is known.

    Args:
        secrets: where they are.
        name: of the secret.
        known: a version that there was, to begin with.

    Raises:
        ServiceAway: (503 `service_away`) Secret Manager does not answer, or knows no such secret.
    Source: https://cloud.google.com/secret-manager/docs/reference/consistency
    """
    known = max(known, secrets.latest_version(name))
    newer = list(_run(secrets, name, count(known + 1), most_unusable=2))
    yield from reversed(newer)
    yield from _run(secrets, name, range(known, 0, -1), most_unusable=10)


def _run(secrets: SecretStore, name: str, numbers: Iterable[int], *, most_unusable: int) -> Iterator[Password]:
    """Yield what can be read of these versions, until so many in a row cannot. Raises: ServiceAway."""
    unusable = 0
    for number in numbers:
        try:
            found = Password(number, secrets.read(name, str(number)))
        except VersionUnusable:  # disabled, or there is no such version
            unusable += 1
            if unusable >= most_unusable:
                return
        else:
            unusable = 0
            yield found
