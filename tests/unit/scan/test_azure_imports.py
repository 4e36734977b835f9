"""Taking over what runs in Azure: each type's import id in its documented form, whatever case Azure answers in."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions.scan.domain.resources import LiveResource
from functions.scan.fixing.importing import build_import
from functions.scan.readers.azure.client import Arm
from functions.scan.readers.azure.reading import read_subscription
from functions.scan.types.azure import TYPES
from functions.scan.types.azure.imports import spelled
from functions.scan.types.import_rules import Source
from tests.support.azure_account import SUBSCRIPTION, AzureAccount, load, names

_S = f"/subscriptions/{SUBSCRIPTION}"
_NET = "/resourceGroups/*/providers/Microsoft.Network/"
_RECORDS = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT")
_SETS = "/resourceGroups/*/providers/Microsoft.Compute/virtualMachineScaleSets/*"
# Section "Import" of each page (registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources), below the subscription;
# a star stands for a name. What begins with a bar is the other end of a link.
DOCUMENTED = {
    "azurerm_api_management": "/resourceGroups/*/providers/Microsoft.ApiManagement/service/*",
    "azurerm_app_configuration": "/resourceGroups/*/providers/Microsoft.AppConfiguration/configurationStores/*",
    "azurerm_application_insights": "/resourceGroups/*/providers/Microsoft.Insights/components/*",
    "azurerm_application_security_group": f"{_NET}applicationSecurityGroups/*",
    "azurerm_automation_account": "/resourceGroups/*/providers/Microsoft.Automation/automationAccounts/*",
    "azurerm_availability_set": "/resourceGroups/*/providers/Microsoft.Compute/availabilitySets/*",
    "azurerm_bastion_host": f"{_NET}bastionHosts/*",
    "azurerm_cognitive_account": "/resourceGroups/*/providers/Microsoft.CognitiveServices/accounts/*",
    "azurerm_container_app_environment": "/resourceGroups/*/providers/Microsoft.App/managedEnvironments/*",
    "azurerm_container_registry": "/resourceGroups/*/providers/Microsoft.ContainerRegistry/registries/*",
    "azurerm_cosmosdb_account": "/resourceGroups/*/providers/Microsoft.DocumentDB/databaseAccounts/*",
    "azurerm_data_factory": "/resourceGroups/*/providers/Microsoft.DataFactory/factories/*",
    "azurerm_databricks_workspace": "/resourceGroups/*/providers/Microsoft.Databricks/workspaces/*",
    "azurerm_disk_encryption_set": "/resourceGroups/*/providers/Microsoft.Compute/diskEncryptionSets/*",
    **{f"azurerm_dns_{kind.lower()}_record": f"{_NET}dnsZones/*/{kind}/*" for kind in _RECORDS},
    "azurerm_dns_zone": f"{_NET}dnsZones/*",
    "azurerm_eventgrid_topic": "/resourceGroups/*/providers/Microsoft.EventGrid/topics/*",
    "azurerm_eventhub": "/resourceGroups/*/providers/Microsoft.EventHub/namespaces/*/eventhubs/*",
    "azurerm_eventhub_namespace": "/resourceGroups/*/providers/Microsoft.EventHub/namespaces/*",
    "azurerm_federated_identity_credential": "/resourceGroups/*/providers/Microsoft.ManagedIdentity/userAssignedIdentities/*"
    "/federatedIdentityCredentials/*",
    "azurerm_firewall": f"{_NET}azureFirewalls/*",
    "azurerm_ip_group": f"{_NET}ipGroups/*",
    "azurerm_key_vault": "/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*",
    "azurerm_key_vault_access_policy": "/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*/objectId/*",
    "azurerm_kubernetes_cluster": "/resourceGroups/*/providers/Microsoft.ContainerService/managedClusters/*",
    "azurerm_kubernetes_cluster_node_pool": "/resourceGroups/*/providers/Microsoft.ContainerService/managedClusters/*/agentPools/*",
    "azurerm_lb": f"{_NET}loadBalancers/*",
    "azurerm_lb_backend_address_pool": f"{_NET}loadBalancers/*/backendAddressPools/*",
    "azurerm_lb_probe": f"{_NET}loadBalancers/*/probes/*",
    "azurerm_lb_rule": f"{_NET}loadBalancers/*/loadBalancingRules/*",
    "azurerm_linux_function_app": "/resourceGroups/*/providers/Microsoft.Web/sites/*",
    "azurerm_linux_virtual_machine": "/resourceGroups/*/providers/Microsoft.Compute/virtualMachines/*",
    "azurerm_linux_virtual_machine_scale_set": _SETS,
    "azurerm_linux_web_app": "/resourceGroups/*/providers/Microsoft.Web/sites/*",
    "azurerm_local_network_gateway": f"{_NET}localNetworkGateways/*",
    "azurerm_log_analytics_workspace": "/resourceGroups/*/providers/Microsoft.OperationalInsights/workspaces/*",
    "azurerm_logic_app_standard": "/resourceGroups/*/providers/Microsoft.Web/sites/*",
    "azurerm_managed_disk": "/resourceGroups/*/providers/Microsoft.Compute/disks/*",
    "azurerm_management_lock": "/resourceGroups/*/providers/Microsoft.Authorization/locks/*",
    "azurerm_monitor_action_group": "/resourceGroups/*/providers/Microsoft.Insights/actionGroups/*",
    "azurerm_monitor_metric_alert": "/resourceGroups/*/providers/Microsoft.Insights/metricAlerts/*",
    "azurerm_monitor_smart_detector_alert_rule": "/resourceGroups/*/providers/Microsoft.AlertsManagement/smartDetectorAlertRules/*",
    "azurerm_mssql_database": "/resourceGroups/*/providers/Microsoft.Sql/servers/*/databases/*",
    "azurerm_mssql_elasticpool": "/resourceGroups/*/providers/Microsoft.Sql/servers/*/elasticPools/*",
    "azurerm_mssql_firewall_rule": "/resourceGroups/*/providers/Microsoft.Sql/servers/*/firewallRules/*",
    "azurerm_mssql_server": "/resourceGroups/*/providers/Microsoft.Sql/servers/*",
    "azurerm_mysql_flexible_server": "/resourceGroups/*/providers/Microsoft.DBforMySQL/flexibleServers/*",
    "azurerm_nat_gateway": f"{_NET}natGateways/*",
    "azurerm_nat_gateway_public_ip_association": f"{_NET}natGateways/*|{_S}{_NET}publicIPAddresses/*",
    "azurerm_network_ddos_protection_plan": f"{_NET}ddosProtectionPlans/*",
    "azurerm_network_interface": f"{_NET}networkInterfaces/*",
    "azurerm_network_interface_security_group_association": f"{_NET}networkInterfaces/*|{_S}{_NET}networkSecurityGroups/*",
    "azurerm_network_security_group": f"{_NET}networkSecurityGroups/*",
    "azurerm_network_security_rule": f"{_NET}networkSecurityGroups/*/securityRules/*",
    "azurerm_network_watcher": f"{_NET}networkWatchers/*",
    "azurerm_orchestrated_virtual_machine_scale_set": _SETS,
    "azurerm_postgresql_flexible_server": "/resourceGroups/*/providers/Microsoft.DBforPostgreSQL/flexibleServers/*",
    "azurerm_private_dns_zone": f"{_NET}privateDnsZones/*",
    "azurerm_private_dns_zone_virtual_network_link": f"{_NET}privateDnsZones/*/virtualNetworkLinks/*",
    "azurerm_private_endpoint": f"{_NET}privateEndpoints/*",
    "azurerm_proximity_placement_group": "/resourceGroups/*/providers/Microsoft.Compute/proximityPlacementGroups/*",
    "azurerm_public_ip": f"{_NET}publicIPAddresses/*",
    "azurerm_public_ip_prefix": f"{_NET}publicIPPrefixes/*",
    "azurerm_recovery_services_vault": "/resourceGroups/*/providers/Microsoft.RecoveryServices/vaults/*",
    "azurerm_redis_cache": "/resourceGroups/*/providers/Microsoft.Cache/redis/*",
    "azurerm_resource_group": "/resourceGroups/*",
    "azurerm_role_assignment": "/providers/Microsoft.Authorization/roleAssignments/*",
    "azurerm_role_definition": f"/providers/Microsoft.Authorization/roleDefinitions/*|{_S}",
    "azurerm_route": f"{_NET}routeTables/*/routes/*",
    "azurerm_route_table": f"{_NET}routeTables/*",
    "azurerm_search_service": "/resourceGroups/*/providers/Microsoft.Search/searchServices/*",
    "azurerm_service_plan": "/resourceGroups/*/providers/Microsoft.Web/serverFarms/*",
    "azurerm_servicebus_namespace": "/resourceGroups/*/providers/Microsoft.ServiceBus/namespaces/*",
    "azurerm_servicebus_queue": "/resourceGroups/*/providers/Microsoft.ServiceBus/namespaces/*/queues/*",
    "azurerm_servicebus_topic": "/resourceGroups/*/providers/Microsoft.ServiceBus/namespaces/*/topics/*",
    "azurerm_snapshot": "/resourceGroups/*/providers/Microsoft.Compute/snapshots/*",
    "azurerm_ssh_public_key": "/resourceGroups/*/providers/Microsoft.Compute/sshPublicKeys/*",
    "azurerm_static_web_app": "/resourceGroups/*/providers/Microsoft.Web/staticSites/*",
    "azurerm_storage_account": "/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*",
    "azurerm_storage_account_network_rules": "/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*",
    "azurerm_storage_container": "/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*/blobServices/default/containers/*",
    "azurerm_subnet": f"{_NET}virtualNetworks/*/subnets/*",
    "azurerm_subnet_nat_gateway_association": f"{_NET}virtualNetworks/*/subnets/*",
    "azurerm_subnet_network_security_group_association": f"{_NET}virtualNetworks/*/subnets/*",
    "azurerm_subnet_route_table_association": f"{_NET}virtualNetworks/*/subnets/*",
    "azurerm_user_assigned_identity": "/resourceGroups/*/providers/Microsoft.ManagedIdentity/userAssignedIdentities/*",
    "azurerm_virtual_machine_data_disk_attachment": "/resourceGroups/*/providers/Microsoft.Compute/virtualMachines/*/dataDisks/*",
    "azurerm_virtual_machine_extension": "/resourceGroups/*/providers/Microsoft.Compute/virtualMachines/*/extensions/*",
    "azurerm_virtual_machine_scale_set_extension": f"{_SETS}/extensions/*",
    "azurerm_virtual_network": f"{_NET}virtualNetworks/*",
    "azurerm_virtual_network_peering": f"{_NET}virtualNetworks/*/virtualNetworkPeerings/*",
    "azurerm_windows_function_app": "/resourceGroups/*/providers/Microsoft.Web/sites/*",
    "azurerm_windows_virtual_machine": "/resourceGroups/*/providers/Microsoft.Compute/virtualMachines/*",
    "azurerm_windows_virtual_machine_scale_set": _SETS,
    "azurerm_windows_web_app": "/resourceGroups/*/providers/Microsoft.Web/sites/*",
}


@pytest.fixture(scope="module")
def live() -> dict[str, LiveResource]:
    """Return one resource of each type, as it is read."""
    rows: list[dict[str, Any]] = []
    lists: dict[str, list[dict[str, Any]]] = {}
    for name in names():
        estate = load(name)
        rows += estate.rows
        for path, items in estate.lists.items():
            lists.setdefault(path, []).extend(items)
    account = AzureAccount(rows, lists)
    found = read_subscription(Arm(account, account.clock), SUBSCRIPTION)
    elsewhere = (
        "/providers/providers/",
        "managementgroups",
    )  # a row as nobody sends it, and what lies above the subscription
    read = (one for one in found if isinstance(one, LiveResource))
    return {one.type: one for one in read if not any(word in one.cloud_id.lower() for word in elsewhere)}


def _shouted(arm_id: str) -> str:
    """Return an id as no service would write it: every word in capitals, names as they are."""
    parts = arm_id.split("/")
    for position in range(1, len(parts), 2):
        end = position + 2 if parts[position].lower() == "providers" else position + 1
        parts[position:end] = [word.upper() for word in parts[position:end]]
    return "/".join(parts)


def test_every_mapped_type_has_its_documented_form() -> None:
    assert set(DOCUMENTED) == {one.type for one in TYPES}


@pytest.mark.parametrize("kind", sorted(DOCUMENTED))
@pytest.mark.parametrize("is_shouted", [False, True], ids=["as-read", "in-capitals"])
def test_an_import_id_has_its_documented_form(live: dict[str, LiveResource], kind: str, is_shouted: bool) -> None:
    one = live[kind]
    cloud_id = _shouted(one.cloud_id) if is_shouted else one.cloud_id
    found = build_import(kind, Source(one.key, cloud_id, one.attributes, {}))
    form = re.escape(_S + DOCUMENTED[kind]).replace(r"\*", r"[^/|]+")
    assert re.fullmatch(form, found.id or ""), found.id
    assert found.configuration is None
    assert "-generate-config-out" in found.notes[0]


def test_names_stay_as_azure_writes_them() -> None:
    id_ = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/RG-App/providers/microsoft.network/publicipaddresses/Stray"
    found = build_import("azurerm_public_ip", Source(id_.lower(), id_, {}, {}))
    assert found.id == f"{_S}/resourceGroups/RG-App/providers/Microsoft.Network/publicIPAddresses/Stray"
    assert found.to == "azurerm_public_ip.stray"


def test_a_lock_names_what_it_is_on_in_the_documented_form_too() -> None:
    lock = f"{_S}/resourcegroups/a/providers/microsoft.keyvault/vaults/v/providers/microsoft.authorization/locks/l"
    assert spelled(lock) == (
        f"{_S}/resourceGroups/a/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/locks/l"
    )


def test_a_role_of_a_management_group_is_named_with_its_scope() -> None:
    scope = "/providers/microsoft.management/managementgroups/root"
    found = build_import("azurerm_role_definition", Source("guid", "x", {"assignable_scopes": [scope]}, {}))
    assert found.id == (
        "/providers/Microsoft.Authorization/roleDefinitions/guid|/providers/Microsoft.Management/managementGroups/root"
    )
    assert build_import("azurerm_role_definition", Source("guid", "x", {}, {})).id is None


def test_what_no_mapping_covers_says_how_to_go_on() -> None:
    found = build_import("azurerm_maps_accounts", Source("/x", "/x", {}, {}))
    assert (found.id, found.configuration) == (None, None)
    assert "says what its import id is" in found.notes[0]
