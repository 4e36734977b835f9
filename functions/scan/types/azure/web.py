"""Web applications, functions and workflows, and the plans they run on.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Web.
"""

from __future__ import annotations

from typing import Any

from ...domain.shapes import Canonical, boolean, number, number_or_zero, text
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
    is_enabled,
    reference,
    word,
)

_PUBLIC = enabled("properties.publicNetworkAccess", default=True)


def _kinds(row: Any) -> set[str]:
    return {item.strip() for item in str(at(row, "kind") or "").lower().split(",")}


def _site(*, is_function: bool, is_linux: bool) -> Any:
    def when(row: Any) -> bool:
        kinds = _kinds(row)
        is_workflow = "workflowapp" in kinds
        return not is_workflow and ("functionapp" in kinds) == is_function and ("linux" in kinds) == is_linux

    return when


def reference_identity(value: object) -> Canonical:
    """Who reads the vault for an application: an identity's id, or the application's own."""
    found = arm_id(value)
    return None if found == "systemassigned" else found


def _routed(member: str, traffic: str) -> Attribute:
    """Declare what goes through the network of an application; newer versions of the API keep it in one place."""

    def spelled(found: Any) -> object:
        newer, older = at(found, f"outboundVnetRouting.{traffic}"), at(found, member)
        return NOT_READ if newer is None and older is None else bool(newer or older)

    return Attribute(boolean, "properties", spelled)


_PULLED = _routed("vnetImagePullEnabled", "imagePullTraffic")
_PLACED_SITE: Attributes = {
    **PLACED,
    "enabled": Attribute(boolean, default=True),
    "https_only": Attribute(boolean),
    "identity": IDENTITY,
    "virtual_network_subnet_id": Attribute(arm_id),
}
_SITE: Attributes = {
    **_PLACED_SITE,
    "client_certificate_enabled": flag("properties.clientCertEnabled"),
    "client_certificate_exclusion_paths": Attribute(text, "properties.clientCertExclusionPaths"),
    "client_certificate_mode": word("properties.clientCertMode", default=NOT_READ),
    "key_vault_reference_identity_id": Attribute(reference_identity, "properties.keyVaultReferenceIdentity"),
    "public_network_access_enabled": _PUBLIC,
    "service_plan_id": reference("properties.serverFarmId"),
    "virtual_network_backup_restore_enabled": _routed("vnetBackupRestoreEnabled", "backupRestoreTraffic"),
}
_WEB_APP: Attributes = {
    **_SITE,
    "client_affinity_enabled": Attribute(boolean),
    "virtual_network_image_pull_enabled": _PULLED,
}
_FUNCTION_APP: Attributes = {
    **_SITE,
    "daily_memory_time_quota": Attribute(number_or_zero),
    "vnet_image_pull_enabled": _PULLED,
}


def _plan_os(row: Any) -> object:
    if at(row, "properties.reserved"):
        return "Linux"
    return "WindowsContainer" if at(row, "properties.hyperV") else "Windows"


def _scales_itself(row: Any) -> object:
    """Say whether a plan scales by itself; that an elastic or a workflow plan does goes without saying."""
    always = str(at(row, "sku.name") or "").upper().startswith(("EP", "WS"))
    return not always and bool(at(row, "properties.elasticScaleEnabled"))


def _certificate_mode(found: Any) -> object:
    """Write how a workflow asks for certificates: the provider says nothing where it does not."""
    return at(found, "clientCertMode") if at(found, "clientCertEnabled") else None


TYPES = (
    AzureType(
        "azurerm_service_plan",
        "microsoft.web/serverfarms",
        {
            **PLACED,
            "app_service_environment_id": reference("properties.hostingEnvironmentProfile.id"),
            "maximum_elastic_worker_count": Attribute(number, default=NOT_READ),
            "os_type": Attribute(text, "", _plan_os),
            "per_site_scaling_enabled": flag("properties.perSiteScaling"),
            "premium_plan_auto_scale_enabled": Attribute(boolean, "", _scales_itself),
            "sku_name": Attribute(text, "sku.name"),
            "worker_count": Attribute(number, "sku.capacity"),
            "zone_balancing_enabled": flag("properties.zoneRedundant"),
        },
        aliases=("azurerm_app_service_plan",),
        scaled=frozenset({"worker_count"}),
    ),
    *(
        AzureType(
            f"azurerm_{system}_{kind}",
            "microsoft.web/sites",
            attributes,
            when=_site(is_function=kind == "function_app", is_linux=system == "linux"),
            aliases=(alias,),
        )
        for system in ("linux", "windows")
        for kind, attributes, alias in (
            ("web_app", _WEB_APP, "azurerm_app_service"),
            ("function_app", _FUNCTION_APP, "azurerm_function_app"),
        )
    ),
    AzureType(
        "azurerm_logic_app_standard",
        "microsoft.web/sites",
        {
            **_PLACED_SITE,
            "app_service_plan_id": reference("properties.serverFarmId"),
            "client_affinity_enabled": Attribute(boolean),
            "client_certificate_mode": Attribute(text, "properties", _certificate_mode),
            "public_network_access": word(default="Enabled"),
            "vnet_content_share_enabled": _routed("vnetContentShareEnabled", "contentShareTraffic"),
        },
        when=lambda row: "workflowapp" in _kinds(row),
    ),
    AzureType(
        "azurerm_static_web_app",
        "microsoft.web/staticsites",
        {
            **PLACED,
            "configuration_file_changes_enabled": flag("properties.allowConfigFileUpdates", default=NOT_READ),
            "identity": IDENTITY,
            "preview_environments_enabled": Attribute(
                boolean, "properties.stagingEnvironmentPolicy", is_enabled, default=NOT_READ
            ),
            "public_network_access_enabled": _PUBLIC,
            "repository_branch": Attribute(text, "properties.branch"),
            "repository_url": Attribute(text, "properties.repositoryUrl"),
            "sku_size": Attribute(text, "sku.name"),
            "sku_tier": Attribute(text, "sku.tier"),
        },
    ),
)
