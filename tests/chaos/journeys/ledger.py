"""What a journey remembers: which things it was promised, and which values a thing may have now.

Whoever was not told may neither count on a change nor rule it out: it may be there once or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from ..violations import Violation

_Value = TypeVar("_Value")


class Ledger:
    """Things by name: asked for, promised, asked to end, ended."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._promised: dict[str, None] = {}  # a set that keeps its order
        self._ending: set[str] = set()
        self._ended: set[str] = set()

    @contextmanager
    def making(self, name: str) -> Generator[None]:
        """Ask for a thing; it is promised when the block ends well."""
        self._asked.add(name)
        yield
        self._promised[name] = None

    @contextmanager
    def ending(self, name: str) -> Generator[None]:
        """Ask for a thing's end; it has ended when the block ends well."""
        self._ending.add(name)
        yield
        self._ended.add(name)

    def promise(self, name: str) -> None:
        """Note a thing that must be there."""
        with self.making(name):
            pass

    def promised(self) -> list[str]:
        """Return what was promised, oldest first."""
        return list(self._promised)

    def kept(self) -> list[str]:
        """Return what was promised and not asked to end, oldest first."""
        return [name for name in self._promised if name not in self._ending]

    def compare(self, journey: str, thing: str, found: Iterable[str]) -> Iterator[Violation]:
        """Yield what was lost, doubled, never asked for, or came back.

        Args:
            journey: its name.
            thing: what the things are, e.g. `key`.
            found: a name for each thing that is there.
        """
        counts = Counter(found)
        for name in sorted(counts.keys() | self._asked):
            number = counts[name]
            if name not in self._asked:
                yield Violation(f"{journey}: unasked", f"{thing} {name} is there, and nobody asked for it")
            elif number > 1:
                yield Violation(f"{journey}: doubled", f"{thing} {name} is there {number} times")
            elif name in self._ended and number:
                yield Violation(f"{journey}: came back", f"{thing} {name} is there after its end was acknowledged")
            elif name in self._promised and name not in self._ending and not number:
                yield Violation(f"{journey}: lost", f"{thing} {name} was promised and is not there")


class Values(Generic[_Value]):
    """The values that one thing may have: the last one acknowledged, and those asked for since and given up."""

    def __init__(self, value: _Value) -> None:
        self._possible = [value]

    @contextmanager
    def setting(self, value: _Value) -> Generator[None]:
        """Ask for a value; it is the only one when the block ends well."""
        self._possible.append(value)
        yield
        self._possible = [value]

    def compare(self, journey: str, thing: str, found: _Value) -> Iterator[Violation]:
        """Yield a value that it cannot have."""
        if found not in self._possible:
            expected = " or ".join(repr(value) for value in self._possible)
            yield Violation(f"{journey}: changed", f"{thing} is {found!r}, expected {expected}")
