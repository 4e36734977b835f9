"""From one table entry per type both sides of a comparison: how a state is read, and how an asset is put into Terraform's words.

Names and shapes follow by rule, as the provider is generated from the same API descriptions: `ip_cidr_range` is `ipCidrRange`, a
block of which there is one is an object, a set has no order, a number left out is zero. The provider's schema tells which is
which (`schema.py`); an entry says which attributes are compared and where the rule does not hold. Must not do I/O.
Source: Terraform Google provider 6.50, resource documentation; ADR-0038.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ...domain.resources import Attributes, Declared
from ...domain.shapes import (
    Shape,
    block,
    boolean,
    list_of,
    members,
    number_or_zero,
    set_of,
    string_map,
)
from ...domain.specs import TypeSpec
from ..provider_schema import AttributeSchema
from .assets import Asset
from .forms import kept, labels, written
from .schema import SCHEMA

Item: TypeAlias = Mapping[str, Any]
Reading: TypeAlias = Callable[[Item, Asset], object]

UNREAD = object()
"""What a reading returns when the live value says nothing (a size that an autoscaler steers): it is not compared then."""

_PIECE = re.compile(r"\{(\w+)(:tail)?\}")
_ABOVE = ("projects/", "folders/", "organizations/")


def always(_asset: Asset) -> bool:
    """Say yes."""
    return True


def never(_asset: Asset) -> bool:
    """Say no."""
    return False


@dataclass(frozen=True, slots=True)
class GoogleType:
    """One Terraform type and the assets it stands for. Paths are dotted and in Terraform's names, e.g. `log_config.metadata`.

    Attributes:
        type: e.g. `google_compute_network`.
        assets: asset types, e.g. `compute.googleapis.com/Network`.
        compared: attributes, separated by blanks.
        at: path -> member of the API, dotted, from the object that encloses it; where it is not the name in camel case.
        read: path -> how the value comes out of the object that encloses it, where a member is not enough.
        shapes: path -> canonical form, where the schema does not tell it.
        inside: path of a block -> its compared members, when not all that can be set.
        present: paths of blocks whose presence alone says something.
        key: match key from a state's attributes in braces (`{zone:tail}` takes the end of a link); by default `{id}` after the host.
        live_key: the same from the API's members, `{project}` and `{zone}`; by default the asset's own name.
        when: tells which assets of these types it is.
        gone: the asset says that it was deleted, and will be for some time.
        made: Google made it by itself; it is never reported as unmanaged.
        within: member that holds many of these in one asset (the gateways of a router).
        state: puts attributes of a state into one form before anything is compared.
        aliases: other Terraform types for the same thing.
        sensitive: attributes whose values are never shown.
        inline: attribute -> types of the stand-alone resources that may take its place (see `TypeSpec.inline`).
        is_certain: the inventory is known to list the type everywhere. Otherwise, where it lists none, nothing is said.
    """

    type: str
    assets: tuple[str, ...]
    compared: str = ""
    at: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Reading] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    key: str = ""
    live_key: str = ""
    when: Callable[[Asset], bool] = always
    gone: Callable[[Asset], bool] = never
    made: Callable[[Asset], bool] = never
    within: str = ""
    state: Callable[[Attributes], Attributes] | None = None
    aliases: tuple[str, ...] = ()
    sensitive: frozenset[str] = frozenset()
    inline: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """One compared attribute or nested block: where it comes from and how it is compared."""

    name: str
    shape: Shape
    path: tuple[str, ...]
    reading: Reading | None = None
    members: tuple[Field, ...] = ()


def key_from(template: str, values: Mapping[str, object]) -> str | None:
    """Fill a key's template; None when a value is missing."""
    found = {name: values.get(name) for name in names_in(template)}
    if any(value in (None, "") for value in found.values()):
        return None

    def piece(match: re.Match[str]) -> str:
        value = str(found[match[1]])
        return value.rstrip("/").rpartition("/")[2] if match[2] else value

    return _PIECE.sub(piece, template)


def names_in(template: str) -> tuple[str, ...]:
    """Return the values that a key's template asks for."""
    return tuple(name for name, _ in _PIECE.findall(template))


def state_key(kind: GoogleType) -> Callable[[Attributes], str | None]:
    """Make the rule that names a state's resource as the inventory does."""
    host = f"//{kind.assets[0].partition('/')[0]}/"

    def key(attributes: Attributes) -> str | None:
        if kind.key:
            return key_from(kind.key, attributes)
        identity = attributes.get("id")
        return host + identity if isinstance(identity, str) and identity.startswith(_ABOVE) else None

    return key


