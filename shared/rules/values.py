"""Values of resources as rules see them: JSON, with a mark where a value is not known yet and one where it is hidden.

A rule that meets a mark knows nothing about the value; what it says then is `unknown-value`, never "safe".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias, TypeGuard

Path: TypeAlias = tuple[str | int, ...]
Document: TypeAlias = Mapping[str, Any]

_MOST_SHOWN_TEXT = 500
_MOST_SHOWN_ITEMS = 20
_MOST_SHOWN_LEVELS = 8
_MOST_FOUND = 20_000
# A tuple of types is told several times faster than their union, and everything here asks all the time.
_LISTS = (list, tuple)
_SHOWN = (bool, int, float)


@dataclass(frozen=True, slots=True)
class Mark:
    """Stands for a value.

    Attributes:
        text: what people read in its place.
        edition: two hidden values at one place are equal when their editions are.
    """

    text: str
    edition: int = 0

    def __str__(self) -> str:
        """Return what people read."""
        return self.text


UNKNOWN = Mark("(known after apply)")
SENSITIVE = Mark("(sensitive value)")
SENSITIVE_CHANGED = Mark("(sensitive value)", 1)


def is_mark(value: object) -> TypeGuard[Mark]:
    """Say whether a value is unknown or hidden."""
    return isinstance(value, Mark)


def holds_mark(value: object) -> bool:
    """Say whether something in a value is unknown or hidden."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mark):
            return True
        if is_object(item):
            waiting.extend(item.values())
        elif is_list(item):
            waiting.extend(item)
    return False


def is_object(value: object) -> TypeGuard[Document]:
    """Say whether a value is an object; JSON makes nothing but `dict`, which is far cheaper to tell than any mapping."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Say whether a value is a list or, as canonical forms have it, a tuple."""
    return isinstance(value, _LISTS)


def items(value: object) -> Sequence[Any]:
    """Return a list as it is, nothing for null, and one of anything else (JSON policies allow both forms)."""
    if value is None:
        return ()
    return value if is_list(value) else (value,)


def texts(value: object) -> list[str]:
    """Return the texts of a list or the one text."""
    return [item for item in items(value) if isinstance(item, str)]


def at(document: object, path: str) -> list[tuple[Path, Any]]:
    """Return every value under a dotted path, with its concrete path.

    A step goes into a member; lists on the way are gone through, as providers write blocks as lists of one or of many. A
    mark on the way ends the walk and is returned. A member that is not there gives nothing.

    Args:
        document: the attributes of a resource; None before it is made or after it is gone.
        path: e.g. `settings.ip_configuration.ipv4_enabled`.
    """
    if "." not in path and is_object(document) and not isinstance(value := document.get(path), _LISTS):
        return [((path,), value)] if path in document else []
    found: list[tuple[Path, Any]] = [((), document)]
    for step in path.split("."):
        found = [inner for where, value in found[:_MOST_FOUND] for inner in _step(where, value, step)]
    return [inner for where, value in found for inner in _flat(where, value)][:_MOST_FOUND]


def values_at(document: object, path: str) -> list[Any]:
    """Return the values under a path, without those that are null."""
    return [value for _, value in at(document, path) if value is not None]


def first(document: object, path: str) -> Any:
    """Return the first value under a path, None when there is none."""
    return next(iter(values_at(document, path)), None)


def raw(document: object, name: str) -> Any:
    """Return a top-level attribute as it is."""
    return document.get(name) if is_object(document) else None


def blocks(document: object, path: str) -> list[tuple[Path, Document]]:
    """Return the objects under a path."""
    return [(where, value) for where, value in at(document, path) if is_object(value)]


def members(document: object, name: str) -> list[Any]:
    """Return the items of a top-level list; a single value counts as a list of one."""
    return list(items(raw(document, name)))


def number(value: object) -> float | None:
    """Return a number, whether or not it is spelled as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if found == found and abs(found) != float("inf") else None  # noqa: PLR0124 -- NaN is not itself


def whole(value: object) -> int | None:
    """Return a whole number, None for everything else."""
    found = number(value)
    return int(found) if found is not None else None


def truth(value: object) -> bool | None:
    """Return a flag, whether or not it is spelled as text; None when it is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return None


def parsed(value: object) -> Any:
    """Return a JSON text as what it says; what is no JSON text stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def dotted(path: Path) -> str:
    """Write a path as people read it: `ingress[0].cidr_blocks`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def shown(value: object, levels: int = _MOST_SHOWN_LEVELS) -> Any:
    """Return a value as it may be put into an answer: JSON, cut to what a person reads, marks as their text."""
    if isinstance(value, str):
        return value if len(value) <= _MOST_SHOWN_TEXT else f"{value[:_MOST_SHOWN_TEXT]}… ({len(value)} characters)"
    if value is None or isinstance(value, _SHOWN):
        return value
    if isinstance(value, dict | list | tuple) and levels <= 0:
        return "…"
    if is_object(value):
        named = sorted(((str(name), inner) for name, inner in value.items()), key=lambda pair: pair[0])
        return {name: shown(inner, levels - 1) for name, inner in named[:_MOST_SHOWN_ITEMS]}
    if is_list(value):
        cut = [shown(inner, levels - 1) for inner in value[:_MOST_SHOWN_ITEMS]]
        return [*cut, f"… ({len(value)} in all)"] if len(value) > _MOST_SHOWN_ITEMS else cut
    return str(value)


def _step(where: Path, value: object, step: str) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mark):
        yield where, value
    elif is_object(value):
        if step in value:
            yield (*where, step), value[step]
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _step((*where, index), item, step)


def _flat(where: Path, value: object) -> Iterator[tuple[Path, Any]]:
    if is_list(value):
        for index, item in enumerate(value):
            yield from _flat((*where, index), item)
    else:
        yield where, value


def get_at(document: object, path: Path) -> Any:
    """Return the value at a concrete path; a mark on the way is returned, None when there is nothing."""
    value: Any = document
    for step in path:
        if isinstance(value, Mark):
            return value
        if is_object(value):
            value = value.get(str(step))
        elif is_list(value) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value
