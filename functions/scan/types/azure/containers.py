"""Clusters, registries and environments of containers.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference,
Microsoft.ContainerService, Microsoft.ContainerRegistry and Microsoft.App.
Longer than others: a cluster and its pools share most of their attributes, and are told in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...domain.resources import Attributes as StateAttributes
from ...domain.resources import Declared
from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    folded_text,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    text,
)
from .ids import arm_id
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    Attribute,
    Attributes,
    AzureType,
    at,
    enabled,
    flag,
    inverted,
    named_blocks,
    one_block,
    reference,
    tags,
    word,
)

_CRITICAL = "criticaladdonsonly=true:noschedule"


def _count(pool: Any) -> object:
    """Write how many nodes a pool has; the autoscaler sets it: it is not what anybody declared then."""
    return NOT_READ if at(pool, "enableAutoScaling") else at(pool, "count")


def _upgrades_itself(cluster: Any) -> bool:
    return str(at(cluster, "autoUpgradeProfile.upgradeChannel") or "none").lower() != "none"


def _pool_version(row: Any) -> object:
    """Write the version of a pool; with a cluster that upgrades itself it is another one than anybody declared."""
    asked, current = at(row, "properties.orchestratorVersion"), at(row, "properties.currentOrchestratorVersion")
    return NOT_READ if _upgrades_itself(row) else asked or current


def _is_for_addons(found: Any) -> object:
    return any(str(item).lower() == _CRITICAL for item in found)


def _surge(value: object) -> Canonical:
    """How many nodes an upgrade adds or takes away; none of them is the same as not said."""
    found = text(value)
    return None if found in {"0", "0%"} else found


_POOL: Attributes = {
    "auto_scaling_enabled": flag("properties.enableAutoScaling"),
    "capacity_reservation_group_id": reference("properties.capacityReservationGroupID"),
    "enable_auto_scaling": Attribute(boolean),
    "enable_host_encryption": flag("properties.enableEncryptionAtHost"),
    "enable_node_public_ip": flag("properties.enableNodePublicIP"),
    "eviction_policy": word("properties.scaleSetEvictionPolicy"),
    "fips_enabled": flag("properties.enableFIPS"),
    "gpu_instance": word("properties.gpuInstanceProfile"),
    "host_encryption_enabled": flag("properties.enableEncryptionAtHost"),
    "host_group_id": reference("properties.hostGroupID"),
    "kubelet_disk_type": word(default=NOT_READ),
    "max_count": Attribute(number_or_zero),
    "max_pods": Attribute(number),
    "min_count": Attribute(number_or_zero),
    "mode": Attribute(folded_text),
    "node_count": Attribute(number, "properties", _count),
    "node_labels": Attribute(string_map),
    "node_public_ip_enabled": flag("properties.enableNodePublicIP"),
    "node_public_ip_prefix_id": reference("properties.nodePublicIPPrefixID"),
    "node_taints": Attribute(list_of(text)),
    "only_critical_addons_enabled": Attribute(boolean, "properties.nodeTaints", _is_for_addons),
    "orchestrator_version": Attribute(text, "", _pool_version),
    "os_disk_size_gb": Attribute(number, "properties.osDiskSizeGB"),
    "os_disk_type": Attribute(folded_text),
    "os_sku": word("properties.osSKU"),
    "os_type": Attribute(folded_text),
    "pod_subnet_id": reference("properties.podSubnetID"),
    "priority": word("properties.scaleSetPriority", unset="regular"),
    "proximity_placement_group_id": reference("properties.proximityPlacementGroupID"),
    "scale_down_mode": word(unset="delete"),
    "snapshot_id": reference("properties.creationData.sourceResourceId"),
    "spot_max_price": Attribute(default_is(-1, number)),
    "tags": Attribute(tags),
    "ultra_ssd_enabled": flag("properties.enableUltraSSD"),
    "upgrade_settings": Attribute(
        block(
            {
                "drain_timeout_in_minutes": number_or_zero,
                "max_surge": _surge,
                "max_unavailable": _surge,
                "node_soak_duration_in_minutes": number_or_zero,
                "undrainable_node_behavior": folded_text,
            }
        ),
        "properties.upgradeSettings",
        lambda found: (
            [
                {
                    "drain_timeout_in_minutes": at(found, "drainTimeoutInMinutes"),
                    "max_surge": at(found, "maxSurge"),
                    "max_unavailable": at(found, "maxUnavailable"),
                    "node_soak_duration_in_minutes": at(found, "nodeSoakDurationInMinutes"),
                    "undrainable_node_behavior": at(found, "undrainableNodeBehavior"),
                }
            ]
            if found
            else []
        ),
    ),
    "vm_size": Attribute(folded_text),
    "vnet_subnet_id": reference("properties.vnetSubnetID"),
    "workload_runtime": word(default=NOT_READ),
    "zones": Attribute(set_of(text), "properties.availabilityZones"),
}


def _with_default_pool(entry: Declared) -> Iterable[Declared]:
    """Put the default node pool, which is a block of its cluster, beside the cluster: Azure has it as any other pool."""
    yield entry
    pools = entry.attributes.get("default_node_pool")
    first = pools[0] if isinstance(pools, list) and pools else None
    pool: StateAttributes | None = first if isinstance(first, Mapping) else None
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


def rights_by_directory(value: object) -> Canonical:
    """Who rules a cluster by Entra ID; a block with nothing in it still turns that on."""
    item = value[0] if isinstance(value, list) and value else None
    return members({"admin_group_object_ids": set_of(folded_text), "azure_rbac_enabled": boolean})(item)


def _version(found: Any) -> object:
    """Write the version of a cluster; one that upgrades itself has another one than anybody declared."""
    return NOT_READ if _upgrades_itself(found) else at(found, "kubernetesVersion")


_ADDONS = "properties.addonProfiles"


def _secrets_provider(found: Any) -> object:
    if not at(found, "enabled"):
        return []
    rotates = str(at(found, "config.enableSecretRotation") or "").lower() == "true"
    return [{"secret_rotation_enabled": rotates, "secret_rotation_interval": at(found, "config.rotationPollInterval")}]


def secrets_provider(value: object) -> Canonical:
    """The add-on that brings secrets of a vault into a cluster; a block with the usual settings still turns it on."""
    item = value[0] if isinstance(value, list) and value else None
    return members({"secret_rotation_enabled": boolean, "secret_rotation_interval": default_is("2m", text)})(item)


def _monitoring(found: Any) -> object:
    if not at(found, "enabled"):
        return []
    by_identity = str(at(found, "config.useAADAuth") or "").lower() == "true"
    return [
        {
            "log_analytics_workspace_id": at(found, "config.logAnalyticsWorkspaceResourceID"),
            "msi_auth_for_monitoring_enabled": by_identity,
        }
    ]


def _defender(found: Any) -> object:
    if not at(found, "securityMonitoring.enabled"):
        return []
    return [{"log_analytics_workspace_id": at(found, "logAnalyticsWorkspaceResourceId")}]


_STORAGE_DRIVERS = {
    "blob_driver_enabled": ("blobCSIDriver", False),
    "disk_driver_enabled": ("diskCSIDriver", True),
    "file_driver_enabled": ("fileCSIDriver", True),
    "snapshot_controller_enabled": ("snapshotController", True),
}


def _drivers(found: Any) -> object:
    return [{name: at(found, f"{member}.enabled") for name, (member, _) in _STORAGE_DRIVERS.items()}]


def storage_drivers(value: object) -> Canonical:
    """Which drivers of storage a cluster has; without a block it has the usual ones."""
    item = value[0] if isinstance(value, list) and value else None
    found = item if isinstance(item, Mapping) else {}
    return {
        name: usual if found.get(name) is None else boolean(found.get(name))
        for name, (_, usual) in _STORAGE_DRIVERS.items()
    }


_SCALER: Mapping[str, str] = {
    "balance_similar_node_groups": "balance-similar-node-groups",
    "empty_bulk_delete_max": "max-empty-bulk-delete",
    "expander": "expander",
    "max_graceful_termination_sec": "max-graceful-termination-sec",
    "max_node_provisioning_time": "max-node-provision-time",
    "max_unready_nodes": "ok-total-unready-count",
    "max_unready_percentage": "max-total-unready-percentage",
    "new_pod_scale_up_delay": "new-pod-scale-up-delay",
    "scale_down_delay_after_add": "scale-down-delay-after-add",
    "scale_down_delay_after_delete": "scale-down-delay-after-delete",
    "scale_down_delay_after_failure": "scale-down-delay-after-failure",
    "scale_down_unneeded": "scale-down-unneeded-time",
    "scale_down_unready": "scale-down-unready-time",
    "scale_down_utilization_threshold": "scale-down-utilization-threshold",
    "scan_interval": "scan-interval",
    "skip_nodes_with_local_storage": "skip-nodes-with-local-storage",
    "skip_nodes_with_system_pods": "skip-nodes-with-system-pods",
}


def _setting(value: object) -> Canonical:
    """A setting of the autoscaler: ARM writes numbers and flags as texts."""
    return str(value).lower() if isinstance(value, bool) else folded_text(number(value))


_BALANCER: Attributes = {
    "idle_timeout_in_minutes": Attribute(lambda value: None if number(value) in (0, 30) else number(value)),
    "managed_outbound_ip_count": Attribute(number_or_zero, "managedOutboundIPs.count"),
    "outbound_ports_allocated": Attribute(number_or_zero, "allocatedOutboundPorts"),
}
_NETWORK: Attributes = {
    "dns_service_ip": Attribute(text, "dnsServiceIP"),
    "ip_versions": Attribute(set_of(folded_text), "ipFamilies"),
    "load_balancer_profile": one_block(_BALANCER),
    "load_balancer_sku": Attribute(folded_text),
    "network_data_plane": word("networkDataplane", unset="azure"),
    "network_plugin": Attribute(folded_text),
    "network_plugin_mode": Attribute(folded_text),
    "network_policy": word(unset="none"),
    "outbound_type": Attribute(folded_text),
    "pod_cidr": Attribute(text),
    "service_cidr": Attribute(text),
}
_SERVER = "properties.apiServerAccessProfile"
_SECURITY = "properties.securityProfile"


def _ip_rules(found: Any) -> object:
    return [{"action": at(item, "action"), "ip_range": at(item, "value")} for item in at(found, "ipRules") or []]


def one_address(value: object) -> Canonical:
    """A block of addresses; Azure writes a block of one as the address."""
    found = text(value)
    return found.removesuffix("/32") if isinstance(found, str) else found


def _rule_set(found: Any) -> object:
    return [{"default_action": at(found, "defaultAction"), "ip_rule": _ip_rules(found)}]


def registry_rules(value: object) -> Canonical:
    """Who reaches a registry; without rules everybody does."""
    item = value[0] if isinstance(value, list) and value else None
    found = members(
        {
            "default_action": folded_text,
            "ip_rule": set_of(members({"action": folded_text, "ip_range": one_address})),
        }
    )(item)
    return None if found == {"default_action": "allow", "ip_rule": None} else found


def _own_key(found: Any) -> object:
    if str(at(found, "status") or "").lower() != "enabled":
        return []
    keys = at(found, "keyVaultProperties")
    return [{"key_vault_key_id": at(keys, "keyIdentifier"), "identity_client_id": at(keys, "identity")}]


_PROFILES = named_blocks(
    {
        "maximum_count": Attribute(number_or_zero, "maximumCount"),
        "minimum_count": Attribute(number_or_zero, "minimumCount"),
        "workload_profile_type": word("workloadProfileType"),
    },
    "properties.workloadProfiles",
)


def profiles(value: object) -> Canonical:
    """What the containers of an environment run on; the one that every environment has may be said or not."""
    items = value if isinstance(value, list) else []
    kinds = [item for item in items if isinstance(item, Mapping)]
    return _PROFILES.shape(
        [item for item in kinds if str(item.get("workload_profile_type") or "").lower() != "consumption"]
    )


def _retention(found: Any) -> object:
    return at(found, "days") if str(at(found, "status") or "").lower() == "enabled" else 0


TYPES = (
    AzureType(
        "azurerm_kubernetes_cluster",
        "microsoft.containerservice/managedclusters",
        {
            **PLACED,
            "api_server_access_profile": one_block(
                {
                    "authorized_ip_ranges": Attribute(set_of(text), "authorizedIPRanges"),
                    "subnet_id": Attribute(arm_id),
                    "virtual_network_integration_enabled": flag("enableVnetIntegration"),
                },
                _SERVER,
            ),
            "auto_scaler_profile": Attribute(
                block(dict.fromkeys(_SCALER, _setting)),
                "properties.autoScalerProfile",
                lambda found: [{name: found.get(member) for name, member in _SCALER.items()}],
            ),
            "automatic_channel_upgrade": word("properties.autoUpgradeProfile.upgradeChannel", unset="none"),
            "automatic_upgrade_channel": word("properties.autoUpgradeProfile.upgradeChannel", unset="none"),
            "azure_active_directory_role_based_access_control": Attribute(
                rights_by_directory, "properties.aadProfile", _aad
            ),
            "azure_policy_enabled": flag(f"{_ADDONS}.azurepolicy.enabled"),
            "cost_analysis_enabled": flag("properties.metricsProfile.costAnalysis.enabled"),
            "disk_encryption_set_id": reference("properties.diskEncryptionSetID"),
            "dns_prefix": Attribute(text),
            "http_application_routing_enabled": flag(f"{_ADDONS}.httpApplicationRouting.enabled"),
            "identity": IDENTITY,
            "image_cleaner_enabled": flag(f"{_SECURITY}.imageCleaner.enabled"),
            "image_cleaner_interval_hours": Attribute(
                number, f"{_SECURITY}.imageCleaner.intervalHours", default=NOT_READ
            ),
            "key_vault_secrets_provider": Attribute(
                secrets_provider, f"{_ADDONS}.azureKeyvaultSecretsProvider", _secrets_provider
            ),
            "kubelet_identity": Attribute(
                block({"user_assigned_identity_id": arm_id}),
                "properties.identityProfile.kubeletidentity",
                lambda found: [{"user_assigned_identity_id": at(found, "resourceId")}],
            ),
            "kubernetes_version": Attribute(text, "properties", _version),
            "linux_profile": Attribute(
                block({"admin_username": text, "ssh_key": list_of(members({"key_data": text}))}),
                "properties.linuxProfile",
                lambda found: [
                    {
                        "admin_username": at(found, "adminUsername"),
                        "ssh_key": [{"key_data": at(item, "keyData")} for item in at(found, "ssh.publicKeys") or []],
                    }
                ],
            ),
            "local_account_disabled": flag("properties.disableLocalAccounts"),
            "microsoft_defender": Attribute(
                block({"log_analytics_workspace_id": arm_id}), f"{_SECURITY}.defender", _defender
            ),
            "network_profile": one_block(_NETWORK),
            "node_os_upgrade_channel": Attribute(
                folded_text, "properties.autoUpgradeProfile.nodeOSUpgradeChannel", default=NOT_READ
            ),
            "node_resource_group": Attribute(folded_text),
            "oidc_issuer_enabled": flag("properties.oidcIssuerProfile.enabled"),
            "oms_agent": Attribute(
                block({"log_analytics_workspace_id": arm_id, "msi_auth_for_monitoring_enabled": boolean}),
                f"{_ADDONS}.omsagent",
                _monitoring,
            ),
            "open_service_mesh_enabled": flag(f"{_ADDONS}.openServiceMesh.enabled"),
            "private_cluster_enabled": flag(f"{_SERVER}.enablePrivateCluster", default=False),
            "private_cluster_public_fqdn_enabled": flag(f"{_SERVER}.enablePrivateClusterPublicFQDN"),
            "private_dns_zone_id": Attribute(arm_id, f"{_SERVER}.privateDNSZone"),
            "role_based_access_control_enabled": flag("properties.enableRBAC", default=True),
            "run_command_enabled": Attribute(boolean, f"{_SERVER}.disableRunCommand", inverted, default=True),
            "sku_tier": word("sku.tier", default="free"),
            "storage_profile": Attribute(storage_drivers, "properties.storageProfile", _drivers),
            "support_plan": word(default=NOT_READ),
            "windows_profile": Attribute(
                block({"admin_username": text, "license": default_is("none", folded_text)}),
                "properties.windowsProfile",
                lambda found: [{"admin_username": at(found, "adminUsername"), "license": at(found, "licenseType")}],
            ),
            "workload_autoscaler_profile": one_block(
                {
                    "keda_enabled": flag("keda.enabled"),
                    "vertical_pod_autoscaler_enabled": flag("verticalPodAutoscaler.enabled"),
                },
                "properties.workloadAutoScalerProfile",
            ),
            "workload_identity_enabled": flag(f"{_SECURITY}.workloadIdentity.enabled"),
        },
        expand=_with_default_pool,
        renamed={"automatic_channel_upgrade": "automatic_upgrade_channel"},
    ),
    AzureType(
        "azurerm_kubernetes_cluster_node_pool",
        "microsoft.containerservice/managedclusters/agentpools",
        _POOL,
        renamed={
            "enable_auto_scaling": "auto_scaling_enabled",
            "enable_host_encryption": "host_encryption_enabled",
            "enable_node_public_ip": "node_public_ip_enabled",
        },
    ),
    AzureType(
        "azurerm_container_registry",
        "microsoft.containerregistry/registries",
        {
            **PLACED,
            "admin_enabled": flag("properties.adminUserEnabled"),
            "anonymous_pull_enabled": Attribute(boolean),
            "data_endpoint_enabled": Attribute(boolean),
            "encryption": Attribute(
                block({"key_vault_key_id": text, "identity_client_id": folded_text}), "properties.encryption", _own_key
            ),
            "export_policy_enabled": enabled("properties.policies.exportPolicy.status", default=True),
            "identity": IDENTITY,
            "network_rule_bypass_option": word("properties.networkRuleBypassOptions", default="AzureServices"),
            "network_rule_set": Attribute(registry_rules, "properties.networkRuleSet", _rule_set),
            "public_network_access_enabled": enabled("properties.publicNetworkAccess", default=True),
            "quarantine_policy_enabled": enabled("properties.policies.quarantinePolicy.status"),
            "retention_policy_in_days": Attribute(number_or_zero, "properties.policies.retentionPolicy", _retention),
            "sku": word("sku.name"),
            "trust_policy_enabled": enabled("properties.policies.trustPolicy.status"),
            "zone_redundancy_enabled": enabled("properties.zoneRedundancy"),
        },
    ),
    AzureType(
        "azurerm_container_app_environment",
        "microsoft.app/managedenvironments",
        {
            **PLACED,
            "infrastructure_subnet_id": reference("properties.vnetConfiguration.infrastructureSubnetId"),
            "internal_load_balancer_enabled": flag("properties.vnetConfiguration.internal"),
            "logs_destination": word("properties.appLogsConfiguration.destination", unset="none"),
            "mutual_tls_enabled": flag("properties.peerAuthentication.mtls.enabled"),
            "public_network_access": word(default=NOT_READ),
            "workload_profile": replace(_PROFILES, shape=profiles),
            "zone_redundancy_enabled": flag("properties.zoneRedundant"),
        },
    ),
)
