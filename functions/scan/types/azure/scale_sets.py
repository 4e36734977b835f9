"""Scale sets of machines: of one system each, or put together from machines that may differ.

An extension is compared as the part that it is, whether its set declares it or a resource of its own. Long, as the three kinds of sets
share nearly every member and each says a few of them otherwise: apart, one would be changed without the others.
Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ...domain.resources import Declared
from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    document,
    folded_text,
    ip_address,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    text,
)
from .compute import boot, boot_diagnostics, image, image_id, public_key, ssh_keys, termination
from .ids import arm_id, arm_key, key_of
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    ZONES,
    Attribute,
    Attributes,
    AzureType,
    Row,
    at,
    flag,
    ids,
    named_blocks,
    one_block,
    reference,
    some_blocks,
    word,
)

ARM: Final = "microsoft.compute/virtualmachinescalesets"
EXTENSION: Final = "azurerm_virtual_machine_scale_set_extension"
EXTENSIONS: Final = "properties.virtualMachineProfile.extensionProfile.extensions"
_PROFILE = "properties.virtualMachineProfile"
_OS = f"{_PROFILE}.osProfile"
_STORAGE = f"{_PROFILE}.storageProfile"
_NETWORK = f"{_PROFILE}.networkProfile"
_UPGRADE = "properties.upgradePolicy"


def _is_flexible(row: Row) -> bool:
    return str(at(row, "properties.orchestrationMode")).lower() == "flexible"


def _system(row: Row) -> str:
    said = at(row, f"{_STORAGE}.osDisk.osType") or ("windows" if at(row, f"{_OS}.windowsConfiguration") else "linux")
    return str(said).lower()


def set_type(row: Row) -> str:
    """Name the Terraform type of a scale set."""
    if _is_flexible(row):
        return "azurerm_orchestrated_virtual_machine_scale_set"
    return f"azurerm_{'windows' if _system(row) == 'windows' else 'linux'}_virtual_machine_scale_set"


def renamed(shape: Shape, names: Mapping[str, str]) -> Shape:
    """Let blocks carry the names that an older version of the provider gave their members, each with the newer one."""

    def canonical(value: object) -> Canonical:
        items = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
        return shape([_with_newer_names(item, names) for item in items])

    return canonical


def _with_newer_names(item: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    newer = {name: found for name, found in item.items() if name not in names}
    older = {names[name]: found for name, found in item.items() if name in names}
    return {**newer, **{name: found for name, found in older.items() if newer.get(name) is None}}


def _ids_at(path: str) -> Attribute:
    return Attribute(set_of(arm_id), path, ids)


_ADDRESS = one_block(
    {
        "name": Attribute(text),
        "domain_name_label": Attribute(text, "properties.dnsSettings.domainNameLabel"),
        "idle_timeout_in_minutes": Attribute(default_is(0, number), "properties.idleTimeoutInMinutes"),
        "ip_tag": some_blocks({"tag": Attribute(text), "type": Attribute(text, "ipTagType")}, "properties.ipTags"),
        "public_ip_prefix_id": reference("properties.publicIPPrefix.id"),
        "version": word("properties.publicIPAddressVersion", unset="ipv4"),
    },
    "properties.publicIPAddressConfiguration",
)
_CONFIGURATION: Attributes = {
    "application_gateway_backend_address_pool_ids": _ids_at("properties.applicationGatewayBackendAddressPools"),
    "application_security_group_ids": _ids_at("properties.applicationSecurityGroups"),
    "load_balancer_backend_address_pool_ids": _ids_at("properties.loadBalancerBackendAddressPools"),
    "primary": flag("properties.primary"),
    "public_ip_address": _ADDRESS,
    "subnet_id": reference("properties.subnet.id"),
    "version": word("properties.privateIPAddressVersion", unset="ipv4"),
}
# What a uniform set has beside: pools of rules that lead to each of its machines.
_UNIFORM_CONFIGURATION: Attributes = {
    **_CONFIGURATION,
    "load_balancer_inbound_nat_rules_ids": _ids_at("properties.loadBalancerInboundNatPools"),
}
_RENAMED_INTERFACE = {
    "enable_accelerated_networking": "accelerated_networking_enabled",
    "enable_ip_forwarding": "ip_forwarding_enabled",
}


def _interfaces(configuration: Attributes) -> Attribute:
    blocks = named_blocks(
        {
            "accelerated_networking_enabled": flag("properties.enableAcceleratedNetworking"),
            "auxiliary_mode": word("properties.auxiliaryMode", unset="none"),
            "auxiliary_sku": word("properties.auxiliarySku", unset="none"),
            "dns_servers": Attribute(list_of(ip_address), "properties.dnsSettings.dnsServers"),
            "ip_configuration": named_blocks(configuration, "properties.ipConfigurations"),
            "ip_forwarding_enabled": flag("properties.enableIPForwarding"),
            "network_security_group_id": reference("properties.networkSecurityGroup.id"),
            "primary": flag("properties.primary"),
        },
        f"{_NETWORK}.networkInterfaceConfigurations",
    )
    return replace(blocks, shape=renamed(blocks.shape, _RENAMED_INTERFACE))


_DISK: Attributes = {
    "caching": Attribute(folded_text),
    "disk_encryption_set_id": reference("managedDisk.diskEncryptionSet.id"),
    "disk_size_gb": Attribute(default_is(0, number), "diskSizeGB"),
    "storage_account_type": Attribute(text, "managedDisk.storageAccountType"),
    "write_accelerator_enabled": Attribute(boolean),
}
_OS_DISK: Attributes = {
    **_DISK,
    "diff_disk_settings": one_block(
        {"option": Attribute(folded_text), "placement": word(unset="cachedisk")}, "diffDiskSettings"
    ),
}
_UNIFORM_OS_DISK: Attributes = {
    **_OS_DISK,
    "secure_vm_disk_encryption_set_id": reference("managedDisk.securityProfile.diskEncryptionSet.id"),
    "security_encryption_type": word("managedDisk.securityProfile.securityEncryptionType"),
}


def _data_disks(found: Any) -> object:
    """Write disks of data; some members are only said of kinds of disks for which they can be chosen."""
    attributes: Attributes = {
        **_DISK,
        "create_option": Attribute(folded_text),
        "disk_iops_read_write": Attribute(number_or_zero, "diskIOPSReadWrite"),
        "disk_mbps_read_write": Attribute(number_or_zero, "diskMBpsReadWrite"),
        "lun": Attribute(number),
    }
    return [
        {name: item.read(name, disk, within="") for name, item in attributes.items()}
        for disk in found
        if isinstance(disk, Mapping)
    ]


_DATA_SHAPES: Mapping[str, Shape] = {
    "caching": folded_text,
    "create_option": default_is("empty", folded_text),
    "disk_encryption_set_id": arm_id,
    "disk_iops_read_write": default_is(0, number),
    "disk_mbps_read_write": default_is(0, number),
    "disk_size_gb": default_is(0, number),
    "lun": number,
    "storage_account_type": text,
    "write_accelerator_enabled": boolean,
}
_RENAMED_DATA_DISK = {
    "ultra_ssd_disk_iops_read_write": "disk_iops_read_write",
    "ultra_ssd_disk_mbps_read_write": "disk_mbps_read_write",
}
_SET: Attributes = {
    **PLACED,
    "additional_capabilities": one_block(
        {"ultra_ssd_enabled": flag("ultraSSDEnabled")}, "properties.additionalCapabilities"
    ),
    "automatic_instance_repair": one_block(
        {
            "enabled": Attribute(boolean),
            "grace_period": Attribute(text),
            "action": word("repairAction", unset="replace"),
        },
        "properties.automaticRepairsPolicy",
    ),
    "boot_diagnostics": Attribute(boot_diagnostics, f"{_PROFILE}.diagnosticsProfile.bootDiagnostics", boot, default=[]),
    "capacity_reservation_group_id": reference(f"{_PROFILE}.capacityReservation.capacityReservationGroup.id"),
    "data_disk": Attribute(
        renamed(keyed("lun", _DATA_SHAPES), _RENAMED_DATA_DISK), f"{_STORAGE}.dataDisks", _data_disks
    ),
    "encryption_at_host_enabled": flag(f"{_PROFILE}.securityProfile.encryptionAtHost"),
    "eviction_policy": word(f"{_PROFILE}.evictionPolicy"),
    "extension_operations_enabled": flag(f"{_OS}.allowExtensionOperations", default=True),
    "extensions_time_budget": Attribute(
        default_is("PT1H30M", text), f"{_PROFILE}.extensionProfile.extensionsTimeBudget"
    ),
    "identity": IDENTITY,
    "instances": Attribute(number_or_zero, "sku.capacity"),
    "max_bid_price": Attribute(default_is(-1, number), f"{_PROFILE}.billingProfile.maxPrice"),
    "platform_fault_domain_count": Attribute(number),
    "priority": word(f"{_PROFILE}.priority", unset="regular"),
    "proximity_placement_group_id": reference("properties.proximityPlacementGroup.id"),
    "single_placement_group": Attribute(boolean),
    "source_image_id": Attribute(arm_id, f"{_STORAGE}.imageReference", image_id),
    "source_image_reference": Attribute(
        block(dict.fromkeys(("publisher", "offer", "sku", "version"), folded_text)), f"{_STORAGE}.imageReference", image
    ),
    "termination_notification": Attribute(
        block({"enabled": boolean, "timeout": default_is("PT5M", text)}),
        f"{_PROFILE}.scheduledEventsProfile.terminateNotificationProfile",
        termination,
    ),
    "upgrade_mode": word(f"{_UPGRADE}.mode", unset="manual"),  # Azure says none of a set without a profile
    "rolling_upgrade_policy": one_block(
        {
            "cross_zone_upgrades_enabled": flag("enableCrossZoneUpgrade"),
            "max_batch_instance_percent": Attribute(number),
            "max_unhealthy_instance_percent": Attribute(number),
            "max_unhealthy_upgraded_instance_percent": Attribute(number),
            "maximum_surge_instances_enabled": flag("maxSurge"),
            "pause_time_between_batches": Attribute(text),
            "prioritize_unhealthy_instances_enabled": flag("prioritizeUnhealthyInstances"),
        },
        f"{_UPGRADE}.rollingUpgradePolicy",
    ),
    "zone_balance": Attribute(boolean),
    "zones": ZONES,
}
_AUTOMATIC = one_block(
    {
        "automatic_os_upgrade_enabled": flag("enableAutomaticOSUpgrade"),
        "disable_automatic_rollback": Attribute(boolean),
    },
    f"{_UPGRADE}.automaticOSUpgradePolicy",
)
_RENAMED_POLICY = {"enable_automatic_os_upgrade": "automatic_os_upgrade_enabled"}


def _upgrades(value: object) -> Canonical:
    """How systems are upgraded: the newest version of the provider says whether an upgrade is rolled back, older ones whether it is not."""
    items = [dict(item) for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    for item in items:
        if isinstance(rolls_back := item.get("automatic_rollback_enabled"), bool):
            item["disable_automatic_rollback"] = not rolls_back
    return renamed(_AUTOMATIC.shape, _RENAMED_POLICY)(items)


_UNIFORM: Attributes = {
    **_SET,
    "admin_username": Attribute(text, f"{_OS}.adminUsername"),
    "automatic_os_upgrade_policy": replace(_AUTOMATIC, shape=_upgrades),
    "computer_name_prefix": Attribute(text, f"{_OS}.computerNamePrefix"),
    "do_not_run_extensions_on_overprovisioned_machines": flag("properties.doNotRunExtensionsOnOverprovisionedVMs"),
    "gallery_application": some_blocks(
        {
            "version_id": reference("packageReferenceId"),
            "configuration_blob_uri": Attribute(text, "configurationReference"),
            "order": Attribute(number_or_zero),
            "tag": Attribute(text, "tags"),
        },
        f"{_PROFILE}.applicationProfile.galleryApplications",
    ),
    "health_probe_id": reference(f"{_NETWORK}.healthProbe.id"),
    "host_group_id": reference("properties.hostGroup.id"),
    "network_interface": _interfaces(_UNIFORM_CONFIGURATION),
    "os_disk": one_block(_UNIFORM_OS_DISK, f"{_STORAGE}.osDisk"),
    "overprovision": Attribute(boolean),
    "resilient_vm_creation_enabled": flag("properties.resiliencyPolicy.resilientVMCreationPolicy.enabled"),
    "resilient_vm_deletion_enabled": flag("properties.resiliencyPolicy.resilientVMDeletionPolicy.enabled"),
    "scale_in": one_block(
        {
            "force_deletion_enabled": flag("forceDeletion"),
            "rule": Attribute(default_is("default", folded_text), "rules", lambda found: found[0] if found else None),
        },
        "properties.scaleInPolicy",
    ),
    "secure_boot_enabled": flag(f"{_PROFILE}.securityProfile.uefiSettings.secureBootEnabled"),
    "sku": word("sku.name"),
    "spot_restore": one_block(
        {"enabled": Attribute(boolean), "timeout": Attribute(default_is("PT1H", text), "restoreTimeout")},
        "properties.spotRestorePolicy",
    ),
    "vtpm_enabled": flag(f"{_PROFILE}.securityProfile.uefiSettings.vTpmEnabled"),
}


def _linux(within: str) -> Attributes:
    where = f"{within}." if within else ""
    return {
        "admin_ssh_key": Attribute(
            set_of(members({"username": text, "public_key": public_key})), f"{where}ssh.publicKeys", ssh_keys
        ),
        "disable_password_authentication": flag(f"{where}disablePasswordAuthentication"),
        "provision_vm_agent": flag(f"{where}provisionVMAgent", default=True),
    }


def _windows(within: str) -> Attributes:
    where = f"{within}." if within else ""
    return {
        "automatic_updates_enabled": flag(f"{where}enableAutomaticUpdates", default=True),
        "provision_vm_agent": flag(f"{where}provisionVMAgent", default=True),
        "timezone": word(f"{where}timeZone"),
        "winrm_listener": some_blocks(
            {"certificate_url": Attribute(text), "protocol": Attribute(folded_text)}, f"{where}winRM.listeners"
        ),
    }


def _updates(found: Any) -> object:
    """Write whether machines update themselves; what Azure says of it is not what was asked for where a set upgrades by itself.

    Source: Terraform AzureRM provider, `windows_virtual_machine_scale_set_resource.go` (its reading leaves it as declared).
    """
    if str(at(found, "upgradePolicy.mode")).lower() == "automatic":
        return NOT_READ
    said = at(found, "virtualMachineProfile.osProfile.windowsConfiguration.enableAutomaticUpdates")
    return True if said is None else said


_UPDATES = Attribute(boolean, "properties", _updates)
_WINDOWS_APART: Attributes = {**_windows(""), "hotpatching_enabled": flag("patchSettings.enableHotpatching")}
_RENAMED_UPDATES = {"enable_automatic_updates": "automatic_updates_enabled"}


def _profile(found: Any) -> object:
    """Write how the machines of a flexible set begin: under the name of their system, with what is said beside it."""
    for name, inner in (("linux", _linux("")), ("windows", _WINDOWS_APART)):
        configuration = at(found, f"{name}Configuration")
        if isinstance(configuration, Mapping):
            told = {key: item.read(key, configuration, within="") for key, item in inner.items()}
            beside = {
                "admin_username": at(found, "adminUsername"),
                "computer_name_prefix": at(found, "computerNamePrefix"),
            }
            patches = {
                "patch_assessment_mode": at(configuration, "patchSettings.assessmentMode"),
                "patch_mode": at(configuration, "patchSettings.patchMode"),
            }
            return [{f"{name}_configuration": [{**told, **beside, **patches}]}]
    return []


def _configuration(inner: Attributes, usual: str) -> Shape:
    return block({
        **{name: item.shape for name, item in inner.items()},
        "admin_username": text,
        "computer_name_prefix": text,
        "patch_assessment_mode": default_is("imagedefault", folded_text),
        "patch_mode": default_is(usual, folded_text),
    })  # fmt: skip


def _size(value: object) -> Canonical:
    """One size of machine, which older versions of the provider write as its name."""
    ranked = members({"name": folded_text, "rank": number})
    return ranked(value if isinstance(value, Mapping) else {"name": value})


def _sizes(found: Any) -> object:
    """Write sizes of machines: Azure counts their ranks from nought, the provider from one."""
    told = [(at(item, "name"), at(item, "rank")) for item in found]
    return [{"name": name, "rank": rank + 1 if isinstance(rank, int) else None} for name, rank in told]


_RENAMED_SIZES = {"vm_sizes": "virtual_machine_size"}
_SKUS = one_block(
    {
        "allocation_strategy": Attribute(folded_text),
        "virtual_machine_size": Attribute(set_of(_size), "vmSizes", _sizes),
    },
    "properties.skuProfile",
)
_ORCHESTRATED: Attributes = {
    **_SET,
    "license_type": Attribute(default_is("None", text), f"{_PROFILE}.licenseType"),
    "network_interface": _interfaces(_CONFIGURATION),
    "os_disk": one_block(_OS_DISK, f"{_STORAGE}.osDisk"),
    "os_profile": Attribute(
        block({
            "linux_configuration": _configuration(_linux(""), "imagedefault"),
            "windows_configuration": renamed(_configuration(_WINDOWS_APART, "automaticbyos"), _RENAMED_UPDATES),
        }),
        _OS,
        _profile,
    ),
    "priority_mix": one_block(
        {
            "base_regular_count": Attribute(number_or_zero, "baseRegularPriorityCount"),
            "regular_percentage_above_base": Attribute(number_or_zero, "regularPriorityPercentageAboveBase"),
        },
        "properties.priorityMixPolicy",
    ),
    "sku_name": word("sku.name"),
    "sku_profile": replace(_SKUS, shape=renamed(_SKUS.shape, _RENAMED_SIZES)),
}  # fmt: skip
_BY_SYSTEM: Mapping[str, Attributes] = {
    "linux": {
        **_UNIFORM,
        **_linux(f"{_OS}.linuxConfiguration"),
        "disk_controller_type": word(f"{_STORAGE}.diskControllerType", default=NOT_READ),
    },
    "windows": {
        **_UNIFORM,
        **_windows(f"{_OS}.windowsConfiguration"),
        "automatic_updates_enabled": _UPDATES,
        "enable_automatic_updates": _UPDATES,
        "license_type": Attribute(default_is("None", text), f"{_PROFILE}.licenseType"),
    },
    "orchestrated": _ORCHESTRATED,
}


# What a flexible set calls members of its extensions.
_RENAMED_EXTENSION = {
    "auto_upgrade_minor_version_enabled": "auto_upgrade_minor_version",
    "extensions_to_provision_after_vm_creation": "provision_after_extensions",
    "force_extension_execution_on_change": "force_update_tag",
}


def _with_extensions(entry: Declared) -> Iterable[Declared]:
    """Put the extensions of a set beside it, as the parts that they are."""
    yield entry
    blocks, key = entry.attributes.get("extension"), key_of(entry.attributes.get("id"))
    for item in blocks if isinstance(blocks, list) else []:
        if isinstance(item, Mapping) and item.get("name") and key:
            name = f"{key}/extensions/{item['name']}".lower()
            attributes = _with_newer_names(item, _RENAMED_EXTENSION)
            yield replace(entry, type=EXTENSION, key=name, attributes=attributes, parent=None)


def _is(kind: str) -> Any:
    return lambda row: set_type(row) == kind


TYPES = (
    *(
        AzureType(
            f"azurerm_{system}_virtual_machine_scale_set",
            ARM,
            attributes,
            when=_is(f"azurerm_{system}_virtual_machine_scale_set"),
            aliases=("azurerm_virtual_machine_scale_set",),
            expand=_with_extensions,
            scaled=frozenset({"instances"}),
            renamed=_RENAMED_UPDATES if system == "windows" else {},
        )
        for system, attributes in _BY_SYSTEM.items()
    ),
    AzureType(
        EXTENSION,
        "",
        {
            "auto_upgrade_minor_version": Attribute(boolean, default=True),
            "automatic_upgrade_enabled": flag("properties.enableAutomaticUpgrade"),
            "failure_suppression_enabled": flag("properties.suppressFailures"),
            "force_update_tag": Attribute(text),
            "protected_settings_from_key_vault": one_block(
                {"secret_url": Attribute(text), "source_vault_id": reference("sourceVault.id")},
                "properties.protectedSettingsFromKeyVault",
            ),
            "provision_after_extensions": Attribute(set_of(text)),
            "publisher": Attribute(text),
            "settings": Attribute(document),
            "type": Attribute(text, "properties.type"),
            "type_handler_version": Attribute(text),
        },
        key=arm_key,
    ),
)
