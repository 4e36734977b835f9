"""Replies of AWS in the forms of Terraform: member names in snake case, objects as blocks, and tags that take a call.

Owns the conversions that readers of plain services share; what a service spells in its own way stands in its reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from ...domain.resources import LiveResource, Parent
from .base import Finding, Gap, Item, Scope, attempt

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Write a member's name as the provider does: `KmsKeyId` and `kmsKeyId` become `kms_key_id`."""
    return _WORD.sub("_", name).lower()


def blocks(value: object, maps: frozenset[str] = frozenset()) -> object:
    """Write an object as a nested block (a list of one), and what is inside of it alike.

    Args:
        value: any value of a reply.
        maps: members that hold free-form maps, which stay as they are.
    """
    if isinstance(value, Mapping):
        return [inside(value, maps)] if value else []
    if isinstance(value, list):
        return [inside(item, maps) if isinstance(item, Mapping) else item for item in value]
    return value


def inside(item: Mapping[str, object], maps: frozenset[str] = frozenset()) -> dict[str, object]:
    """Write the members of one object; see `blocks`."""
    return {snake(name): value if name in maps else blocks(value, maps) for name, value in item.items()}


def named(item: Item, members: Mapping[str, str]) -> dict[str, object]:
    """Take members out of a reply: attribute -> member."""
    return {name: item.get(member) for name, member in members.items()}


def in_snake(item: Item, *members: str) -> dict[str, object]:
    """Take members out of a reply whose attributes have the same names."""
    return {snake(member): item.get(member) for member in members}


def tagged(
    scope: Scope, kind: str, key: str, attributes: dict[str, object], arn: str, call: Callable[[], Mapping[str, str]], *missing: str,
    cloud_made: bool = False, parent: Parent | None = None,
) -> Iterator[Finding]:  # fmt: skip
    """Yield a resource whose tags take a call of their own.

    Args:
        scope: the account and region.
        kind: Terraform type.
        key: match key.
        attributes: what was read so far; the tags join them.
        arn: what a person would search for.
        call: reads the tags as a map.
        missing: error codes that say that there are none.
        cloud_made: see `LiveResource`.
        parent: see `LiveResource`.
    """
    found = attempt(arn.split(":")[2] if arn.startswith("arn:") else "", lambda: dict(call()), *missing)
    tags: dict[str, str] = {}
    if isinstance(found, Gap):
        yield found.unread(kind, key, "tags")
    else:
        attributes["tags"] = tags = found
    yield LiveResource(kind, key, scope.region, attributes, arn, cloud_made=cloud_made, parent=parent, tags=tags)
