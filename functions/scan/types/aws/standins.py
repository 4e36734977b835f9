"""Terraform types that are another spelling of a type with a spec: `aws_default_vpc` adopts an `aws_vpc`.

Owns the expansion that puts the compared type in place of the spelled one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...domain.resources import Declared
from ...domain.specs import Expansion, KeyRule, ParentRule, TypeSpec, by, no_parent

_BY_ID = by("id")


def same_as(kind: str) -> Expansion:
    """Make an expansion: the declared resource, compared as another type; address, key and attributes stay."""

    def expand(entry: Declared) -> Iterable[Declared]:
        return (replace(entry, type=kind),)

    return expand


def stand_in(spelled: str, kind: str, *, key: KeyRule = _BY_ID, parent: ParentRule = no_parent) -> TypeSpec:
    """Make the spec of a type that is compared as another one."""
    return TypeSpec(spelled, {}, key=key, parent=parent, expand=same_as(kind))
