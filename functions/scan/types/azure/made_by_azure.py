"""What Azure makes by itself: nobody declared it, so it is never reported as unmanaged.

Names alone never decide where anybody could choose them: a group counts as a service's own when ARM says that a service manages it.
Source: AKS documentation, "Why are two resource groups created with AKS" (and `managedBy` of resource groups); Network Watcher
documentation, "Enable or disable Azure Network Watcher" (NetworkWatcherRG); Azure Monitor documentation, "Smart detection",
"Default Log Analytics workspace"; Azure Private Link documentation, "Private endpoint properties" (its interface).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping

from .ids import group_of, key_of, subscription_of
from .mapping import Row, at

_WATCHERS = "networkwatcherrg"
_DEFAULTS = re.compile(r"/resourcegroups/defaultresourcegroup-[a-z0-9]{2,20}(?:/|$)")
_SMART = "application insights smart detection"


def _name(row: Row) -> str:
    return str(row.get("name") or "").lower()


def _watcher(row: Row) -> bool:
    in_group = (group_of(row.get("id")) or "").endswith(f"/{_WATCHERS}")
    return in_group and _name(row).startswith("networkwatcher_")


def _default_workspace(row: Row) -> bool:
    return bool(_DEFAULTS.search(key_of(row.get("id")) or "")) and _name(row).startswith("defaultworkspace-")


def _group(row: Row) -> bool:
    key = key_of(row.get("id")) or ""
    return bool(row.get("managedBy")) or _name(row) == _WATCHERS or bool(_DEFAULTS.search(key))


_RULES: Mapping[str, Callable[[Row], bool]] = {
    "microsoft.alertsmanagement/smartdetectoralertrules": lambda row: _name(row).startswith("failure anomalies"),
    "microsoft.insights/actiongroups": lambda row: _name(row) == _SMART,
    "microsoft.network/dnszones/ns": lambda row: _name(row) == "@",  # the zone's own, which it was delegated by
    "microsoft.network/networkinterfaces": lambda row: at(row, "properties.privateEndpoint.id") is not None,
    "microsoft.network/networkwatchers": _watcher,
    "microsoft.operationalinsights/workspaces": _default_workspace,
    "microsoft.resources/subscriptions/resourcegroups": _group,
    "microsoft.sql/servers/databases": lambda row: _name(row) == "master",
    "microsoft.storage/storageaccounts/blobservices/containers": lambda row: _name(row).startswith("$"),
}


def managed_group(row: Row) -> str | None:
    """Return the key of a resource group that a service manages (AKS nodes, Databricks), None for any other."""
    return key_of(row.get("id")) if row.get("managedBy") else None


def is_instance(machine: object, scale_set: object) -> bool:
    """Say whether a flexible scale set made a machine: ARM says to which it belongs, and it carries that one's name.

    Source: Virtual Machine Scale Sets documentation, "Orchestration modes" (the names of instances).
    """
    name, owner = ((key_of(value) or "").rpartition("/")[2] for value in (machine, scale_set))
    return bool(owner) and re.fullmatch(re.escape(owner) + "_[0-9a-f]{8}", name) is not None


def _machine_of(row: Row) -> str | None:
    """Return the machine that a resource is, or hangs on."""
    kind = str(row.get("type") or "").lower()
    where = {
        "microsoft.compute/virtualmachines": "id",
        "microsoft.compute/disks": "managedBy",
        "microsoft.network/networkinterfaces": "properties.virtualMachine.id",
    }.get(kind)
    return key_of(at(row, where)) if where else None


def is_made_by_azure(row: Row, subscription: str, managed: Container[str]) -> bool:
    """Say whether Azure made a resource.

    A role assignment from outside of the subscription (inherited from a management group) is not this subscription's to declare either.

    Args:
        row: the resource.
        subscription: the one that is read.
        managed: keys of the resource groups that services manage, and of the machines that scale sets made.
    """
    kind = str(row.get("type") or "").lower()
    where = at(row, "properties.scope") if kind == "microsoft.authorization/roleassignments" else row.get("id")
    if (group_of(where) or "") in managed or (_machine_of(row) or "") in managed:
        return True
    if kind == "microsoft.authorization/roleassignments":
        return subscription_of(where) != subscription.lower()
    rule = _RULES.get(kind)
    return rule is not None and rule(row)
