"""A secret store in memory."""

from __future__ import annotations

from shared.ports.errors import ServiceAway, VersionUnusable
from shared.ports.secret_store import Secret


class MemorySecretStore:
    """Keeps the versions of each secret; a test adds and disables them.

    Attributes:
        is_away: set it to see what callers do without a secret store.
    """

    def __init__(self) -> None:
        self.is_away = False
        self._versions: dict[str, list[bytes]] = {}
        self._disabled: set[tuple[str, int]] = set()

    def add_version(self, name: str, value: bytes) -> int:
        """Store a version of a secret; returns its number."""
        versions = self._versions.setdefault(name, [])
        versions.append(value)
        return len(versions)

    def disable_version(self, name: str, number: int) -> None:
        """Disable one version of a secret."""
        self._disabled.add((name, number))

    def enable_version(self, name: str, number: int) -> None:
        """Enable it again."""
        self._disabled.discard((name, number))

    def read(self, name: str, version: str = "latest") -> Secret:
        if self.is_away:
            raise ServiceAway("secret_manager")
        versions = self._versions.get(name, [])
        number = len(versions) if version == "latest" else int(version)
        if not 0 < number <= len(versions) or (name, number) in self._disabled:
            raise VersionUnusable("secret_manager")
        return Secret(versions[number - 1])

    def latest_version(self, name: str) -> int:
        if self.is_away or not self._versions.get(name):
            raise ServiceAway("secret_manager")
        return len(self._versions[name])
