"""Clusters of Kubernetes and their pools of nodes.

Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters and `.nodePools`;
Terraform Google provider 6.50, google_container_cluster and google_container_node_pool.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.resources import Attributes
from ...domain.shapes import Canonical, members, set_of, text
from .assets import Asset
from .forms import duration, kms_key, tail, unless
from .mapping import GoogleType, Item, Reading, entries, member

_CLUSTER = "container.googleapis.com/Cluster"


def _if_enabled(*path: str) -> Reading:
    """Make the reading of a block that a state holds only while the feature is on."""

    def read(data: Item, _asset: Asset) -> object:
        found = member(data, *path)
        return found if member(found, "enabled") is True else None

    return read


def _unless_on(value: object) -> Canonical:
    """A switch that is on unless it is said to be off; states of older providers do not hold it."""
    return "false" if value is False else None


def _further_zones(data: Item, _asset: Asset) -> object:
    """Zones of the nodes; a state leaves out the cluster's own, where it has one."""
    zones = data.get("locations")
    return [zone for zone in zones if zone != data.get("location")] if isinstance(zones, list) else None


def _open_port(data: Item, _asset: Asset) -> object:
    """A flag of the API that is a word in a state."""
    return "TRUE" if data.get("insecureKubeletReadonlyPortEnabled") is True else "FALSE"


def _with_taints(attributes: Attributes) -> Attributes:
    """A state that an old provider wrote has no effective taints: it has all of them in `taint`."""
    held = attributes.get("node_config")
    if not isinstance(held, list | tuple):
        return attributes
    found = [
        {**item, "effective_taints": item.get("taint")}
        if isinstance(item, Mapping) and item.get("effective_taints") is None
        else item
        for item in held
    ]
    return {**attributes, "node_config": found}