def fields_of(kind: GoogleType) -> tuple[Field, ...]:
    """Put together the compared attributes of a type.

    Raises:
        ValueError: the provider has no such type or attribute, or an entry names a path that is not compared.
    """
    schema = SCHEMA.attribute_schema(kind.type)
    if schema is None:
        raise ValueError(f"the provider has no {kind.type}")
    found = tuple(_fields(kind, schema, kind.compared.split(), ""))
    known = set(_paths(found, ""))
    named = {*kind.at, *kind.read, *kind.shapes, *kind.inside, *kind.present}
    if named - known:
        raise ValueError(f"{kind.type} does not compare {sorted(named - known)}")
    return found


def spec_of(kind: GoogleType, fields: Iterable[Field]) -> TypeSpec:
    """Make the rules by which a state's resource of this type is compared."""
    return TypeSpec(
        kind.type,
        {item.name: item.shape for item in fields},
        key=state_key(kind),
        inline=kind.inline,
        expand=lambda declared: (_in_one_form(declared, kind),),
        sensitive=kind.sensitive,
    )


def attributes_of(fields: Iterable[Field], data: Item, asset: Asset) -> dict[str, object]:
    """Put what an API says of a resource into Terraform's words; values are brought into canonical form by the shapes."""
    found = {item.name: _value(item, data, asset) for item in fields}
    return {name: value for name, value in found.items() if value is not UNREAD}


def member(data: object, *path: str) -> Any:
    """Return a value inside an object, None where there is none."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def entries(name: str, *path: str) -> Reading:
    """Make the reading of a map that is blocks in a state, each with its key under a name."""

    def read(data: Item, _asset: Asset) -> object:
        found = member(data, *path)
        if not isinstance(found, Mapping):
            return None
        return [{**item, name: key} if isinstance(item, Mapping) else item for key, item in found.items()]

    return read


def camel(name: str) -> str:
    """Return an attribute's name as APIs spell it."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _fields(
    kind: GoogleType, schema: Mapping[str, AttributeSchema], names: Iterable[str], above: str
) -> Iterator[Field]:
    for name in names:
        path = f"{above}.{name}" if above else name
        item = schema.get(name)
        if item is None:
            raise ValueError(f"{kind.type} has no {path}")
        source = tuple(kind.at.get(path, camel(name)).split("."))
        inner = _inner(kind, item, path)
        yield Field(name, _shape(kind, item, path, inner), source, kind.read.get(path), inner)


def _inner(kind: GoogleType, item: AttributeSchema, path: str) -> tuple[Field, ...]:
    if item.members is None or path in kind.shapes:
        return ()
    names = kind.inside[path].split() if path in kind.inside else [n for n, it in item.members.items() if _is_set(it)]
    return tuple(_fields(kind, item.members, names, path))


def _is_set(item: AttributeSchema) -> bool:
    return not item.is_computed_only and not item.write_only


def _shape(kind: GoogleType, item: AttributeSchema, path: str, inner: tuple[Field, ...]) -> Shape:
    if path in kind.shapes:
        return kind.shapes[path]
    if item.members is not None:
        shapes = {field.name: field.shape for field in inner}
        if item.most == 1:
            return kept(shapes) if path in kind.present else block(shapes)
        return set_of(members(shapes)) if item.kind == "set" else list_of(members(shapes))
    if item.kind in {"list", "set"}:
        return (set_of if item.kind == "set" else list_of)(_scalar(item.element))
    if item.kind == "map":
        return labels if path.endswith("labels") else string_map
    return {"number": number_or_zero, "bool": boolean}.get(item.kind, written)


def _scalar(element: str) -> Shape:
    return {"n": number_or_zero, "b": boolean}.get(element, written)


def _paths(fields: Iterable[Field], above: str) -> Iterator[str]:
    for item in fields:
        path = f"{above}.{item.name}" if above else item.name
        yield path
        yield from _paths(item.members, path)


def _value(item: Field, data: Item, asset: Asset) -> object:
    found = item.reading(data, asset) if item.reading else member(data, *item.path)
    if not item.members or found is None or found is UNREAD:
        return found
    elements: list[Any] = found if isinstance(found, list) else [found]
    return [
        {one.name: _value(one, element, asset) for one in item.members} for element in elements if _is_item(element)
    ]


def _is_item(element: object) -> bool:
    if not isinstance(element, Mapping):
        raise TypeError("a nested object is none")
    return True


def _in_one_form(declared: Declared, kind: GoogleType) -> Declared:
    """Put a state's resource into one form, whatever version of the provider wrote it.

    Since version 5 `labels` holds only what the configuration says; what the API has is in `effective_labels`, with the
    provider's defaults and its own `goog-terraform-provisioned`. The same holds for annotations.
    Source: https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/version_5_upgrade
    """
    attributes = dict(declared.attributes)
    for name in ("labels", "annotations", "resource_labels"):
        effective = attributes.get("effective_annotations" if name == "annotations" else "effective_labels")
        if name in attributes and isinstance(effective, Mapping):
            attributes[name] = effective
    found: Attributes = kind.state(attributes) if kind.state else attributes
    project = found.get("project")
    return replace(declared, attributes=found, account=str(project) if project else None)
