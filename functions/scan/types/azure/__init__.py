"""The Azure type table: `SPECS` by Terraform type, `BY_ARM` by ARM type."""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.specs import TypeSpec, index
from . import compute, data, identity, network, services
from .ids import arm_key
from .mapping import AzureType, Row

TYPES: tuple[AzureType, ...] = (
    *compute.TYPES,
    *data.TYPES,
    *identity.TYPES,
    *network.TYPES,
    *services.TYPES,
)
SPECS: Mapping[str, TypeSpec] = index(item.spec for item in TYPES)
BY_TYPE: Mapping[str, AzureType] = {item.type: item for item in TYPES}
# Another provider's name for anything that ARM has; nothing of it is compared but that it is there.
ANYTHING = "azapi_resource"
_OTHER_NAMES = sorted({name for item in TYPES for name in item.aliases} | {ANYTHING})
DECLARABLE: Mapping[str, TypeSpec] = {**{name: TypeSpec(name, {}, key=arm_key) for name in _OTHER_NAMES}, **SPECS}


def _by_arm() -> dict[str, tuple[AzureType, ...]]:
    found: dict[str, tuple[AzureType, ...]] = {}
    for item in TYPES:
        if item.arm:
            found[item.arm] = (*found.get(item.arm, ()), item)
    return found


BY_ARM: Mapping[str, tuple[AzureType, ...]] = _by_arm()


def type_of(row: Row) -> AzureType | None:
    """Return the Terraform type of a resource, None for one that no mapping covers."""
    candidates = BY_ARM.get(str(row.get("type") or "").lower(), ())
    return next((item for item in candidates if item.when(row)), None)