TYPES = (
    GoogleType(
        "google_container_cluster",
        (_CLUSTER,),
        "addons_config allow_net_admin anonymous_authentication_config authenticator_groups_config binary_authorization"
        " cluster_autoscaling confidential_nodes control_plane_endpoints_config cost_management_config database_encryption"
        " datapath_provider default_max_pods_per_node default_snat_status description"
        " disable_l4_lb_firewall_reconciliation dns_config enable_autopilot enable_cilium_clusterwide_network_policy"
        " enable_fqdn_network_policy enable_intranode_visibility enable_k8s_beta_apis enable_kubernetes_alpha"
        " enable_l4_ilb_subsetting enable_legacy_abac enable_multi_networking enable_shielded_nodes gateway_api_config"
        " identity_service_config in_transit_encryption_config ip_allocation_policy logging_config logging_service"
        " maintenance_policy master_authorized_networks_config mesh_certificates monitoring_config monitoring_service network"
        " network_performance_config network_policy node_locations notification_config pod_autoscaling"
        " private_cluster_config private_ipv6_google_access rbac_binding_config release_channel resource_labels"
        " resource_usage_export_config secret_manager_config security_posture_config service_external_ips_config subnetwork"
        " vertical_pod_autoscaling workload_identity_config",
        at={
            "addons_config.cloudrun_config": "cloudRunConfig",
            "addons_config.horizontal_pod_autoscaling": "horizontalPodAutoscaling",
            "addons_config.http_load_balancing": "httpLoadBalancing",
            "allow_net_admin": "autopilot.workloadPolicyConfig.allowNetAdmin",
            "cluster_autoscaling": "autoscaling",
            "cluster_autoscaling.auto_provisioning_defaults": "autoprovisioningNodePoolDefaults",
            "cluster_autoscaling.auto_provisioning_defaults.disk_size": "diskSizeGb",
            "cluster_autoscaling.auto_provisioning_locations": "autoprovisioningLocations",
            "cluster_autoscaling.enabled": "enableNodeAutoprovisioning",
            "datapath_provider": "networkConfig.datapathProvider",
            "default_max_pods_per_node": "defaultMaxPodsConstraint.maxPodsPerNode",
            "default_snat_status": "networkConfig.defaultSnatStatus",
            "disable_l4_lb_firewall_reconciliation": "networkConfig.disableL4LbFirewallReconciliation",
            "dns_config": "networkConfig.dnsConfig",
            "enable_autopilot": "autopilot.enabled",
            "enable_cilium_clusterwide_network_policy": "networkConfig.enableCiliumClusterwideNetworkPolicy",
            "enable_fqdn_network_policy": "networkConfig.enableFqdnNetworkPolicy",
            "enable_intranode_visibility": "networkConfig.enableIntraNodeVisibility",
            "enable_l4_ilb_subsetting": "networkConfig.enableL4ilbSubsetting",
            "enable_legacy_abac": "legacyAbac.enabled",
            "enable_multi_networking": "networkConfig.enableMultiNetworking",
            "enable_shielded_nodes": "shieldedNodes.enabled",
            "gateway_api_config": "networkConfig.gatewayApiConfig",
            "in_transit_encryption_config": "networkConfig.inTransitEncryptionConfig",
            "logging_config.enable_components": "componentConfig.enableComponents",
            "maintenance_policy.daily_maintenance_window": "window.dailyMaintenanceWindow",
            "maintenance_policy.maintenance_exclusion.exclusion_options": "maintenanceExclusionOptions",
            "maintenance_policy.recurring_window": "window.recurringWindow",
            "maintenance_policy.recurring_window.end_time": "window.endTime",
            "maintenance_policy.recurring_window.start_time": "window.startTime",
            "monitoring_config.managed_prometheus": "managedPrometheusConfig",
            "network": "networkConfig.network",
            "network_performance_config": "networkConfig.networkPerformanceConfig",
            "private_ipv6_google_access": "networkConfig.privateIpv6GoogleAccess",
            "resource_usage_export_config.enable_resource_consumption_metering": "consumptionMeteringConfig.enabled",
            "service_external_ips_config": "networkConfig.serviceExternalIpsConfig",
            "subnetwork": "networkConfig.subnetwork",
        },
        read={
            "maintenance_policy.maintenance_exclusion": entries("exclusionName", "window", "maintenanceExclusions"),
            "master_authorized_networks_config": _if_enabled("masterAuthorizedNetworksConfig"),
            "node_locations": _further_zones,
        },
        shapes={
            "addons_config.cloudrun_config.load_balancer_type": unless("LOAD_BALANCER_TYPE_UNSPECIFIED"),
            "anonymous_authentication_config.mode": unless("ENABLED"),
            "binary_authorization.evaluation_mode": unless("DISABLED"),
            "cluster_autoscaling.auto_provisioning_defaults.boot_disk_kms_key": kms_key,
            "cluster_autoscaling.auto_provisioning_defaults.oauth_scopes": set_of(text),
            "cluster_autoscaling.auto_provisioning_locations": set_of(text),
            "cluster_autoscaling.autoscaling_profile": unless("BALANCED"),
            "control_plane_endpoints_config.ip_endpoints_config.enabled": _unless_on,
            "database_encryption.key_name": kms_key,
            "datapath_provider": unless("LEGACY_DATAPATH"),
            "dns_config.cluster_dns": unless("PROVIDER_UNSPECIFIED"),
            "dns_config.cluster_dns_scope": unless("DNS_SCOPE_UNSPECIFIED"),
            "gateway_api_config.channel": unless("CHANNEL_DISABLED"),
            "in_transit_encryption_config": unless("IN_TRANSIT_ENCRYPTION_DISABLED"),
            "ip_allocation_policy.stack_type": unless("IPV4"),
            "logging_config.enable_components": set_of(text),
            "maintenance_policy.maintenance_exclusion.exclusion_options.scope": unless("NO_UPGRADES"),
            "network_policy.provider": unless("PROVIDER_UNSPECIFIED"),
            "node_locations": set_of(tail),
            "notification_config.pubsub.filter.event_type": set_of(text),
            "private_ipv6_google_access": unless("PRIVATE_IPV6_GOOGLE_ACCESS_DISABLED"),
            "release_channel.channel": unless("UNSPECIFIED"),
            "security_posture_config.mode": unless("DISABLED"),
            "security_posture_config.vulnerability_mode": unless("VULNERABILITY_DISABLED"),
        },
        inside={
            "binary_authorization": "evaluation_mode",
            "cluster_autoscaling.auto_provisioning_defaults": "boot_disk_kms_key disk_size disk_type image_type management"
            " min_cpu_platform oauth_scopes service_account shielded_instance_config",
            "control_plane_endpoints_config.dns_endpoint_config": "allow_external_traffic",
            "database_encryption": "key_name state",
            # The ranges are those that the cluster was made with.
            "ip_allocation_policy": "additional_pod_ranges_config stack_type",
            "ip_allocation_policy.additional_pod_ranges_config": "pod_range_names",
            "maintenance_policy": "daily_maintenance_window maintenance_exclusion recurring_window",
            # Which of its own parts a cluster watches by default grows with its version.
            "monitoring_config": "advanced_datapath_observability_config managed_prometheus",
            "private_cluster_config": "enable_private_endpoint enable_private_nodes master_global_access_config"
            " master_ipv4_cidr_block private_endpoint_subnetwork",
        },
        # On without a block of addresses lets nobody in; off lets everybody in.
        present=frozenset({"master_authorized_networks_config"}),
    ),
    GoogleType(
        "google_container_node_pool",
        ("container.googleapis.com/NodePool",),
        "autoscaling management max_pods_per_node network_config node_config node_locations placement_policy"
        " queued_provisioning upgrade_settings",
        at={
            "max_pods_per_node": "maxPodsConstraint.maxPodsPerNode",
            "network_config.pod_cidr_overprovision_config.disabled": "disable",
            "node_config": "config",
            "node_config.effective_taints": "taints",
            "node_config.guest_accelerator": "accelerators",
            "node_config.guest_accelerator.count": "acceleratorCount",
            "node_config.guest_accelerator.type": "acceleratorType",
            "node_config.linux_node_config.hugepages_config": "hugepages",
            "node_config.logging_variant": "loggingConfig.variantConfig.variant",
            "node_config.resource_manager_tags": "resourceManagerTags.tags",
            "node_config.sole_tenant_config.node_affinity": "nodeAffinities",
            "node_config.windows_node_config.osversion": "osVersion",
            "node_locations": "locations",
        },
        read={
            "autoscaling": _if_enabled("autoscaling"),
            "node_config.kubelet_config.insecure_kubelet_readonly_port_enabled": _open_port,
        },
        inside={
            "network_config": "additional_node_network_configs additional_pod_network_configs create_pod_range"
            " enable_private_nodes network_performance_config pod_cidr_overprovision_config pod_range",
            "network_config.additional_pod_network_configs": "secondary_pod_range subnetwork",
            "node_config.kubelet_config": "allowed_unsafe_sysctls container_log_max_files container_log_max_size cpu_cfs_quota"
            " cpu_cfs_quota_period cpu_manager_policy eviction_max_pod_grace_period_seconds eviction_minimum_reclaim"
            " eviction_soft eviction_soft_grace_period image_gc_high_threshold_percent image_gc_low_threshold_percent"
            " image_maximum_gc_age image_minimum_gc_age insecure_kubelet_readonly_port_enabled pod_pids_limit"
            " single_process_oom_kill",
            "node_config.linux_node_config": "cgroup_mode hugepages_config sysctls",
            # Taints that came with the pool are those of the state as well; `taint` has only the declared ones.
            "node_config": "advanced_machine_features boot_disk_kms_key confidential_nodes disk_size_gb disk_type"
            " effective_taints enable_confidential_storage ephemeral_storage_local_ssd_config fast_socket flex_start"
            " gcfs_config guest_accelerator gvnic image_type kubelet_config labels linux_node_config"
            " local_nvme_ssd_block_config local_ssd_count logging_variant machine_type max_run_duration metadata"
            " min_cpu_platform node_group oauth_scopes preemptible reservation_affinity resource_labels"
            " resource_manager_tags secondary_boot_disks service_account shielded_instance_config sole_tenant_config spot"
            " storage_pools tags windows_node_config workload_metadata_config",
        },
        shapes={
            "node_config.boot_disk_kms_key": kms_key,
            "node_config.effective_taints": set_of(members({"effect": text, "key": text, "value": text})),
            "node_config.kubelet_config.insecure_kubelet_readonly_port_enabled": unless("FALSE"),
            "node_config.linux_node_config.cgroup_mode": unless("CGROUP_MODE_UNSPECIFIED"),
            "node_config.logging_variant": unless("DEFAULT"),
            "node_config.max_run_duration": duration,
            "node_config.oauth_scopes": set_of(text),
            "node_config.reservation_affinity.consume_reservation_type": unless("UNSPECIFIED"),
            "node_config.windows_node_config.osversion": unless("OS_VERSION_UNSPECIFIED"),
            "node_locations": set_of(tail),
            "upgrade_settings.blue_green_settings.node_pool_soak_duration": duration,
            "upgrade_settings.blue_green_settings.standard_rollout_policy.batch_soak_duration": duration,
            "upgrade_settings.strategy": unless("SURGE"),
        },
        state=_with_taints,
    ),
)
