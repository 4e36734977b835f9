"""A cloud's reply that remembers which of its members were read, so that the rest is known to be mapped by nobody.

A reader makes attributes by reading members; what it read, the first detector compares. Owns the remembering only: a traced
reply is read like the dictionary it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_values

_KEYS = ("Key", "key", "TagKey", "Name", "name", "ParameterName")
_VALUES = frozenset({"value", "tagvalue", "parametervalue"})


class Traced(dict[str, Any]):
    """A JSON object with the paths that were read of it, dotted and without indices."""

    __slots__ = ("_path", "_seen", "source")

    def __init__(
        self, content: Mapping[str, Any], source: str, *, _path: str = "", _seen: set[str] | None = None
    ) -> None:
        """Wrap a reply.

        Args:
            content: the reply about one resource.
            source: who told it, with the version that decides which members it can tell of.
        """
        super().__init__(content)
        self.source = source
        self._path = _path
        self._seen = set[str]() if _seen is None else _seen

    def covered(self) -> frozenset[str]:
        """Return the paths that were read, as they are seen from this object."""
        prefix = f"{self._path}." if self._path else ""
        found = {path.removeprefix(prefix) for path in self._seen if path.startswith(prefix)}
        # A list of pairs that were read is remembered as the map that it is.
        maps = {path.rpartition(".")[0] for path in found if path.rpartition(".")[2].lower() in _VALUES}
        return frozenset(found | {path for path in maps if any(f"{path}.{name}" in found for name in _KEYS)})

    def __getitem__(self, name: str) -> Any:
        """Read a member."""
        return self._read(name, super().__getitem__(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Read a member that may be absent."""
        if name not in self:
            self._note(name)  # its absence was read: it would be compared if it came
            return default
        return self[name]

    def __iter__(self) -> Iterator[str]:
        """Read all members: whoever goes through them uses them."""
        self._note_all()
        return super().__iter__()

    def items(self) -> dict_items[str, Any]:
        """Read all members."""
        self._note_all()
        return super().items()

    def values(self) -> dict_values[str, Any]:
        """Read all members."""
        self._note_all()
        return super().values()

    def __or__(self, other: Any, /) -> Any:
        """Read all members into a plain dictionary."""
        return dict(self.items()) | other

    def _read(self, name: str, value: Any) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        if isinstance(value, Mapping):
            return Traced(value, self.source, _path=path, _seen=self._seen)
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            return [Traced(item, self.source, _path=path, _seen=self._seen) for item in value]
        self._seen.add(path)
        return value

    def _note(self, name: str) -> None:
        self._seen.add(f"{self._path}.{name}" if self._path else name)

    def _note_all(self) -> None:
        for name in dict.keys(self):
            self._note(name)


def covered_by(document: Mapping[str, Any]) -> frozenset[str]:
    """Return what was read of a document; nothing of one that is not traced."""
    return document.covered() if isinstance(document, Traced) else frozenset()


def source_of(document: Mapping[str, Any]) -> str:
    """Return who told a document."""
    return document.source if isinstance(document, Traced) else "unknown"
