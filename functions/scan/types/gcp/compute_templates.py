"""What machines start from: templates, global and of a region.

Source: https://cloud.google.com/compute/docs/reference/rest/v1 (instanceTemplates, regionInstanceTemplates); Terraform Google provider
6.50, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import set_of
from .assets import Asset
from .compute_machines import metadata_of, with_startup_script
from .forms import kms_key, labels, tail, unless, written
from .mapping import GoogleType, Item, camel, member

_API = "compute.googleapis.com/"
_IN_TEMPLATES = (
    "advanced_machine_features", "can_ip_forward", "confidential_instance_config", "disk", "guest_accelerator",
    "key_revocation_action_type", "labels", "machine_type", "metadata", "min_cpu_platform", "network_interface",
    "network_performance_config", "reservation_affinity", "resource_policies", "scheduling", "service_account",
    "shielded_instance_config", "tags",
)  # fmt: skip
# What a template says of a disk that is made with the machine.
_INITIALIZED = (
    "architecture", "disk_name", "disk_size_gb", "disk_type", "labels", "provisioned_iops", "provisioned_throughput",
    "resource_policies", "source_image", "source_snapshot",
)  # fmt: skip


def _is_global(asset: Asset) -> bool:
    return "/global/" in asset.name


def _feature_types(disk: Item, _asset: Asset) -> object:
    """An object with a type each is a word in a state."""
    features = disk.get("guestOsFeatures")
    return [member(feature, "type") for feature in features] if isinstance(features, list) else None


def _reservation(affinity: Item, _asset: Asset) -> object:
    """Which reservation it is stands beside how reservations are used."""
    return affinity if affinity.get("key") else None


def _is_regional(asset: Asset) -> bool:
    return "/regions/" in asset.name


def _properties_metadata(data: Item, asset: Asset) -> object:
    properties = data.get("properties")
    return metadata_of(properties, asset) if isinstance(properties, dict) else {}


def _template(kind: str, *, is_regional: bool) -> GoogleType:
    """Make the type of a template: it is never changed, only deleted and made anew, perhaps with something else in it."""
    return GoogleType(
        kind,
        # The inventory's page tells of no type for those of a region; whichever it uses, what is not listed is not missing.
        (_API + "RegionInstanceTemplate", _API + "InstanceTemplate") if is_regional else (_API + "InstanceTemplate",),
        f"description instance_description {' '.join(_IN_TEMPLATES)}",
        at={
            "instance_description": "properties.description",
            **{name: f"properties.{camel(name)}" for name in _IN_TEMPLATES},
            "disk": "properties.disks",
            "disk.disk_encryption_key.kms_key_self_link": "kmsKeyName",
            **{f"disk.{name}": f"initializeParams.{camel(name)}" for name in _INITIALIZED},
            "guest_accelerator": "properties.guestAccelerators",
            "guest_accelerator.count": "acceleratorCount",
            "guest_accelerator.type": "acceleratorType",
            "network_interface": "properties.networkInterfaces",
            "network_interface.access_config": "accessConfigs",
            "network_interface.access_config.nat_ip": "natIP",
            "network_interface.alias_ip_range": "aliasIpRanges",
            "network_interface.network_ip": "networkIP",
            "reservation_affinity.type": "consumeReservationType",
            "service_account": "properties.serviceAccounts",
            "tags": "properties.tags.items",
        },
        read={
            "disk.guest_os_features": _feature_types,
            "metadata": _properties_metadata,
            "reservation_affinity.specific_reservation": _reservation,
        },
        shapes={
            "disk.disk_encryption_key.kms_key_self_link": kms_key,
            "disk.disk_type": tail,
            "disk.guest_os_features": set_of(written),
            "disk.labels": labels,
            "disk.resource_policies": set_of(tail),
            "disk.source": tail,
            "guest_accelerator.type": tail,
            "key_revocation_action_type": unless("NONE"),
            "machine_type": tail,
            "network_interface.access_config.network_tier": unless("PREMIUM"),
            "network_interface.stack_type": unless("IPV4_ONLY"),
            "reservation_affinity.type": unless("ANY_RESERVATION"),
            "resource_policies": set_of(tail),
            "scheduling.provisioning_model": unless("STANDARD"),
        },
        inside={
            "advanced_machine_features": "enable_nested_virtualization threads_per_core visible_core_count",
            "disk": f"auto_delete boot device_name disk_encryption_key guest_os_features interface mode source type {' '.join(_INITIALIZED)}",
            "disk.disk_encryption_key": "kms_key_self_link",
            "network_interface": "access_config alias_ip_range network network_ip nic_type queue_count stack_type subnetwork",
            "network_interface.access_config": "nat_ip network_tier",
            "scheduling": "automatic_restart instance_termination_action min_node_cpus on_host_maintenance preemptible"
            " provisioning_model",
        },
        when=_is_regional if is_regional else _is_global,
        state=with_startup_script,
        sensitive=frozenset({"metadata"}),
        is_certain=not is_regional,
    )


TYPES = (
    _template("google_compute_instance_template", is_regional=False),
    _template("google_compute_region_instance_template", is_regional=True),
)
