"""Which subscription or management group a resource of a state lies in, so that a scan of another one leaves it alone.

Source: Azure Resource Manager documentation, "resourceId", "Management group resource id".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...domain.resources import Declared
from ...domain.specs import Expansion, TypeSpec
from .ids import subscription_of

_GROUP = re.compile(r"/providers/microsoft\.management/managementgroups/[^/|]+", re.IGNORECASE)


def placed(declared: Declared) -> Declared:
    """Note where a resource lies: its id tells, in whatever case; of a link that is its first end."""
    for name in (declared.attributes.get("id"), declared.key):
        place = _place_of(name)
        if place is not None:
            return replace(declared, account=place)
    return declared


def with_places(specs: Mapping[str, TypeSpec]) -> dict[str, TypeSpec]:
    """Return rules by which a state's resources are placed as well."""
    return {name: replace(spec, expand=_placing(spec)) for name, spec in specs.items()}


def _placing(spec: TypeSpec) -> Expansion:
    inner = spec.expand

    def expand(declared: Declared) -> Iterable[Declared]:
        return (placed(item) for item in (inner(declared) if inner else (declared,)))

    return expand


def _place_of(name: object) -> str | None:
    group = _GROUP.match(str(name or ""))
    return subscription_of(name) or (group[0].lower() if group else None)
