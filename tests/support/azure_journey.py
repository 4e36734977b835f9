"""A subscription of Azure with everything that a mapping covers, and what somebody does in it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

from . import azure_account
from .cloud_journeys import WHO, Found, Journey, Told, stand_in
from .cloud_scene import state_of

_GROUP = f"/subscriptions/{azure_account.SUBSCRIPTION}/resourceGroups/rg-app/providers"
_NSG = f"{_GROUP}/Microsoft.Network/networkSecurityGroups/nsg"
_STRAY: Mapping[str, Any] = {
    "id": f"{_GROUP}/Microsoft.Network/publicIPAddresses/Stray", "name": "Stray", "type": "microsoft.network/publicipaddresses",
    "location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}, "tags": {},
}  # fmt: skip


@cache
def _azure_estates() -> tuple[azure_account.Estate, ...]:
    """Return the fixtures that lie in one subscription."""
    names = (name for name in azure_account.names() if not name.startswith("documented_"))
    return tuple(azure_account.load(name) for name in names)


@dataclass
class AzureJourney(Journey):
    """A subscription with everything that a mapping covers."""

    permission: ClassVar[str] = "Microsoft.Network/networkSecurityGroups/read"
    rows: list[dict[str, Any]] = field(
        default_factory=lambda: [copy.deepcopy(row) for one in _azure_estates() for row in one.rows]
    )

    def wish(self) -> dict[str, Any]:
        auth = {
            "kind": "client_secret", "tenant_id": "11111111-0000-0000-0000-000000000001",
            "client_id": "11111111-0000-0000-0000-000000000002", "client_secret": "the-secret-of-the-app",
        }  # fmt: skip
        return {"provider": "azure", "name": "Shop", "external_account": azure_account.SUBSCRIPTION, "auth": auth}

    def state(self) -> bytes:
        return state_of((one["type"], one["attributes"]) for estate in _azure_estates() for one in estate.states)

    def deny(self) -> None:
        lists: dict[str, list[Any]] = {}
        for estate in _azure_estates():
            for path, items in estate.lists.items():
                lists.setdefault(path, []).extend(items)
        documents = {path: item for estate in _azure_estates() for path, item in estate.documents.items()}
        held = [{"actions": ["*/read"], "notActions": [self.permission]}]
        stand_in(self.estate, "azure", rows=self.rows, changes=[], lists=lists, documents=documents, permissions=held)

    def allow(self) -> None:
        stand_in(self.estate, "azure", permissions=[{"actions": ["*/read"], "notActions": []}])

    def plant(self) -> dict[Found, Told]:
        group = next(row for row in self.rows if row["id"] == _NSG)
        gone = next(row for row in self.rows if row["type"] == "microsoft.network/publicipprefixes")
        group["tags"] = {"team": "intruders"}
        self.rows = [*(row for row in self.rows if row is not gone), dict(_STRAY)]
        changes = [
            _change(group, "Update", {"tags.team": {"previousValue": None, "newValue": "intruders"}}),
            _change(gone, "Delete"),
            _change(_STRAY, "Create"),
        ]
        stand_in(self.estate, "azure", rows=self.rows, changes=changes)
        return {
            ("changed", "azurerm_network_security_group", "tags.team"): Told(),
            ("missing", "azurerm_public_ip_prefix", gone["id"].lower()): Told(),
            ("unmanaged", "azurerm_public_ip", _STRAY["id"].lower()): Told(import_id=_STRAY["id"]),
        }

    def heal(self) -> set[Found]:
        next(row for row in self.rows if row["id"] == _NSG)["tags"] = {}
        stand_in(self.estate, "azure", rows=self.rows)
        return {("changed", "azurerm_network_security_group", "tags.team")}


def _change(row: Mapping[str, Any], kind: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a record of what happened to a resource.

    Source: https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
    """
    target = row["id"]
    return {
        "id": f"{target}/providers/Microsoft.Resources/changes/{kind}",
        "type": "microsoft.resources/changes",
        "properties": {
            "targetResourceId": target,
            "targetResourceType": row["type"],
            "changeType": kind,
            "changeAttributes": {
                "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", "changedBy": WHO, "changedByType": "User",
                "clientType": "Azure Portal", "operation": f"{row['type']}/write", "changesCount": len(changes or {}),
            },
            "changes": dict(changes or {}),
        },
    }  # fmt: skip
