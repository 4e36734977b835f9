"""The Azure type table: `SPECS` by Terraform type, `BY_ARM` by ARM type."""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.resources import Attributes
from ...domain.specs import TypeSpec, index
from . import (
    compute,
    containers,
    databases,
    dns,
    edges,
    identity,
    messaging,
    monitor,
    network,
    scale_sets,
    services,
    storage,
    web,
)
from .ids import arm_key
from .mapping import AzureType, Row

TYPES: tuple[AzureType, ...] = (
    *compute.TYPES,
    *containers.TYPES,
    *databases.TYPES,
    *dns.TYPES,
    *edges.TYPES,
    *identity.TYPES,
    *messaging.TYPES,
    *monitor.TYPES,
    *network.TYPES,
    *scale_sets.TYPES,
    *services.TYPES,
    *storage.TYPES,
    *web.TYPES,
)
SPECS: Mapping[str, TypeSpec] = index(item.spec for item in TYPES)
BY_TYPE: Mapping[str, AzureType] = {item.type: item for item in TYPES}
# Another provider's name for anything that ARM has; nothing of it is compared but that it is there.
ANYTHING = "azapi_resource"


def _by_arm() -> dict[str, tuple[AzureType, ...]]:
    found: dict[str, tuple[AzureType, ...]] = {}
    for item in TYPES:
        if item.arm:
            found[item.arm] = (*found.get(item.arm, ()), item)
    return found


BY_ARM: Mapping[str, tuple[AzureType, ...]] = _by_arm()


def _key_of_anything(attributes: Attributes) -> str | None:
    """Match what is read; of an ARM type that no reader reads nothing is known (`type` is `<ARM type>@<version>`)."""
    kind = str(attributes.get("type") or "").partition("@")[0].lower()
    return arm_key(attributes) if kind in BY_ARM else None


_OTHER_NAMES = sorted({name for item in TYPES for name in item.aliases})
DECLARABLE: Mapping[str, TypeSpec] = {
    ANYTHING: TypeSpec(ANYTHING, {}, key=_key_of_anything),
    **{name: TypeSpec(name, {}, key=arm_key) for name in _OTHER_NAMES},
    **SPECS,
}
"""With the types that are other names of a mapped one: nothing of them is compared but that the thing is there."""


def type_of(row: Row) -> AzureType | None:
    """Return the Terraform type of a resource, None for one that no mapping covers."""
    candidates = BY_ARM.get(str(row.get("type") or "").lower(), ())
    return next((item for item in candidates if item.when(row)), None)
