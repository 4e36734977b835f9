"""What things live in and run on: projects, identities, clusters, functions, names, logs and alerts.

Source: the REST references of Resource Manager v1 and v3, IAM v1, Service Usage v1, Kubernetes Engine v1, Cloud Run v1, Cloud
Functions v1 and v2, Cloud DNS v1, Cloud Logging v2, Cloud Monitoring v3, Cloud Tasks v2, Serverless VPC Access v1 and Workflows
v1; Terraform Google provider 6.50, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.resources import Attributes
from ...domain.shapes import members, set_of, text
from .assets import PROJECT, SERVICE_ACCOUNT, ZONE, Asset
from .forms import duration, kms_key, tail, unless, word
from .mapping import GoogleType, Item, Reading, entries, member

_CLUSTER = "container.googleapis.com/Cluster"
_MADE_BUCKETS = ("_Default", "_Required")


def _parent(kind: str) -> Reading:
    """Make the reading of a project's parent: an object in version 1 of the API, a name in version 3."""

    def read(data: Item, _asset: Asset) -> object:
        parent = data.get("parent")
        if isinstance(parent, str):
            found, _, number = parent.partition("/")
            return number if found == f"{kind}s" else None
        return member(parent, "id") if member(parent, "type") == kind else None

    return read


def _title(data: Item, _asset: Asset) -> object:
    return data.get("displayName") or data.get("name")


def _is_leaving(asset: Asset) -> bool:
    return "DELETE_REQUESTED" in (asset.data.get("lifecycleState"), asset.data.get("state"))


def _is_deleted_role(asset: Asset) -> bool:
    return asset.data.get("deleted") is True


def _is_default_account(asset: Asset) -> bool:
    email = str(asset.data.get("email"))
    return email.endswith(("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com"))


def _if_enabled(*path: str) -> Reading:
    """Make the reading of a block that a state holds only while the feature is on."""

    def read(data: Item, _asset: Asset) -> object:
        found = member(data, *path)
        return found if member(found, "enabled") is True else None

    return read


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


def _is_made_bucket(asset: Asset) -> bool:
    return asset.name.rpartition("/")[2] in _MADE_BUCKETS


def _is_made_record(asset: Asset) -> bool:
    """Tell the records that come with a zone; they lie at its top."""
    return asset.data.get("type") in {"NS", "SOA"} and asset.data.get("name") == asset.zone_dns


def _seconds(data: Item, _asset: Asset) -> object:
    found = data.get("timeout")
    return found.removesuffix("s") if isinstance(found, str) else found


