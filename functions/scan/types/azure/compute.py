"""Machines, disks and clusters.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Compute and
Microsoft.ContainerService.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...domain.resources import Attributes, Declared, Parent
from ...domain.shapes import boolean, default_is, document, folded_text, list_of, number, set_of, string_map, text
from .ids import arm_id, key_of
from .mapping import IDENTITY, LOCATION, NOT_READ, PLACED, TAGS, Attribute, AzureType, at, ids, is_enabled, one_block

_OS = "properties.storageProfile.osDisk"
_MACHINE = {
    **PLACED,
    "allow_extension_operations": Attribute(boolean, "properties.osProfile.allowExtensionOperations", default=True),
    "availability_set_id": Attribute(arm_id, "properties.availabilitySet.id"),
    "encryption_at_host_enabled": Attribute(boolean, "properties.securityProfile.encryptionAtHost"),
    "identity": IDENTITY,
    "license_type": Attribute(default_is("None", text)),
    "network_interface_ids": Attribute(list_of(arm_id), "properties.networkProfile.networkInterfaces", ids),
    "os_disk": one_block(
        {
            "caching": Attribute(folded_text),
            "disk_encryption_set_id": Attribute(arm_id, "managedDisk.diskEncryptionSet.id"),
            "name": Attribute(text),
            "storage_account_type": Attribute(text, "managedDisk.storageAccountType"),
            "write_accelerator_enabled": Attribute(boolean),
        },
        _OS,
    ),
    "priority": Attribute(default_is("regular", folded_text)),
    "proximity_placement_group_id": Attribute(arm_id, "properties.proximityPlacementGroup.id"),
    "secure_boot_enabled": Attribute(boolean, "properties.securityProfile.uefiSettings.secureBootEnabled"),
    "size": Attribute(folded_text, "properties.hardwareProfile.vmSize"),
    "source_image_id": Attribute(arm_id, "properties.storageProfile.imageReference.id"),
    "vtpm_enabled": Attribute(boolean, "properties.securityProfile.uefiSettings.vTpmEnabled"),
}


def _is_os(word: str) -> Any:
    return lambda row: str(at(row, f"{_OS}.osType") or "").lower() == word


def machine_type(os_type: object) -> str:
    """Name the Terraform type of a machine by its operating system."""
    return "azurerm_windows_virtual_machine" if str(os_type).lower() == "windows" else "azurerm_linux_virtual_machine"


def disk_parent(row: Any) -> Parent | None:
    """Return the machine whose `os_disk` block describes a disk: Azure makes that disk with its machine."""
    machine, os_type = key_of(at(row, "managedBy")), at(row, "properties.osType")
    return Parent(machine_type(os_type), machine, "os_disk") if machine and os_type else None


_POOL_SIZE = {
    "max_count": Attribute(number),
    "min_count": Attribute(number),
    # The autoscaler sets the count: it is not what anybody declared then.
    "node_count": Attribute(
        number, "properties", lambda pool: NOT_READ if pool.get("enableAutoScaling") else pool.get("count")
    ),
}
_POOL: Mapping[str, Attribute] = {
    "auto_scaling_enabled": Attribute(boolean, "properties.enableAutoScaling"),
    "enable_auto_scaling": Attribute(boolean),
    "host_encryption_enabled": Attribute(boolean, "properties.enableEncryptionAtHost"),
    "max_pods": Attribute(number),
    "mode": Attribute(folded_text),
    "node_labels": Attribute(string_map),
    "node_public_ip_enabled": Attribute(boolean, "properties.enableNodePublicIP"),
    "node_taints": Attribute(list_of(text)),
    "os_disk_size_gb": Attribute(number, "properties.osDiskSizeGB"),
    "os_disk_type": Attribute(folded_text),
    "os_sku": Attribute(folded_text, "properties.osSKU"),
    "os_type": Attribute(folded_text),
    "priority": Attribute(default_is("regular", folded_text), "properties.scaleSetPriority"),
    "vm_size": Attribute(folded_text),
    "vnet_subnet_id": Attribute(arm_id, "properties.vnetSubnetID"),
    "zones": Attribute(set_of(text), "properties.availabilityZones"),
    **_POOL_SIZE,
}


def _with_default_pool(entry: Declared) -> Iterable[Declared]:
    """Put the default node pool, which is a block of its cluster, beside the cluster: Azure has it as any other pool."""
    yield entry
    pools = entry.attributes.get("default_node_pool")
    pool: Attributes | None = pools[0] if isinstance(pools, list) and pools and isinstance(pools[0], Mapping) else None
    if pool is None or entry.key is None or not pool.get("name"):
        return
    key = f"{entry.key}/agentpools/{str(pool['name']).lower()}"
    yield replace(entry, type="azurerm_kubernetes_cluster_node_pool", key=key, attributes=pool, parent=None)


def _aad(found: Any) -> object:
    if not at(found, "managed"):
        return []
    return [
        {
            "admin_group_object_ids": at(found, "adminGroupObjectIDs") or [],
            "azure_rbac_enabled": at(found, "enableAzureRBAC"),
        }
    ]


TYPES = (
    *(
        AzureType(
            f"azurerm_{word}_virtual_machine",
            "microsoft.compute/virtualmachines",
            {**_MACHINE, "zone": Attribute(text, "zones", lambda found: found[0] if found else None), **more},
            when=_is_os(word),
            aliases=("azurerm_virtual_machine",),
        )
        for word, more in (
            (
                "linux",
                {
                    "admin_username": Attribute(text, "properties.osProfile.adminUsername"),
                    "disable_password_authentication": Attribute(
                        boolean, "properties.osProfile.linuxConfiguration.disablePasswordAuthentication"
                    ),
                },
            ),
            (
                "windows",
                {
                    "admin_username": Attribute(text, "properties.osProfile.adminUsername"),
                    "enable_automatic_updates": Attribute(
                        boolean, "properties.osProfile.windowsConfiguration.enableAutomaticUpdates", default=True
                    ),
                },
            ),
        )
    ),
    AzureType(
        "azurerm_virtual_machine_extension",
        "microsoft.compute/virtualmachines/extensions",
        {
            "auto_upgrade_minor_version": Attribute(boolean),
            "automatic_upgrade_enabled": Attribute(boolean, "properties.enableAutomaticUpgrade"),
            "publisher": Attribute(text),
            "settings": Attribute(document),
            "tags": TAGS,
            "type": Attribute(text, "properties.type"),
            "type_handler_version": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_virtual_machine_data_disk_attachment",
        "",
        {
            "caching": Attribute(folded_text, "caching"),
            "lun": Attribute(number, "lun"),
            "managed_disk_id": Attribute(arm_id, "managedDisk.id"),
            "write_accelerator_enabled": Attribute(boolean, "writeAcceleratorEnabled"),
        },
    ),
    AzureType(
        "azurerm_managed_disk",
        "microsoft.compute/disks",
        {
            **PLACED,
            "create_option": Attribute(folded_text, "properties.creationData.createOption"),
            "disk_encryption_set_id": Attribute(arm_id, "properties.encryption.diskEncryptionSetId"),
            "disk_iops_read_write": Attribute(number, "properties.diskIOPSReadWrite"),
            "disk_mbps_read_write": Attribute(number, "properties.diskMBpsReadWrite"),
            "disk_size_gb": Attribute(number, "properties.diskSizeGB"),
            "network_access_policy": Attribute(default_is("allowall", folded_text)),
            "public_network_access_enabled": Attribute(
                boolean, "properties.publicNetworkAccess", is_enabled, default=True
            ),
            "storage_account_type": Attribute(text, "sku.name"),
            "zone": Attribute(text, "zones", lambda found: found[0] if found else None),
        },
    ),
    AzureType(
        "azurerm_snapshot",
        "microsoft.compute/snapshots",
        {
            **PLACED,
            "create_option": Attribute(folded_text, "properties.creationData.createOption"),
            "disk_size_gb": Attribute(number, "properties.diskSizeGB"),
            "incremental_enabled": Attribute(boolean, "properties.incremental"),
        },
    ),
    AzureType(
        "azurerm_availability_set",
        "microsoft.compute/availabilitysets",
        {
            **PLACED,
            "managed": Attribute(boolean, "sku.name", lambda found: str(found).lower() == "aligned"),
            "platform_fault_domain_count": Attribute(number),
            "platform_update_domain_count": Attribute(number),
        },
    ),
    AzureType("azurerm_proximity_placement_group", "microsoft.compute/proximityplacementgroups", PLACED),
    AzureType(
        "azurerm_ssh_public_key",
        "microsoft.compute/sshpublickeys",
        {**PLACED, "public_key": Attribute(lambda value: text(str(value or "").strip()))},
    ),
    AzureType(
        "azurerm_disk_encryption_set",
        "microsoft.compute/diskencryptionsets",
        {
            **PLACED,
            "auto_key_rotation_enabled": Attribute(boolean, "properties.rotationToLatestKeyVersionEnabled"),
            "encryption_type": Attribute(default_is("encryptionatrestwithcustomerkey", folded_text)),
            "identity": IDENTITY,
        },
    ),
    AzureType(
        "azurerm_kubernetes_cluster",
        "microsoft.containerservice/managedclusters",
        {
            **PLACED,
            "azure_active_directory_role_based_access_control": Attribute(
                lambda value: (
                    {
                        "admin_group_object_ids": set_of(folded_text)(value[0].get("admin_group_object_ids")),
                        "azure_rbac_enabled": boolean(value[0].get("azure_rbac_enabled")),
                    }
                    if isinstance(value, list) and value and isinstance(value[0], Mapping)
                    else None
                ),
                "properties.aadProfile",
                _aad,
            ),
            "api_server_access_profile": one_block(
                {"authorized_ip_ranges": Attribute(set_of(text), "authorizedIPRanges")},
                "properties.apiServerAccessProfile",
            ),
            "azure_policy_enabled": Attribute(boolean, "properties.addonProfiles.azurepolicy.enabled"),
            "dns_prefix": Attribute(text),
            "identity": IDENTITY,
            "local_account_disabled": Attribute(boolean, "properties.disableLocalAccounts"),
            "network_profile": one_block(
                {
                    "dns_service_ip": Attribute(text, "dnsServiceIP"),
                    "load_balancer_sku": Attribute(folded_text),
                    "network_plugin": Attribute(folded_text),
                    "network_policy": Attribute(folded_text),
                    "outbound_type": Attribute(folded_text),
                    "pod_cidr": Attribute(text),
                    "service_cidr": Attribute(text),
                }
            ),
            "node_resource_group": Attribute(folded_text),
            "oidc_issuer_enabled": Attribute(boolean, "properties.oidcIssuerProfile.enabled"),
            "private_cluster_enabled": Attribute(
                boolean, "properties.apiServerAccessProfile.enablePrivateCluster", default=False
            ),
            "role_based_access_control_enabled": Attribute(boolean, "properties.enableRBAC"),
            "sku_tier": Attribute(folded_text, "sku.tier"),
            "workload_identity_enabled": Attribute(boolean, "properties.securityProfile.workloadIdentity.enabled"),
        },
        expand=_with_default_pool,
    ),
    AzureType("azurerm_kubernetes_cluster_node_pool", "microsoft.containerservice/managedclusters/agentpools", _POOL),
    AzureType(
        "azurerm_container_registry",
        "microsoft.containerregistry/registries",
        {
            **PLACED,
            "admin_enabled": Attribute(boolean, "properties.adminUserEnabled"),
            "anonymous_pull_enabled": Attribute(boolean),
            "data_endpoint_enabled": Attribute(boolean),
            "identity": IDENTITY,
            "network_rule_bypass_option": Attribute(
                folded_text, "properties.networkRuleBypassOptions", default="AzureServices"
            ),
            "public_network_access_enabled": Attribute(
                boolean, "properties.publicNetworkAccess", is_enabled, default=True
            ),
            "sku": Attribute(folded_text, "sku.name"),
            "zone_redundancy_enabled": Attribute(boolean, "properties.zoneRedundancy", is_enabled),
        },
    ),
    AzureType(
        "azurerm_container_app_environment",
        "microsoft.app/managedenvironments",
        {
            "location": LOCATION,
            "tags": TAGS,
            "infrastructure_subnet_id": Attribute(arm_id, "properties.vnetConfiguration.infrastructureSubnetId"),
            "internal_load_balancer_enabled": Attribute(boolean, "properties.vnetConfiguration.internal"),
            "zone_redundancy_enabled": Attribute(boolean, "properties.zoneRedundant"),
        },
    ),
)
