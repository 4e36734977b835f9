"""What the engine knows of each Terraform type: how it is matched and which attributes are compared, in which shape.

Owns the vocabulary; the tables themselves stand in `types/<cloud>/`. Must not do I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .resources import Attributes, Declared, Parent
from .shapes import Shape

KeyRule: TypeAlias = Callable[[Attributes], str | None]
KeyTest: TypeAlias = Callable[[str], bool]
ParentRule: TypeAlias = Callable[[Attributes], Parent | None]
Expansion: TypeAlias = Callable[[Declared], Iterable[Declared]]


def by(*names: str, separator: str = "|") -> KeyRule:
    """Make a key rule: the named attributes, joined; no key when any of them is empty."""

    def key(attributes: Attributes) -> str | None:
        parts = [attributes.get(name) for name in names]
        return separator.join(str(part) for part in parts) if all(part not in (None, "") for part in parts) else None

    return key


BY_ID = by("id")


def never(_key: str) -> bool:
    """Say that a type's keys are unique in an account."""
    return False


def unless_arn(key: str) -> bool:
    """Say that a type's keys are names that other regions may have as well; an ARN holds its region."""
    return not key.startswith("arn:")


def no_parent(_attributes: Attributes) -> Parent | None:
    """Say that a type never stands for a parent's inline block."""
    return None


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """One Terraform type.

    Attributes:
        type: the Terraform type, e.g. `aws_vpc`.
        shapes: compared attributes and their canonical form. `tags` compares the state's `tags_all` where it has one.
        key: match key from a state's attributes; equal to `LiveResource.key` of the same thing. The default is `id`,
            right only where ids are unique in an account; types named by people per region use `by("arn")`, or `repeats`.
        repeats: tells of a key whether another region may have it as well. The region then stands before it, on both sides
            (see `regional.py`); readers and `key` give the name alone.
        place: the attribute whose ARN tells account and region of the resource itself.
        is_global: listed once per account: no region is concluded from where its provider works.
        parent: for a stand-alone form of an inline block, the parent it belongs to.
        inline: attribute -> types of the stand-alone resources that may take its place. When the state declares such
            a resource for this parent, the attribute is not compared; otherwise those live resources are not reported.
        expand: for a state resource that stands for several live ones, or for another type: the declared resources
            that take its place (each with a `type` that has a spec of its own).
        sensitive: attributes whose values are never shown, whatever the state says.
    """

    type: str
    shapes: Mapping[str, Shape]
    key: KeyRule = BY_ID
    parent: ParentRule = no_parent
    repeats: KeyTest = never
    place: str = "arn"
    is_global: bool = False
    inline: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expand: Expansion | None = None
    sensitive: frozenset[str] = frozenset()


def worldwide(specs: Iterable[TypeSpec]) -> tuple[TypeSpec, ...]:
    """Mark specs of things that lie in no region."""
    return tuple(replace(spec, is_global=True) for spec in specs)


def index(specs: Iterable[TypeSpec]) -> dict[str, TypeSpec]:
    """Index specs by type.

    Raises:
        ValueError: two specs for one type.
    """
    found: dict[str, TypeSpec] = {}
    for spec in specs:
        if spec.type in found:
            raise ValueError(f"two specs for {spec.type}")
        found[spec.type] = spec
    return found


def placing(spec: TypeSpec, placed: Callable[[Declared], Declared]) -> TypeSpec:
    """Return a rule by which a state's resource is placed as well.

    Args:
        spec: the rule.
        placed: notes where a resource lies.
    """
    inner = spec.expand

    def expand(declared: Declared) -> Iterable[Declared]:
        return (placed(item) for item in (inner(declared) if inner else (declared,)))

    return replace(spec, expand=expand)
