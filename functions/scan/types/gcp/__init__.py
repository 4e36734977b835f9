"""The Google type table. It is put together at the first question, as the provider's schema is read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ...domain.specs import TypeSpec, index
from . import (
    clusters,
    compute_balancing,
    compute_machines,
    compute_network,
    compute_templates,
    data,
    iam,
    platform,
)
from .mapping import Field, GoogleType, fields_of, spec_of

TYPES = (
    *clusters.TYPES,
    *compute_balancing.TYPES,
    *compute_machines.TYPES,
    *compute_network.TYPES,
    *compute_templates.TYPES,
    *data.TYPES,
    *platform.TYPES,
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A type with its compared attributes."""

    kind: GoogleType
    fields: tuple[Field, ...]


@cache
def by_asset() -> Mapping[str, tuple[Mapped, ...]]:
    """Return the types that assets of each asset type may be."""
    found: dict[str, tuple[Mapped, ...]] = {}
    for item in _mapped():
        for asset in item.kind.assets:
            found[asset] = (*found.get(asset, ()), item)
    return found


@cache
def specs() -> Mapping[str, TypeSpec]:
    """Return the rules of every Google type, by Terraform type."""
    mapped = [spec_of(item.kind, item.fields) for item in _mapped()]
    others = [
        spec_of(GoogleType(name, item.kind.assets, key=item.kind.key), ())
        for item in _mapped()
        for name in item.kind.aliases
    ]
    return index((*mapped, *others, *iam.SPECS))


@cache
def _mapped() -> tuple[Mapped, ...]:
    return tuple(Mapped(kind, fields_of(kind)) for kind in TYPES)
