"""How each Azure type is imported: by its ARM id, with the words in it spelled as the provider's documentation does.

The provider takes `resourceGroups` and refuses `resourcegroups`, while Azure answers in whatever case a service likes; names are left as
Azure writes them. Source: Terraform AzureRM provider 4, section "Import" of each resource. Must not do I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..import_rules import ImportRule, Source
from . import BY_TYPE
from .dns import RECORDS

_WORDS: Final = [
    "subscriptions",
    "resourceGroups",
    "providers",
    "managementGroups",
    "Microsoft.Management",
    "Microsoft.AlertsManagement",
    "smartDetectorAlertRules",
    "Microsoft.ApiManagement",
    "service",
    "Microsoft.App",
    "managedEnvironments",
    "Microsoft.AppConfiguration",
    "configurationStores",
    "Microsoft.Authorization",
    "locks",
    "roleAssignments",
    "roleDefinitions",
    "Microsoft.Automation",
    "automationAccounts",
    "Microsoft.Cache",
    "redis",
    "Microsoft.CognitiveServices",
    "accounts",
    "Microsoft.Compute",
    "availabilitySets",
    "disks",
    "diskEncryptionSets",
    "proximityPlacementGroups",
    "snapshots",
    "sshPublicKeys",
    "virtualMachines",
    "virtualMachineScaleSets",
    "dataDisks",
    "extensions",
    "Microsoft.ContainerRegistry",
    "registries",
    "Microsoft.ContainerService",
    "managedClusters",
    "agentPools",
    "Microsoft.DataFactory",
    "factories",
    "Microsoft.Databricks",
    "workspaces",
    "Microsoft.DBforMySQL",
    "Microsoft.DBforPostgreSQL",
    "flexibleServers",
    "Microsoft.DocumentDB",
    "databaseAccounts",
    "Microsoft.EventGrid",
    "topics",
    "Microsoft.EventHub",
    "namespaces",
    "eventhubs",
    "Microsoft.Insights",
    "actionGroups",
    "components",
    "metricAlerts",
    "Microsoft.KeyVault",
    "vaults",
    "objectId",
    "applicationId",
    "Microsoft.ManagedIdentity",
    "userAssignedIdentities",
    "federatedIdentityCredentials",
    "Microsoft.Network",
    "applicationSecurityGroups",
    "azureFirewalls",
    "bastionHosts",
    "ddosProtectionPlans",
    "dnsZones",
    *(kind.upper() for kind in RECORDS),
    "ipGroups",
    "loadBalancers",
    "backendAddressPools",
    "probes",
    "loadBalancingRules",
    "localNetworkGateways",
    "natGateways",
    "networkInterfaces",
    "networkSecurityGroups",
    "securityRules",
    "networkWatchers",
    "privateDnsZones",
    "virtualNetworkLinks",
    "privateEndpoints",
    "publicIPAddresses",
    "publicIPPrefixes",
    "routeTables",
    "routes",
    "virtualNetworks",
    "subnets",
    "virtualNetworkPeerings",
    "Microsoft.OperationalInsights",
    "Microsoft.RecoveryServices",
    "Microsoft.Search",
    "searchServices",
    "Microsoft.ServiceBus",
    "queues",
    "Microsoft.Sql",
    "servers",
    "databases",
    "elasticPools",
    "firewallRules",
    "Microsoft.Storage",
    "storageAccounts",
    "blobServices",
    "containers",
    "Microsoft.Web",
    "serverFarms",
    "sites",
    "staticSites",
]
_SPELLED: Final = {word.lower(): word for word in _WORDS}


def spelled(arm_id: str) -> str:
    """Spell the words of an ARM id as the provider's documentation does; names stay as they are."""
    parts = arm_id.rstrip("/").split("/")
    for position in range(1, len(parts), 2):
        parts[position] = _SPELLED.get(parts[position].lower(), parts[position])
        if parts[position] == "providers" and position + 1 < len(parts):
            parts[position + 1] = _SPELLED.get(parts[position + 1].lower(), parts[position + 1])
    return "/".join(parts)


def rule_of(type_name: str) -> ImportRule | None:
    """Return the rule of a mapped type; None for others, whose Terraform type is not known."""
    return ImportRule(_OTHER.get(type_name, _own)) if type_name in BY_TYPE else None


def _own(source: Source) -> str | None:
    return spelled(source.cloud_id) if source.cloud_id.startswith("/") else None


def _below(source: Source) -> str | None:
    """Return the id of what is kept inside another resource: as that one is written, and then as the match key has it."""
    owner, key = source.cloud_id.rstrip("/"), source.key
    return spelled(owner + key[len(owner) :]) if key.startswith(owner.lower()) else None


def _linked(source: Source) -> str | None:
    """Return both ends of a link; of the second one the names are known in lower case only."""
    second = source.part(1)
    return f"{spelled(source.cloud_id)}|{spelled(second)}" if second.startswith("/") else None


def _role(source: Source) -> str | None:
    """Return the id of a role with the scope that it is defined at: the first of those that it may be given at."""
    scopes: Any = source.attributes.get("assignable_scopes") or ()
    if not scopes:
        return None
    scope = spelled(str(next(iter(scopes))))
    at = scope if scope.startswith("/subscriptions/") else ""
    return f"{at}/providers/Microsoft.Authorization/roleDefinitions/{source.key}|{scope}"


_OTHER: Final[Mapping[str, Callable[[Source], str | None]]] = {
    "azurerm_virtual_machine_data_disk_attachment": _below,
    "azurerm_virtual_machine_scale_set_extension": _below,
    "azurerm_kubernetes_cluster_node_pool": _below,
    "azurerm_key_vault_access_policy": _below,
    "azurerm_network_interface_security_group_association": _linked,
    "azurerm_nat_gateway_public_ip_association": _linked,
    "azurerm_role_definition": _role,
}
