"""An object store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from shared.ports.errors import ServiceAway


class MemoryObjectStore:
    """Keeps objects.

    Attributes:
        is_away: set it to see what callers do without an object store.
    """

    def __init__(self) -> None:
        self.is_away = False
        self._objects: dict[str, bytes] = {}
        self._lock = Lock()

    def put_new(self, name: str, content: bytes) -> bool:
        self._check()
        with self._lock:
            if name in self._objects:
                return False
            self._objects[name] = content
            return True

    def get(self, name: str) -> bytes | None:
        self._check()
        return self._objects.get(name)

    def names(self, prefix: str) -> Iterator[str]:
        self._check()
        yield from sorted(name for name in self._objects if name.startswith(prefix))

    def _check(self) -> None:
        if self.is_away:
            raise ServiceAway("storage")
