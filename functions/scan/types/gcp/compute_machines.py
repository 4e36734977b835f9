"""Machines, disks and groups of machines; what they start from stands in `compute_templates.py`.

Source: https://cloud.google.com/compute/docs/reference/rest/v1 (instances, disks, instanceGroupManagers,
autoscalers, images, snapshots, resourcePolicies); Terraform Google provider 6.50, resource documentation of each type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...domain.resources import Attributes
from ...domain.shapes import members, set_of
from .assets import Asset
from .forms import kms_key, tail, unless, written
from .mapping import UNREAD, GoogleType, Item, Reading, entries, member

_API = "compute.googleapis.com/"
_STARTUP = "startup-script"
_POLICY_NUMBERS = {
    "update_policy.max_surge_fixed": "maxSurge.fixed",
    "update_policy.max_surge_percent": "maxSurge.percent",
    "update_policy.max_unavailable_fixed": "maxUnavailable.fixed",
    "update_policy.max_unavailable_percent": "maxUnavailable.percent",
}
_SCALING = {
    "autoscaling_policy.cooldown_period": "coolDownPeriodSec",
    "autoscaling_policy.cpu_utilization.target": "utilizationTarget",
    "autoscaling_policy.load_balancing_utilization.target": "utilizationTarget",
    "autoscaling_policy.max_replicas": "maxNumReplicas",
    "autoscaling_policy.metric": "customMetricUtilizations",
    "autoscaling_policy.metric.name": "metric",
    "autoscaling_policy.metric.target": "utilizationTarget",
    "autoscaling_policy.metric.type": "utilizationTargetType",
    "autoscaling_policy.min_replicas": "minNumReplicas",
}


_PRESERVED = ("statefulPolicy", "preservedState")
_KEPT_ADDRESSES = set_of(members({"delete_rule": written, "interface_name": written}))


def _is_zonal(asset: Asset) -> bool:
    return "/zones/" in asset.name


def _is_regional(asset: Asset) -> bool:
    return "/regions/" in asset.name


def metadata_of(data: Item, _asset: Asset) -> object:
    """A list of pairs is a map in a state."""
    items = member(data, "metadata", "items")
    return {str(item.get("key")): str(item.get("value", "")) for item in items} if isinstance(items, list) else {}


def with_startup_script(attributes: Attributes) -> Attributes:
    """Put the script, which a configuration may give apart, back to where the API has it."""
    script = attributes.get("metadata_startup_script")
    if not script or not isinstance(attributes.get("metadata"), Mapping | None):
        return attributes
    held = attributes.get("metadata")
    return {**attributes, "metadata": {**(held if isinstance(held, Mapping) else {}), _STARTUP: script}}


def _boot_disk(data: Item, _asset: Asset) -> object:
    disks = data.get("disks")
    return [disk for disk in disks if member(disk, "boot") is True] if isinstance(disks, list) else None


def _is_made_machine(asset: Asset) -> bool:
    """Tell the machines that a managed group made (nodes of clusters among them)."""
    creator = str(_as_map(metadata_of(asset.data, asset)).get("created-by", ""))
    return "/instanceGroupManagers/" in creator


def _target_size(data: Item, _asset: Asset) -> object:
    """How many machines are wanted; says nothing while an autoscaler steers it."""
    return UNREAD if member(data, "status", "autoscaler") else data.get("targetSize")


def _zones(data: Item, _asset: Asset) -> object:
    zones = member(data, "distributionPolicy", "zones")
    return [member(zone, "zone") for zone in zones] if isinstance(zones, list) else None


def _kept_addresses(name: str) -> Reading:
    """Make the reading of the interfaces whose addresses are kept: a map, which has no order, is a list in a state."""

    def read(data: Item, _asset: Asset) -> object:
        found = _as_map(member(data, *_PRESERVED, name))
        return [{"interface_name": key, "delete_rule": member(item, "autoDelete")} for key, item in found.items()]

    return read


def _consistency(data: Item, _asset: Asset) -> object:
    """An object in which nothing is stands for a switch that is on."""
    return {"enabled": True} if data.get("diskConsistencyGroupPolicy") is not None else None


def _as_map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _group(kind: str, *, is_regional: bool) -> GoogleType:
    spread = (
        "distribution_policy_target_shape distribution_policy_zones instance_flexibility_policy"
        if is_regional
        else "all_instances_config"
    )
    return GoogleType(
        kind,
        (_API + "InstanceGroupManager",),
        "auto_healing_policies base_instance_name description instance_lifecycle_policy list_managed_instances_results"
        " named_port standby_policy stateful_disk stateful_external_ip stateful_internal_ip target_pools target_size"
        f" update_policy version {spread}",
        at={
            "named_port": "namedPorts",
            "version": "versions",
            **_POLICY_NUMBERS,
            "stateful_disk.delete_rule": "autoDelete",
            **(
                {"distribution_policy_target_shape": "distributionPolicy.targetShape"}
                if is_regional
                else {"all_instances_config": "allInstancesConfig.properties"}
            ),
        },
        read={
            "target_size": _target_size,
            "stateful_disk": entries("deviceName", *_PRESERVED, "disks"),
            "stateful_external_ip": _kept_addresses("externalIPs"),
            "stateful_internal_ip": _kept_addresses("internalIPs"),
            **(
                {
                    "distribution_policy_zones": _zones,
                    "instance_flexibility_policy.instance_selections": entries("name", "instanceSelections"),
                }
                if is_regional
                else {}
            ),
        },
        shapes={
            # What the API says of itself, and states of older providers do not hold.
            "instance_lifecycle_policy.default_action_on_failure": unless("REPAIR"),
            "instance_lifecycle_policy.force_update_on_repair": unless("NO"),
            "list_managed_instances_results": unless("PAGELESS"),
            "stateful_external_ip": _KEPT_ADDRESSES,
            "stateful_internal_ip": _KEPT_ADDRESSES,
            **(
                {
                    "distribution_policy_zones": set_of(tail),
                    "update_policy.instance_redistribution_type": unless("PROACTIVE"),
                }
                if is_regional
                else {}
            ),
        },
        when=_is_regional if is_regional else _is_zonal,
    )


def _autoscaler(kind: str, *, is_regional: bool) -> GoogleType:
    return GoogleType(
        kind,
        (_API + "Autoscaler",),
        "autoscaling_policy description target",
        at=_SCALING,
        read={"autoscaling_policy.scaling_schedules": entries("name", "scalingSchedules")},
        shapes={
            "autoscaling_policy.cpu_utilization.predictive_method": unless("NONE"),
            "autoscaling_policy.scaling_schedules.time_zone": unless("UTC"),
        },
        when=_is_regional if is_regional else _is_zonal,
    )


TYPES = (
    GoogleType(
        "google_compute_instance",
        (_API + "Instance",),
        "advanced_machine_features boot_disk can_ip_forward confidential_instance_config deletion_protection description"
        " enable_display guest_accelerator hostname labels machine_type metadata min_cpu_platform network_interface"
        " network_performance_config"
        " resource_policies scheduling service_account shielded_instance_config tags",
        at={
            "boot_disk.kms_key_self_link": "diskEncryptionKey.kmsKeyName",
            "enable_display": "displayDevice.enableDisplay",
            "guest_accelerator": "guestAccelerators",
            "guest_accelerator.count": "acceleratorCount",
            "guest_accelerator.type": "acceleratorType",
            "network_interface": "networkInterfaces",
            "network_interface.access_config": "accessConfigs",
            "network_interface.alias_ip_range": "aliasIpRanges",
            "network_interface.network_ip": "networkIP",
            "service_account": "serviceAccounts",
            "tags": "tags.items",
        },
        read={"boot_disk": _boot_disk, "metadata": metadata_of},
        shapes={
            "boot_disk.kms_key_self_link": kms_key,
            "guest_accelerator.type": tail,
            "machine_type": tail,
            "network_interface.access_config.network_tier": unless("PREMIUM"),
        },
        inside={
            "advanced_machine_features": "enable_nested_virtualization threads_per_core visible_core_count",
            "boot_disk": "auto_delete device_name kms_key_self_link mode source",
            # The address of an interface without a reserved one is a new one after each start.
            "network_interface": "access_config alias_ip_range network network_ip nic_type queue_count stack_type subnetwork",
            "network_interface.access_config": "network_tier public_ptr_domain_name",
            "scheduling": "automatic_restart instance_termination_action min_node_cpus on_host_maintenance preemptible"
            " provisioning_model",
        },
        made=_is_made_machine,
        state=with_startup_script,
        sensitive=frozenset({"metadata"}),
    ),
    GoogleType(
        "google_compute_disk",
        (_API + "Disk",),
        "access_mode architecture async_primary_disk description disk_encryption_key enable_confidential_compute"
        " guest_os_features labels licenses physical_block_size_bytes provisioned_iops provisioned_throughput size snapshot"
        " storage_pool type",
        at={"disk_encryption_key.kms_key_self_link": "kmsKeyName", "size": "sizeGb", "snapshot": "sourceSnapshot"},
        shapes={
            "access_mode": unless("READ_WRITE_SINGLE"),
            "disk_encryption_key.kms_key_self_link": kms_key,
            "licenses": set_of(written),
            "type": tail,
        },
        inside={"disk_encryption_key": "kms_key_self_link kms_key_service_account"},
        when=_is_zonal,
    ),
    GoogleType(
        "google_compute_region_disk",
        (_API + "RegionDisk", _API + "Disk"),
        "description disk_encryption_key guest_os_features labels licenses physical_block_size_bytes replica_zones size"
        " snapshot type",
        at={"size": "sizeGb", "snapshot": "sourceSnapshot"},
        shapes={
            "disk_encryption_key.kms_key_name": kms_key,
            "licenses": set_of(written),
            "replica_zones": set_of(tail),
            "type": tail,
        },
        inside={"disk_encryption_key": "kms_key_name"},
        when=_is_regional,
    ),
    GoogleType(
        "google_compute_snapshot",
        (_API + "Snapshot",),
        "description labels snapshot_encryption_key source_disk storage_locations",
        at={"snapshot_encryption_key.kms_key_self_link": "kmsKeyName"},
        shapes={"snapshot_encryption_key.kms_key_self_link": kms_key, "storage_locations": set_of(written)},
        inside={"snapshot_encryption_key": "kms_key_self_link kms_key_service_account"},
        made=lambda asset: asset.data.get("autoCreated") is True,
    ),
    GoogleType(
        "google_compute_image",
        (_API + "Image",),
        "description disk_size_gb family guest_os_features image_encryption_key labels licenses storage_locations",
        at={"image_encryption_key.kms_key_self_link": "kmsKeyName"},
        shapes={
            "image_encryption_key.kms_key_self_link": kms_key,
            "licenses": set_of(written),
            "storage_locations": set_of(written),
        },
        inside={"image_encryption_key": "kms_key_self_link kms_key_service_account"},
    ),
    _group("google_compute_instance_group_manager", is_regional=False),
    _group("google_compute_region_instance_group_manager", is_regional=True),
    _autoscaler("google_compute_autoscaler", is_regional=False),
    _autoscaler("google_compute_region_autoscaler", is_regional=True),
    GoogleType(
        "google_compute_resource_policy",
        (_API + "ResourcePolicy",),
        "description disk_consistency_group_policy group_placement_policy instance_schedule_policy snapshot_schedule_policy",
        read={"disk_consistency_group_policy": _consistency},
        inside={"group_placement_policy": "availability_domain_count collocation vm_count"},
    ),
)
