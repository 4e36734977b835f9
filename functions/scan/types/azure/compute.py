"""Machines and disks.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...domain.resources import Declared, Parent
from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    document,
    folded_text,
    list_of,
    members,
    number,
    set_of,
    text,
)
from .ids import arm_id, key_of
from .mapping import (
    IDENTITY,
    NOT_READ,
    PLACED,
    TAGS,
    Attribute,
    Attributes,
    AzureType,
    at,
    enabled,
    flag,
    ids,
    one_block,
    reference,
    some_blocks,
    word,
)

_OS = "properties.storageProfile.osDisk"
_OS_DISK = one_block(
    {
        "caching": Attribute(folded_text),
        "diff_disk_settings": one_block(
            {"option": Attribute(folded_text), "placement": word(unset="cachedisk")}, "diffDiskSettings"
        ),
        "disk_encryption_set_id": reference("managedDisk.diskEncryptionSet.id"),
        "name": Attribute(text),
        "secure_vm_disk_encryption_set_id": reference("managedDisk.securityProfile.diskEncryptionSet.id"),
        "security_encryption_type": word("managedDisk.securityProfile.securityEncryptionType"),
        "write_accelerator_enabled": Attribute(boolean),
    },
    _OS,
)


def boot(found: Any) -> object:
    return [{"storage_account_uri": at(found, "storageUri") or ""}] if at(found, "enabled") else []


def boot_diagnostics(value: object) -> Canonical:
    """Where what a machine says at its start is kept: an account, or one that Azure manages (a block without an account)."""
    item = value[0] if isinstance(value, list) and value else None
    if not isinstance(value, list) or not value:
        return None
    return text(item.get("storage_account_uri")) or "managed" if isinstance(item, Mapping) else "managed"


def image(found: Any) -> object:
    """Write the image of the marketplace that a machine is made from; one made from its own image has an id instead."""
    if any(at(found, name) for name in ("id", "communityGalleryImageId", "sharedGalleryImageId")):
        return []
    return [{name: at(found, name) for name in ("publisher", "offer", "sku", "version")}]


def image_id(found: Any) -> object:
    return at(found, "sharedGalleryImageId") or at(found, "communityGalleryImageId") or at(found, "id")


def termination(found: Any) -> object:
    return [{"enabled": at(found, "enable"), "timeout": at(found, "notBeforeTimeout")}]


def ssh_keys(found: Any) -> object:
    return [
        {
            "username": str(at(item, "path") or "").removeprefix("/home/").partition("/")[0],
            "public_key": at(item, "keyData"),
        }
        for item in found
    ]


def public_key(value: object) -> Canonical:
    """A public key, which is one line however it is broken."""
    return text("".join(str(value or "").splitlines()).strip())


_MACHINE: Attributes = {
    **PLACED,
    "additional_capabilities": one_block(
        {"hibernation_enabled": Attribute(boolean), "ultra_ssd_enabled": flag("ultraSSDEnabled")},
        "properties.additionalCapabilities",
    ),
    "admin_username": Attribute(text, "properties.osProfile.adminUsername"),
    "allow_extension_operations": flag("properties.osProfile.allowExtensionOperations", default=True),
    "availability_set_id": reference("properties.availabilitySet.id"),
    "boot_diagnostics": Attribute(boot_diagnostics, "properties.diagnosticsProfile.bootDiagnostics", boot, default=[]),
    "capacity_reservation_group_id": reference("properties.capacityReservation.capacityReservationGroup.id"),
    "computer_name": Attribute(text, "properties.osProfile.computerName"),
    "dedicated_host_group_id": reference("properties.hostGroup.id"),
    "dedicated_host_id": reference("properties.host.id"),
    "disk_controller_type": word("properties.storageProfile.diskControllerType", default=NOT_READ),
    "encryption_at_host_enabled": flag("properties.securityProfile.encryptionAtHost"),
    "eviction_policy": Attribute(folded_text),
    "extensions_time_budget": Attribute(default_is("PT1H30M", text)),
    "identity": IDENTITY,
    "license_type": Attribute(default_is("None", text)),
    "max_bid_price": Attribute(default_is(-1, number), "properties.billingProfile.maxPrice"),
    "network_interface_ids": Attribute(list_of(arm_id), "properties.networkProfile.networkInterfaces", ids),
    "os_disk": _OS_DISK,
    "platform_fault_domain": Attribute(default_is(-1, number)),
    "priority": Attribute(default_is("regular", folded_text)),
    "proximity_placement_group_id": reference("properties.proximityPlacementGroup.id"),
    "secure_boot_enabled": flag("properties.securityProfile.uefiSettings.secureBootEnabled"),
    "size": word("properties.hardwareProfile.vmSize"),
    "source_image_id": Attribute(arm_id, "properties.storageProfile.imageReference", image_id),
    "source_image_reference": Attribute(
        block(dict.fromkeys(("publisher", "offer", "sku", "version"), folded_text)),
        "properties.storageProfile.imageReference",
        image,
    ),
    "termination_notification": Attribute(
        block({"enabled": boolean, "timeout": default_is("PT5M", text)}),
        "properties.scheduledEventsProfile.terminateNotificationProfile",
        termination,
    ),
    "virtual_machine_scale_set_id": reference("properties.virtualMachineScaleSet.id"),
    "vtpm_enabled": flag("properties.securityProfile.uefiSettings.vTpmEnabled"),
    "zone": Attribute(text, "zones", lambda found: found[0] if found else None),
}


def _patching(configuration: str, usual: str) -> Attributes:
    """Make the attributes of how a machine is kept up to date.

    Args:
        configuration: where ARM keeps it.
        usual: the patch mode, in lower case, that Azure gives a machine without one.
    """
    patches = f"{configuration}.patchSettings"
    platform = f"{patches}.automaticByPlatformSettings"
    return {
        "bypass_platform_safety_checks_on_user_schedule_enabled": flag(
            f"{platform}.bypassPlatformSafetyChecksOnUserSchedule"
        ),
        "patch_assessment_mode": word(f"{patches}.assessmentMode", unset="imagedefault"),
        "patch_mode": word(f"{patches}.patchMode", unset=usual),
        "provision_vm_agent": flag(f"{configuration}.provisionVMAgent", default=True),
        "reboot_setting": word(f"{platform}.rebootSetting"),
    }


_LINUX = "properties.osProfile.linuxConfiguration"
_WINDOWS = "properties.osProfile.windowsConfiguration"
_UPDATES = flag(f"{_WINDOWS}.enableAutomaticUpdates", default=True)
_BY_SYSTEM: Mapping[str, Attributes] = {
    "linux": {
        **_patching(_LINUX, "imagedefault"),
        "admin_ssh_key": Attribute(
            set_of(members({"username": text, "public_key": public_key})), f"{_LINUX}.ssh.publicKeys", ssh_keys
        ),
        "disable_password_authentication": flag(f"{_LINUX}.disablePasswordAuthentication"),
    },
    "windows": {
        **_patching(_WINDOWS, "automaticbyos"),
        "automatic_updates_enabled": _UPDATES,
        "enable_automatic_updates": _UPDATES,
        "hotpatching_enabled": flag(f"{_WINDOWS}.patchSettings.enableHotpatching"),
        "timezone": word(f"{_WINDOWS}.timeZone"),
        "winrm_listener": some_blocks(
            {"certificate_url": Attribute(text), "protocol": Attribute(folded_text)}, f"{_WINDOWS}.winRM.listeners"
        ),
    },
}


def _with_disk(entry: Declared) -> Iterable[Declared]:
    """Put the disk of the system beside its machine: ARM says there what it is, and of a machine without a host only there.

    A disk on the host itself is no resource. A state of an older provider does not say which disk it is.
    """
    yield entry
    blocks = entry.attributes.get("os_disk")
    disk = blocks[0] if isinstance(blocks, list) and blocks else None
    if not isinstance(disk, Mapping) or disk.get("diff_disk_settings"):
        return
    key = key_of(disk.get("id") or entry.attributes.get("os_managed_disk_id"))
    if key is not None:
        told = {name: disk[name] for name in ("disk_size_gb", "storage_account_type") if disk.get(name)}
        yield replace(entry, type="azurerm_managed_disk", key=key, attributes=told, parent=None)


def _is_os(system: str) -> Any:
    return lambda row: str(at(row, f"{_OS}.osType") or "").lower() == system


def machine_type(os_type: object) -> str:
    """Name the Terraform type of a machine by its operating system."""
    return "azurerm_windows_virtual_machine" if str(os_type).lower() == "windows" else "azurerm_linux_virtual_machine"


def disk_parent(row: Any) -> Parent | None:
    """Return the machine whose `os_disk` block describes a disk: Azure makes that disk with its machine."""
    machine, os_type = key_of(at(row, "managedBy")), at(row, "properties.osType")
    return Parent(machine_type(os_type), machine, "os_disk") if machine and os_type else None


_TRUSTED = Attribute(
    boolean, "properties.securityProfile.securityType", lambda found: str(found).lower() == "trustedlaunch"
)
_ACCESS: Attributes = {
    "disk_access_id": Attribute(arm_id),
    "network_access_policy": word(unset="allowall"),
    "public_network_access_enabled": enabled("properties.publicNetworkAccess", default=True),
    "trusted_launch_enabled": _TRUSTED,
}


def _security_type(found: Any) -> object:
    return None if str(found).lower() in {"standard", "trustedlaunch"} else found


def _key_url(found: Any) -> object:
    """Write the key of an encryption set; where Azure takes the newest version by itself, the version is not what anybody declared."""
    return NOT_READ if at(found, "rotationToLatestKeyVersionEnabled") else at(found, "activeKey.keyUrl")


TYPES = (
    *(
        AzureType(
            f"azurerm_{system}_virtual_machine",
            "microsoft.compute/virtualmachines",
            {**_MACHINE, **more},
            when=_is_os(system),
            aliases=("azurerm_virtual_machine",),
            expand=_with_disk,
            renamed={"enable_automatic_updates": "automatic_updates_enabled"},
        )
        for system, more in _BY_SYSTEM.items()
    ),
    AzureType(
        "azurerm_virtual_machine_extension",
        "microsoft.compute/virtualmachines/extensions",
        {
            "auto_upgrade_minor_version": Attribute(boolean),
            "automatic_upgrade_enabled": Attribute(boolean, "properties.enableAutomaticUpgrade"),
            "failure_suppression_enabled": flag("properties.suppressFailures"),
            "provision_after_extensions": Attribute(set_of(text)),
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
            "disk_iops_read_only": Attribute(default_is(0, number), "properties.diskIOPSReadOnly"),
            "disk_mbps_read_only": Attribute(default_is(0, number), "properties.diskMBpsReadOnly"),
            "hyper_v_generation": word("properties.hyperVGeneration"),
            "max_shares": Attribute(default_is(0, number)),
            "on_demand_bursting_enabled": flag("properties.burstingEnabled"),
            "optimized_frequent_attach_enabled": flag("properties.optimizedForFrequentAttach"),
            "os_type": word(),
            "performance_plus_enabled": flag("properties.creationData.performancePlus"),
            "secure_vm_disk_encryption_set_id": reference("properties.securityProfile.secureVMDiskEncryptionSetId"),
            "security_type": Attribute(folded_text, "properties.securityProfile.securityType", _security_type),
            "storage_account_type": Attribute(text, "sku.name"),
            "tier": word(default=NOT_READ),
            **_ACCESS,
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
            "source_resource_id": reference("properties.creationData.sourceResourceId"),
            **_ACCESS,
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
            "proximity_placement_group_id": reference("properties.proximityPlacementGroup.id"),
        },
    ),
    AzureType(
        "azurerm_proximity_placement_group",
        "microsoft.compute/proximityplacementgroups",
        {
            **PLACED,
            "allowed_vm_sizes": Attribute(set_of(folded_text), "properties.intent.vmSizes"),
            "zone": Attribute(text, "zones", lambda found: found[0] if found else None),
        },
    ),
    AzureType(
        "azurerm_ssh_public_key",
        "microsoft.compute/sshpublickeys",
        {**PLACED, "public_key": Attribute(public_key)},
    ),
    AzureType(
        "azurerm_disk_encryption_set",
        "microsoft.compute/diskencryptionsets",
        {
            **PLACED,
            "auto_key_rotation_enabled": Attribute(boolean, "properties.rotationToLatestKeyVersionEnabled"),
            "encryption_type": Attribute(default_is("encryptionatrestwithcustomerkey", folded_text)),
            "federated_client_id": word(unset="none"),
            "identity": IDENTITY,
            "key_vault_key_id": Attribute(text, "properties", _key_url),
        },
    ),
)
