"""Adding versions to a secret store in memory."""

from __future__ import annotations

from datetime import datetime

from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret

from .secret_store import MemorySecretStore


class MemorySecretRotator:
    """Adds to a store, and remembers when."""

    def __init__(self, store: MemorySecretStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._made: dict[str, datetime] = {}

    def made_at(self, name: str) -> datetime | None:
        if self._store.is_away:
            raise ServiceAway("secret_manager")
        return self._made.get(name)

    def add(self, name: str, value: Secret) -> int:
        if self._store.is_away:
            raise ServiceAway("secret_manager")
        self._made[name] = self._clock.now()
        return self._store.add_version(name, value.reveal())