TYPES = (
    GoogleType(
        "google_project",
        (PROJECT,),
        "folder_id labels name org_id",
        read={"folder_id": _parent("folder"), "name": _title, "org_id": _parent("organization")},
        shapes={"folder_id": tail},
        key="//cloudresourcemanager.googleapis.com/projects/{project_id}",
        live_key="//cloudresourcemanager.googleapis.com/projects/{projectId}",
        gone=_is_leaving,
    ),
    GoogleType(
        "google_folder",
        ("cloudresourcemanager.googleapis.com/Folder",),
        "display_name parent",
        gone=_is_leaving,
    ),
    GoogleType(
        "google_service_account",
        (SERVICE_ACCOUNT,),
        "description disabled display_name",
        key="//iam.googleapis.com/projects/{project}/serviceAccounts/{email}",
        live_key="//iam.googleapis.com/projects/{project}/serviceAccounts/{email}",
        made=_is_default_account,
    ),
    GoogleType(
        "google_project_iam_custom_role",
        ("iam.googleapis.com/Role",),
        "description permissions stage title",
        at={"permissions": "includedPermissions"},
        shapes={"stage": unless("GA")},
        when=lambda asset: "/projects/" in asset.name,
        gone=_is_deleted_role,
    ),
    GoogleType(
        "google_organization_iam_custom_role",
        ("iam.googleapis.com/Role",),
        "description permissions stage title",
        at={"permissions": "includedPermissions"},
        shapes={"stage": unless("GA")},
        when=lambda asset: "/organizations/" in asset.name,
        gone=_is_deleted_role,
    ),
    GoogleType(
        "google_project_service",
        ("serviceusage.googleapis.com/Service",),
        key="//serviceusage.googleapis.com/projects/{project}/services/{service}",
        gone=lambda asset: asset.data.get("state") == "DISABLED",
        made=lambda _asset: (
            True
        ),  # many come with a project, others with each of them: what is on says nothing by itself
    ),
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
    GoogleType(
        "google_cloud_run_v2_service",
        # The inventory tells a service in the form of version 1 of the API; which one it is, it tells for both.
        ("run.googleapis.com/Service",),
        aliases=("google_cloud_run_service",),
        key="//run.googleapis.com/projects/{project}/locations/{location}/services/{name}",
    ),
    GoogleType(
        "google_cloudfunctions_function",
        ("cloudfunctions.googleapis.com/CloudFunction",),
        "available_memory_mb description entry_point environment_variables ingress_settings kms_key_name labels max_instances"
        " min_instances runtime service_account_email timeout vpc_connector_egress_settings",
        read={"timeout": _seconds},
        shapes={"ingress_settings": unless("ALLOW_ALL"), "kms_key_name": kms_key},
        sensitive=frozenset({"environment_variables"}),
    ),
    GoogleType(
        "google_cloudfunctions2_function",
        ("cloudfunctions.googleapis.com/Function",),
        "build_config description kms_key_name labels service_config",
        inside={
            "build_config": "entry_point runtime",
            "service_config": "all_traffic_on_latest_revision available_cpu available_memory environment_variables"
            " ingress_settings max_instance_count max_instance_request_concurrency min_instance_count service_account_email"
            " timeout_seconds vpc_connector vpc_connector_egress_settings",
        },
        shapes={"service_config.ingress_settings": unless("ALLOW_ALL")},
        sensitive=frozenset({"service_config"}),
    ),
    GoogleType(
        "google_cloud_tasks_queue",
        ("cloudtasks.googleapis.com/Queue",),
        "rate_limits retry_config stackdriver_logging_config",
        shapes={
            "retry_config.max_backoff": duration,
            "retry_config.max_retry_duration": duration,
            "retry_config.min_backoff": duration,
        },
        is_certain=False,
    ),
    GoogleType(
        "google_dns_managed_zone",
        (ZONE,),
        "cloud_logging_config description dns_name dnssec_config forwarding_config labels peering_config"
        " private_visibility_config visibility",
        at={
            "forwarding_config.target_name_servers": "targetNameServers",
            "forwarding_config.target_name_servers.ipv4_address": "ipv4Address",
        },
        shapes={
            "forwarding_config.target_name_servers.forwarding_path": unless("default"),
            "dnssec_config.non_existence": word("nsec3"),
            "dnssec_config.state": word("off"),
            "visibility": word("public"),
        },
        inside={
            "dnssec_config": "non_existence state",
            "forwarding_config.target_name_servers": "forwarding_path ipv4_address",
            "private_visibility_config": "networks",
        },
        key="//dns.googleapis.com/projects/{project}/managedZones/{name}",
        live_key="//dns.googleapis.com/projects/{project}/managedZones/{name}",
    ),
    GoogleType(
        "google_dns_record_set",
        ("dns.googleapis.com/ResourceRecordSet",),
        "rrdatas ttl",
        shapes={"rrdatas": set_of(text)},
        key="//dns.googleapis.com/projects/{project}/managedZones/{managed_zone:tail}/rrsets/{name}/{type}",
        live_key="//dns.googleapis.com/projects/{project}/managedZones/{zone}/rrsets/{name}/{type}",
        made=_is_made_record,
        is_certain=False,
    ),
    GoogleType(
        "google_dns_policy",
        ("dns.googleapis.com/Policy",),
        "description enable_inbound_forwarding enable_logging networks",
        key="//dns.googleapis.com/projects/{project}/policies/{name}",
        live_key="//dns.googleapis.com/projects/{project}/policies/{name}",
    ),
    GoogleType(
        "google_logging_project_sink",
        ("logging.googleapis.com/LogSink",),
        "bigquery_options description destination disabled exclusions filter",
        when=lambda asset: "/projects/" in asset.name,
        made=_is_made_bucket,
    ),
    GoogleType(
        "google_logging_metric",
        ("logging.googleapis.com/LogMetric",),
        "bucket_name bucket_options description disabled filter label_extractors metric_descriptor value_extractor",
        shapes={"metric_descriptor.labels.value_type": unless("STRING")},
        key="//logging.googleapis.com/projects/{project}/metrics/{name}",
    ),
    GoogleType(
        "google_logging_project_bucket_config",
        ("logging.googleapis.com/LogBucket",),
        "cmek_settings description locked retention_days",
        shapes={"cmek_settings.kms_key_name": kms_key},
        when=lambda asset: "/projects/" in asset.name,
        made=_is_made_bucket,
    ),
    GoogleType(
        "google_monitoring_alert_policy",
        ("monitoring.googleapis.com/AlertPolicy",),
        "combiner conditions display_name documentation enabled notification_channels severity user_labels",
        shapes={"severity": unless("SEVERITY_UNSPECIFIED"), "conditions.condition_threshold.duration": duration},
        inside={
            "conditions": "condition_threshold display_name",
            "conditions.condition_threshold": "comparison duration filter threshold_value",
            "documentation": "content mime_type subject",
        },
    ),
    GoogleType(
        "google_vpc_access_connector",
        ("vpcaccess.googleapis.com/Connector",),
        "ip_cidr_range machine_type max_instances max_throughput min_instances min_throughput network",
        shapes={"network": tail, "machine_type": unless("e2-micro")},
    ),
    GoogleType(
        "google_workflows_workflow",
        ("workflows.googleapis.com/Workflow",),
        "call_log_level crypto_key_name description labels service_account source_contents",
        shapes={"call_log_level": unless("CALL_LOG_LEVEL_UNSPECIFIED"), "service_account": tail},
    ),
)
