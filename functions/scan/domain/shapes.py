"""Canonical forms: what makes two spellings of one value equal.

A shape is a function from a value, as a state or a cloud spells it, to one canonical value. Two values that mean the
same come out equal; two values that mean something else never do (a rule that hides a real change is a bug).
Canonical sets are tuples (compared whole), lists stay lists (compared by index), blocks are dicts (compared by name).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, Union

Canonical: TypeAlias = Union[
    bool, int, str, Decimal, "list[Canonical]", "tuple[Canonical, ...]", "dict[str, Canonical]", None
]
Shape: TypeAlias = Callable[[object], Canonical]


def text(value: object) -> Canonical:
    """Plain text; the empty string is null."""
    return None if value is None or value == "" else str(value)


def folded_text(value: object) -> Canonical:
    """Text whose case carries no meaning (DNS names, protocol words)."""
    found = text(value)
    return found.lower() if isinstance(found, str) else found


def dns_name(value: object) -> Canonical:
    """A DNS name: case and the trailing dot carry no meaning (RFC 4343; RFC 1034 section 3.1)."""
    found = folded_text(value)
    return found.rstrip(".") if isinstance(found, str) else found


def number(value: object) -> Canonical:
    """A number, whether spelled as text or not; null stays null."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return int(value)
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not found.is_finite():
        return str(value)  # a text like "inf" or "nan" is a word here
    return int(found) if found == found.to_integral_value() else found.normalize()


def number_or_zero(value: object) -> Canonical:
    """A number where the provider writes 0 for "not set"."""
    return number(value) or 0


def boolean(value: object) -> Canonical:
    """A flag; absent is false, and `"true"`/`"false"` are accepted."""
    if isinstance(value, str):
        return value.lower() == "true"
    return bool(value)


def string_map(value: object) -> Canonical:
    """A map of text to text; an empty map is null. Empty values are kept: `""` and absent differ in a map."""
    if not isinstance(value, Mapping) or not value:
        return None
    return {str(name): "" if item is None else str(item) for name, item in sorted(value.items())}


def tags(value: object) -> Canonical:
    """Resource tags; tags that AWS itself sets (`aws:` prefix, which users cannot write) are left out."""
    if not isinstance(value, Mapping):
        return None
    return string_map({name: item for name, item in value.items() if not str(name).startswith("aws:")})


def sorted_canonical(items: Iterable[Canonical]) -> tuple[Canonical, ...]:
    """Order a set of canonical values in a stable way, each value once."""
    unique = {json.dumps(item, sort_keys=True, default=str): item for item in items}
    return tuple(unique[name] for name in sorted(unique))


def set_of(shape: Shape) -> Shape:
    """A set of values; order and repetition carry no meaning; an empty set is null."""

    def canonical(value: object) -> Canonical:
        items = sorted_canonical(shape(item) for item in _items(value))
        return items or None

    return canonical


def list_of(shape: Shape) -> Shape:
    """A list of values; order carries meaning; an empty list is null."""

    def canonical(value: object) -> Canonical:
        return [shape(item) for item in _items(value)] or None

    return canonical


def block(shapes: Mapping[str, Shape]) -> Shape:
    """One nested block, as Terraform stores it: a list of at most one object. Only the named members are compared.

    A block in which every member is null or false is null: the provider may write either.
    """
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = _items(value)
        found = one(items[0]) if items else None
        return found if isinstance(found, dict) and any(found.values()) else None

    return canonical


def members(shapes: Mapping[str, Shape]) -> Shape:
    """The named members of one object; a member that is absent counts as null."""

    def canonical(value: object) -> Canonical:
        if not isinstance(value, Mapping):
            return None
        return {name: shape(value.get(name)) for name, shape in shapes.items()}

    return canonical


def default_is(default: Canonical, shape: Shape) -> Shape:
    """A value whose default may be spelled out or left out: the default is null."""

    def canonical(value: object) -> Canonical:
        found = shape(value)
        return None if found == default else found

    return canonical


def keyed(name: str, shapes: Mapping[str, Shape]) -> Shape:
    """Blocks that carry a name of their own and whose order carries no meaning: compared by that name."""
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = [item for item in _items(value) if isinstance(item, Mapping)]
        return {str(item.get(name)): one(item) for item in items} or None

    return canonical


def document(value: object) -> Canonical:
    """A JSON document, as text or parsed: member order and white space carry no meaning."""
    parsed = _parsed(value)
    return None if parsed in (None, "", {}, []) else _frozen_document(parsed)


def policy(value: object) -> Canonical:
    """An IAM policy document in one form.

    A single statement or value equals a list of one; actions are case-insensitive; statement and value order carry no
    meaning; an account id as principal equals its root ARN; the `AWS: "*"` principal stays apart from `"*"`.
    Source: AWS IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language".
    """
    parsed = _parsed(value)
    if not isinstance(parsed, Mapping) or not parsed:
        return None
    statements = [_statement(item) for item in _items(parsed.get("Statement"))]
    head: dict[str, Canonical] = {
        str(name): _frozen_document(item) for name, item in parsed.items() if name != "Statement"
    }
    return {**head, "Statement": sorted_canonical(statements)}


def constant(_value: object) -> Canonical:
    """An attribute that is known but never compared."""
    return None


_ACTION_NAMES = {"Action", "NotAction"}
_LIST_NAMES = _ACTION_NAMES | {"Resource", "NotResource"}


def _statement(value: object) -> Canonical:
    if not isinstance(value, Mapping):
        return _frozen_document(value)
    found: dict[str, Canonical] = {}
    for name, item in value.items():
        if name in _LIST_NAMES:
            words = (str(word) for word in _items(item))
            found[name] = sorted_canonical(word.lower() if name in _ACTION_NAMES else word for word in words)
        elif name in {"Principal", "NotPrincipal"}:
            found[name] = _principal(item)
        elif name == "Condition" and isinstance(item, Mapping):
            found[name] = {
                str(operator): {
                    str(key).lower(): sorted_canonical(_condition_value(word) for word in _items(words))
                    for key, words in (keys.items() if isinstance(keys, Mapping) else ())
                }
                for operator, keys in item.items()
            }
        elif name != "Sid" or item:
            found[name] = _frozen_document(item)
    return found


def _condition_value(value: object) -> Canonical:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _principal(value: object) -> Canonical:
    if not isinstance(value, Mapping):
        return _frozen_document(value)
    return {
        str(kind): sorted_canonical(_principal_name(str(kind), str(item)) for item in _items(names))
        for kind, names in value.items()
    }


def _principal_name(kind: str, name: str) -> str:
    is_account = kind == "AWS" and len(name) == 12 and name.isdigit()
    return f"arn:aws:iam::{name}:root" if is_account else name


def _parsed(value: object) -> object:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _frozen_document(value: object) -> Canonical:
    if isinstance(value, Mapping):
        return {str(name): _frozen_document(item) for name, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_frozen_document(item) for item in value]
    if isinstance(value, float):
        return number(value)
    return value if isinstance(value, None | bool | int | str) else str(value)


def _items(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [value]
