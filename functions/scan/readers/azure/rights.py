"""What the caller may read. Resource Graph leaves out what somebody may not see and says nothing: silence must not read as "gone".

Source: Azure REST API, "Permissions"; Azure RBAC documentation, "Understand Azure role definitions" (wildcards, NotActions);
Azure Resource Graph documentation, "Permissions in Azure Resource Graph".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .client import Arm, CallFailed

RIGHT = "Microsoft.Authorization/permissions/read"
SCALERS = "Microsoft.Insights/autoscaleSettings/read"
"""Without it nobody knows whose number of machines an autoscaler moves, so that is compared of none."""
READS_RECORDS = "Microsoft.Network/dnsZones/recordsets/read"
_MOST_PATTERN = 300


@dataclass(frozen=True, slots=True)
class Rights:
    """The permissions of all the caller's roles in one subscription.

    Attributes:
        granted: of each role, the actions that it gives and those that it leaves out.
    """

    granted: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def may(self, action: str) -> bool:
        """Say whether any role allows an action."""
        return any(_fits(action, actions) and not _fits(action, excluded) for actions, excluded in self.granted)


def read_rights(arm: Arm, subscription: str) -> Rights:
    """Ask for the caller's permissions.

    Raises:
        CallFailed: Azure does not tell, so nothing that is not seen may be called missing.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    found = []
    for item in arm.listed(path, RIGHT):
        actions, excluded = item.get("actions"), item.get("notActions")
        found.append((_texts(actions), _texts(excluded)))
    if not found:
        raise CallFailed(
            "access_denied", "no role is assigned on the subscription", "Microsoft.Resources/subscriptions/read"
        )
    return Rights(tuple(found))


def reads(arm_type: str) -> str:
    """Name the action that reads an ARM type: `microsoft.network/virtualnetworks` by `Microsoft.Network/virtualNetworks/read`."""
    return _SPELLED.get(arm_type, arm_type) + "/read"


def unreadable(rights: Rights, arm_types: Iterable[str]) -> dict[str, list[str]]:
    """Return the actions that are missing, each with the ARM types that it would read."""
    found: dict[str, list[str]] = {}
    for arm_type in arm_types:
        action = reads(arm_type)
        if not rights.may(action):
            found.setdefault(action, []).append(arm_type)
    return found


# Azure compares actions without case; people look them up as the documentation writes them.
_SPELLED = {
    "microsoft.resources/subscriptions/resourcegroups": "Microsoft.Resources/subscriptions/resourceGroups",
    "microsoft.network/virtualnetworks": "Microsoft.Network/virtualNetworks",
    "microsoft.network/networksecuritygroups": "Microsoft.Network/networkSecurityGroups",
    "microsoft.storage/storageaccounts": "Microsoft.Storage/storageAccounts",
    "microsoft.compute/virtualmachines": "Microsoft.Compute/virtualMachines",
    "microsoft.keyvault/vaults": "Microsoft.KeyVault/vaults",
    "microsoft.authorization/roleassignments": "Microsoft.Authorization/roleAssignments",
    "microsoft.authorization/roledefinitions": "Microsoft.Authorization/roleDefinitions",
    "microsoft.containerservice/managedclusters": "Microsoft.ContainerService/managedClusters",
}


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or any(len(str(item)) > _MOST_PATTERN for item in value):
        raise CallFailed("malformed", "Azure told permissions in another form")
    return tuple(str(item) for item in value)


def _fits(action: str, patterns: Sequence[str]) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.lower().split("*"))), action.lower()) is not None
        for pattern in patterns
    )
