"""Values of a multi-valued attribute: which are the same, which is primary. Lists that come in are left as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import InvalidValue
from .matching import fold
from .schemas import Attribute, Target


def added(elements: list[Any], new: Sequence[Any], target: Target) -> list[Any]:
    """Add values; one that is there is changed, one that is primary is the only one."""
    found = list(elements)
    identity = _identity(target.attribute)
    places: dict[object, list[int]] = {}
    for index, element in enumerate(found):
        places.setdefault(identity(element), []).append(index)
    touched: list[int] = []
    for element in new:
        key = identity(element)
        same = next((index for index in places.get(key, ()) if _are_same(found[index], element)), None)
        if same is None:
            same = len(found)
            found.append(element)
            places.setdefault(key, []).append(same)
        elif isinstance(element, Mapping):
            found[same] = {**found[same], **element}
        touched.append(same)
    return with_one_primary(found, touched)


def without(elements: list[Any], gone: Sequence[Any], target: Target) -> list[Any]:
    identity = _identity(target.attribute)
    wanted: dict[object, list[Any]] = {}
    for element in gone:
        wanted.setdefault(identity(element), []).append(element)
    return [
        element for element in elements if not any(_are_same(element, one) for one in wanted.get(identity(element), ()))
    ]


def _identity(attribute: Attribute) -> Callable[[Any], object]:
    """Return what two values have in common if they are the same: the `value` where there is one, else everything."""
    value = attribute.sub("value")

    def identity(element: Any) -> object:
        if not isinstance(element, Mapping):
            return element
        found = element.get("value")
        if value is not None and isinstance(found, str):
            return fold(found, value)
        return tuple(sorted((name, str(part)) for name, part in element.items()))

    return identity


def _are_same(one: Any, other: Any) -> bool:
    """Say whether two values with the same identity are one value: their types are the same, or not told."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return bool(one == other)
    first, second = one.get("type"), other.get("type")
    return not isinstance(first, str) or not isinstance(second, str) or first.casefold() == second.casefold()


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
