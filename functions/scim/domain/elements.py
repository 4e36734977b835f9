"""Values of a multi-valued attribute: which are the same, which is primary. Lists that come in are left as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InvalidValue
from .matching import fold
from .schemas import Target


def added(elements: list[Any], new: Sequence[Any], target: Target) -> list[Any]:
    """Add values; one that is there is changed, one that is primary is the only one."""
    found = list(elements)
    places: dict[object, dict[str | None, int]] = {}
    for index, element in enumerate(found):
        places.setdefault(_identity(element, target), {}).setdefault(_kind(element), index)
    touched: list[int] = []
    for element in new:
        kinds = places.setdefault(_identity(element, target), {})
        same = _same(kinds, _kind(element))
        if same is None:
            same = kinds[_kind(element)] = len(found)
            found.append(element)
        elif isinstance(element, Mapping):
            found[same] = {**found[same], **element}
            if _kind(element) is not None and kinds.get(None) == same:  # its type is told now
                kinds[_kind(element)] = kinds.pop(None)
        touched.append(same)
    return with_one_primary(found, touched)


def without(elements: list[Any], gone: Sequence[Any], target: Target) -> list[Any]:
    """Leave out values."""
    wanted: dict[object, dict[str | None, int]] = {}
    for element in gone:
        wanted.setdefault(_identity(element, target), {})[_kind(element)] = 0
    return [
        element for element in elements if _same(wanted.get(_identity(element, target), {}), _kind(element)) is None
    ]


def _identity(element: Any, target: Target) -> object:
    """Return what two values have in common if they are the same: the `value` where there is one, else everything."""
    if not isinstance(element, Mapping):
        return element
    value, found = target.attribute.sub("value"), element.get("value")
    if value is not None and isinstance(found, str):
        return fold(found, value)
    return tuple(sorted((name, str(part)) for name, part in element.items()))


def _kind(element: Any) -> str | None:
    """Return what tells values with one identity apart: their type; None where it is not told."""
    found = element.get("type") if isinstance(element, Mapping) else None
    return found.casefold() if isinstance(found, str) else None


def _same(kinds: Mapping[str | None, int], kind: str | None) -> int | None:
    """Find the value that is the same: of the same type, or of one that is not told on either side."""
    if kind is None:
        return next(iter(kinds.values()), None)
    return kinds.get(kind, kinds.get(None))


def with_one_primary(elements: list[Any], touched: Sequence[int]) -> list[Any]:
    """Take `primary` from the others where a touched value has it. Source: RFC 7644 section 3.5.2."""
    chosen = [
        index for index in touched if isinstance(elements[index], Mapping) and elements[index].get("primary") is True
    ]
    if not chosen:
        return elements
    if len(set(chosen)) > 1:
        raise InvalidValue("only one value can be primary")
    return [
        {**element, "primary": False} if index != chosen[0] and element.get("primary") is True else element
        for index, element in enumerate(elements)
    ]
