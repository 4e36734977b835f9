"""Which attributes an answer has. Source: RFC 7644 section 3.9, RFC 7643 section 7 (`returned`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .errors import InvalidValue
from .schemas import Attribute, ResourceSchema, Target

MOST_NAMES: Final = 100
MOST_CHARACTERS: Final = 8_192


@dataclass(frozen=True, slots=True)
class Projection:
    """What `attributes` and `excludedAttributes` say, before a type is known.

    Attributes:
        wanted: names in small letters; None when the usual ones are wanted.
        excluded: names in small letters.
    """

    wanted: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()

    def wants(self, name: str, schema: ResourceSchema) -> bool:
        """Say whether an attribute of the core schema can be in the answer, so that it must be read at all, e.g. `members`."""
        target = schema.find(name)
        return target is not None and _Chosen.of(self, schema).covers(target) != "none"


def read_projection(attributes: object, excluded: object) -> Projection:
    """Read both parameters: a text with commas, or a list of texts.

    Raises:
        InvalidValue: (400 `invalidValue`) neither, too many, or both parameters at once.
    """
    wanted, unwanted = _names(attributes, "attributes"), _names(excluded, "excludedAttributes")
    if wanted and unwanted:
        raise InvalidValue("attributes and excludedAttributes are not used together")
    return Projection(frozenset(wanted) if wanted else None, frozenset(unwanted))


def _names(value: object, name: str) -> list[str]:
    if value is None:
        return []
    texts: list[str] = []
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            raise InvalidValue(f"{name} is a list of texts")
        texts.append(text)
    found = [part.strip().lower() for text in texts for part in text.split(",") if part.strip()]
    if len(found) > MOST_NAMES or sum(map(len, found)) > MOST_CHARACTERS:
        raise InvalidValue(f"{name} has more than {MOST_NAMES} names")
    return found


def project(resource: Mapping[str, Any], schema: ResourceSchema, projection: Projection) -> dict[str, Any]:
    """Return what is shown of a resource; names that it does not have are passed over.

    Args:
        resource: whole, `id` and `meta` included; names in the schema's letters.
        schema: of the resource.
        projection: from `read_projection`.

    Returns:
        with `schemas`, which are those that it has attributes of, and `id`, always.
    """
    chosen = _Chosen.of(projection, schema)
    shown: dict[str, Any] = {"schemas": [schema.urn, *(urn for urn in schema.extensions if resource.get(urn))]}
    for target in schema.targets():
        holder = resource.get(target.urn, {}) if target.urn else resource
        value = holder.get(target.attribute.name)
        if value is None or target.path == "schemas":
            continue
        value = chosen.part(target, value)
        if value is None:
            continue
        if target.urn:
            shown.setdefault(target.urn, {})[target.attribute.name] = value
        else:
            shown[target.attribute.name] = value
    return shown


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A projection resolved against a type: for each attribute, all of it, none of it, or some sub-attributes."""

    projection: Projection
    wanted: Mapping[str, frozenset[str] | None]
    excluded: Mapping[str, frozenset[str] | None]

    @classmethod
    def of(cls, projection: Projection, schema: ResourceSchema) -> _Chosen:
        return cls(projection, _resolve(projection.wanted or (), schema), _resolve(projection.excluded, schema))

    def covers(self, target: Target) -> str:
        returned = target.attribute.returned
        if returned == "never":
            return "none"
        if returned == "always":
            return "all"
        if self.projection.wanted is not None:
            if target.path not in self.wanted:
                return "none"
            return "all" if self.wanted[target.path] is None else "some"
        if returned == "request":
            return "none"
        if target.path in self.excluded:
            return "none" if self.excluded[target.path] is None else "some"
        return "all"

    def part(self, target: Target, value: Any) -> Any:
        covered = self.covers(target)
        if covered == "none":
            return None
        if target.attribute.type != "complex":
            return value
        names = self._sub_names(target, covered)
        if target.attribute.multi_valued:
            return [cut for element in value if (cut := _cut(element, names))] or None
        return _cut(value, names) or None

    def _sub_names(self, target: Target, covered: str) -> frozenset[str]:
        subs = target.attribute.sub_attributes.values()
        named: frozenset[str] | None = None
        if covered == "some":
            wanted = self.wanted.get(target.path)
            named = (
                wanted if wanted is not None else _all(target.attribute) - (self.excluded[target.path] or frozenset())
            )
        return frozenset(
            sub.name
            for sub in subs
            if sub.returned != "never"
            and (sub.returned == "always" or (sub.name in named if named is not None else sub.returned != "request"))
        )


def _all(attribute: Attribute) -> frozenset[str]:
    return frozenset(sub.name for sub in attribute.sub_attributes.values())


def _cut(element: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: part for name, part in element.items() if name in names}


def _resolve(names: Sequence[str] | frozenset[str], schema: ResourceSchema) -> dict[str, frozenset[str] | None]:
    """Return the attributes that are named: None for the whole of one, else its sub-attributes that are."""
    found: dict[str, frozenset[str] | None] = {}
    for name in names:
        urn = schema.urn_of(name)
        if urn is not None:  # a whole schema
            found.update((target.path, None) for target in schema.targets() if (target.urn or schema.urn) == urn)
            continue
        target = _find(name, schema)
        if target is None:
            continue
        path = Target(target.urn, target.attribute).path
        if target.sub is None:
            found[path] = None
        elif path not in found or found[path] is not None:
            found[path] = (found.get(path) or frozenset()) | {target.sub.name}
    return found


def _find(name: str, schema: ResourceSchema) -> Target | None:
    urn: str | None = None
    if name.startswith("urn:"):
        urn, _, name = name.rpartition(":")
    top, _, sub = name.partition(".")
    return schema.find(top, sub or None, urn)
