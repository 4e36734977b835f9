"""Attributes as expressions see them: JSON, with a mark's text where a value is hidden or not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.rules.values import Mark, is_list

from .costs import Facts, Size
from .limits import MOST_TEXT, MOST_VALUES

_LEAST_WHOLE, _MOST_WHOLE = -(2**63), 2**63 - 1


class _TooLarge(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Attributes:
    """One side of a change.

    Attributes:
        values: what is handed over; None when the change has no such side.
        sizes: by attribute.
        refused: attributes that are too large to hand over.
    """

    values: dict[str, Any] | None
    sizes: Mapping[str, Size]
    refused: frozenset[str]

    @classmethod
    def of(cls, document: Mapping[str, Any] | None, facts: Facts, side: str) -> Attributes:
        """Take over what some expressions look at."""
        if document is None:
            return cls(None, {}, frozenset())
        wanted = None if side in facts.whole else facts.tops[side]
        values: dict[str, Any] = {}
        sizes: dict[str, Size] = {}
        refused: set[str] = set()
        for name, value in document.items():
            if wanted is not None and name not in wanted:
                continue
            taken = _Taking()
            try:
                values[storable(name)] = taken.take(value)
            except _TooLarge:
                refused.add(name)
            else:
                sizes[name] = Size(taken.longest, taken.widest, taken.text, taken.values)
        return cls(values, sizes, frozenset(refused))

    def chosen(self, facts: Facts, side: str) -> Iterable[str]:
        """Return the attributes that an expression looks at, also such as there are not."""
        return (*self.sizes, *self.refused) if side in facts.whole else facts.tops[side]


class _Taking:
    """Takes over one attribute and counts what it is made of."""

    def __init__(self) -> None:
        self.longest = self.widest = self.text = self.values = 0

    def take(self, value: object) -> Any:
        """Return a value as the library takes it.

        Raises:
            _TooLarge: it is more than an expression may look at.
        """
        self.values += 1
        if self.values > MOST_VALUES:
            raise _TooLarge
        if isinstance(value, Mapping):
            self.widest = max(self.widest, len(value))
            return {self._text(str(name)): self.take(inner) for name, inner in value.items()}
        if is_list(value):
            self.widest = max(self.widest, len(value))
            return [self.take(inner) for inner in value]
        if isinstance(value, str | Mark):
            return self._text(str(value))
        if isinstance(value, Decimal):
            return float(value)
        if isinstance(value, int) and not _LEAST_WHOLE <= value <= _MOST_WHOLE:
            return _double(value)
        return value if value is None or isinstance(value, bool | int | float) else self._text(str(value))

    def _text(self, text: str) -> str:
        self.longest = max(self.longest, len(text))
        self.text += len(text)
        if self.text > MOST_TEXT:
            raise _TooLarge
        return storable(text)


def storable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which UTF-8 has no place for."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
