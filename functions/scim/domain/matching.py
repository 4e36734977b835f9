"""Filters evaluated in memory: for value paths of PATCH, and as the measure of what the SQL must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from .filter_tree import And, Comparison, Constant, Filter, Not, NullTest, Or, Present, ValuePath
from .scalars import read_moment
from .schemas import Attribute, Target


def fold(text: str, attribute: Attribute) -> str:
    """Return the form that texts of an attribute are compared in."""
    return text if attribute.case_exact else text.casefold()


def matches(found: Filter, resource: Mapping[str, object]) -> bool:
    """Evaluate a filter.

    Args:
        found: from `parse_filter`.
        resource: a resource as it is stored and answered: names in the schema's own letters, each extension under its URN.
    """
    match found:
        case Constant(value):
            return value
        case Not(inner):
            return not matches(inner, resource)
        case And(parts):
            return all(matches(part, resource) for part in parts)
        case Or(parts):
            return any(matches(part, resource) for part in parts)
        case ValuePath(target, inner):
            return any(matches_element(inner, element) for element in elements_of(resource, target))
        case Present(target):
            return _present(resource, target)
        case Comparison(target) | NullTest(target):
            if not target.attribute.multi_valued:
                return _compare(found, value_of(resource, target))
            elements = elements_of(resource, target) or [None]
            return any(_compare(found, _part(element, target)) for element in elements)


def matches_element(found: Filter, element: object) -> bool:
    """Evaluate what stands between the brackets of a value path on one element."""
    match found:
        case Not(inner):
            return not matches_element(inner, element)
        case And(parts):
            return all(matches_element(part, element) for part in parts)
        case Or(parts):
            return any(matches_element(part, element) for part in parts)
        case Present(target):
            return _filled(_part(element, target))
        case Comparison(target) | NullTest(target):
            return _compare(found, _part(element, target))
        case _:
            raise AssertionError("the grammar has nothing else between brackets")


def value_of(resource: Mapping[str, object], target: Target) -> object:
    """Return what stands at a target that is not within a multi-valued attribute; None when nothing does."""
    holder = resource.get(target.urn) if target.urn else resource
    found = holder.get(target.attribute.name) if isinstance(holder, Mapping) else None
    if target.sub is None:
        return found
    return found.get(target.sub.name) if isinstance(found, Mapping) else None


def elements_of(resource: Mapping[str, object], target: Target) -> Sequence[object]:
    """Return the elements of a multi-valued attribute."""
    found = value_of(resource, Target(target.urn, target.attribute))
    return found if isinstance(found, list) else []


def _part(element: object, target: Target) -> object:
    if target.sub is None:
        return element
    return element.get(target.sub.name) if isinstance(element, Mapping) else None


def _present(resource: Mapping[str, object], target: Target) -> bool:
    if target.attribute.multi_valued:
        return any(_filled(_part(element, target)) for element in elements_of(resource, target))
    return _filled(value_of(resource, target))


def _filled(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_filled(part) for part in value.values())
    if isinstance(value, list):
        return any(_filled(part) for part in value)
    return value is not None and value != ""


_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": lambda found, asked: found == asked,
    "co": lambda found, asked: asked in found,
    "sw": lambda found, asked: found.startswith(asked),
    "ew": lambda found, asked: found.endswith(asked),
    "gt": lambda found, asked: found > asked,
    "ge": lambda found, asked: found >= asked,
    "lt": lambda found, asked: found < asked,
    "le": lambda found, asked: found <= asked,
}


def _compare(found: Comparison | NullTest, value: object) -> bool:
    if isinstance(found, NullTest):
        return (value is None) is found.is_null
    if found.operator == "ne":
        return not _satisfies(found, "eq", value)
    return _satisfies(found, found.operator, value)


def _satisfies(found: Comparison, operator: str, value: object) -> bool:
    leaf, asked = found.target.leaf, found.value
    if isinstance(asked, str):
        return isinstance(value, str) and _TESTS[operator](fold(value, leaf), fold(asked, leaf))
    if isinstance(asked, datetime):
        moment = read_moment(value) if isinstance(value, str) else value
        return isinstance(moment, datetime) and _ordered(operator, moment, asked)
    return type(value) is type(asked) and value == asked


def _ordered(operator: str, found: datetime, asked: datetime) -> bool:
    if operator == "eq":
        return found == asked
    if operator in {"gt", "ge"}:
        return found > asked or (operator == "ge" and found == asked)
    return found < asked or (operator == "le" and found == asked)
