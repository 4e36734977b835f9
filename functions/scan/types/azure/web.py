"""Web applications, functions and workflows, and the plans they run on.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Web.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
    Row,
    at,
    enabled,
    flag,
    heads_of,
    is_enabled,
    one_block,
    reference,
    word,
)
from .web_rules import HEALING, SERVED, stack

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


SITES: Final = "microsoft.web/sites"
SETTINGS: Final = "settings"
"""Where the reader puts what `config/web` of a site says."""
_MOST_PRIORITY: Final = 2**31 - 1


def has_settings(row: Row) -> bool:
    """Say whether anything of the settings of a site is compared."""
    return "workflowapp" not in _kinds(row)


def _is_everybody(rule: Any) -> bool:
    """Say whether a rule is the last one, which App Service writes itself: the provider says nothing of it.

    Source: App Service documentation, "Set up Azure App Service access restrictions".
    """
    return str(at(rule, "ipAddress")).lower() == "any" and at(rule, "priority") in {None, _MOST_PRIORITY}


def _rules(found: Any) -> object:
    kept = [rule for rule in found if isinstance(rule, Mapping) and not _is_everybody(rule)]
    return [] if len(kept) == 1 and _opens(kept[0]) else [_rule(rule) for rule in kept]


def _opens(rule: Row) -> bool:
    """Say whether a rule, alone, is what older sites have where nobody made one."""
    return (at(rule, "ipAddress"), at(rule, "action"), at(rule, "name")) == ("Any", "Allow", "Allow all")


def _rule(rule: Row) -> dict[str, object]:
    address, headers = at(rule, "ipAddress"), at(rule, "headers")
    is_tag = str(at(rule, "tag")).lower() == "servicetag"
    return {
        "action": at(rule, "action"),
        "description": at(rule, "description"),
        "headers": [{name: at(headers, spelled) or [] for name, spelled in _HEADERS.items()}] if headers else [],
        "ip_address": None if is_tag else address,
        "name": at(rule, "name"),
        "priority": at(rule, "priority"),
        "service_tag": address if is_tag else None,
        "virtual_network_subnet_id": at(rule, "vnetSubnetResourceId"),
    }


_HEADERS = {
    "x_azure_fdid": "x-azure-fdid",
    "x_fd_health_probe": "x-fd-healthprobe",
    "x_forwarded_for": "x-forwarded-for",
    "x_forwarded_host": "x-forwarded-host",
}
_RULE = set_of(
    members(
        {
            "action": default_is("allow", folded_text),
            "description": text,
            "headers": block(dict.fromkeys(_HEADERS, set_of(text))),
            "ip_address": text,
            "name": text,
            "priority": default_is(65000, number),
            "service_tag": text,
            "virtual_network_subnet_id": arm_id,
        }
    )
)
_COMMON_SETTINGS: Attributes = {
    "always_on": Attribute(boolean),
    "api_definition_url": Attribute(text, "apiDefinition.url"),
    "api_management_api_id": reference("apiManagementConfig.id"),
    "app_command_line": Attribute(text),
    "container_registry_managed_identity_client_id": Attribute(text, "acrUserManagedIdentityID"),
    "container_registry_use_managed_identity": flag("acrUseManagedIdentityCreds"),
    "cors": one_block({"allowed_origins": Attribute(set_of(text)), "support_credentials": Attribute(boolean)}, "cors"),
    "default_documents": Attribute(list_of(text)),
    "ftps_state": word(),
    "health_check_path": Attribute(text),
    "http2_enabled": flag("http20Enabled"),
    "ip_restriction": Attribute(_RULE, "ipSecurityRestrictions", _rules),
    "ip_restriction_default_action": word("ipSecurityRestrictionsDefaultAction", unset="allow"),
    "load_balancing_mode": word("loadBalancing"),
    "managed_pipeline_mode": word(),
    "minimum_tls_version": Attribute(text, "minTlsVersion"),
    "remote_debugging_enabled": Attribute(boolean),
    "scm_ip_restriction": Attribute(_RULE, "scmIpSecurityRestrictions", _rules),
    "scm_ip_restriction_default_action": word("scmIpSecurityRestrictionsDefaultAction", unset="allow"),
    "scm_minimum_tls_version": Attribute(text, "scmMinTlsVersion"),
    "scm_use_main_ip_restriction": flag("scmIpSecurityRestrictionsUseMain"),
    "use_32_bit_worker": flag("use32BitWorkerProcess"),
    "vnet_route_all_enabled": Attribute(boolean),
    "websockets_enabled": flag("webSocketsEnabled"),
    "worker_count": Attribute(number, "numberOfWorkers"),
}
_FUNCTION_SETTINGS: Attributes = {
    **_COMMON_SETTINGS,
    "app_scale_limit": Attribute(number_or_zero, "functionAppScaleLimit"),
    "elastic_instance_minimum": Attribute(number_or_zero, "minimumElasticInstanceCount"),
    "pre_warmed_instance_count": Attribute(number_or_zero),
    "runtime_scale_monitoring_enabled": flag("functionsRuntimeScaleMonitoringEnabled"),
}
_WEB_SETTINGS: Attributes = {
    **_COMMON_SETTINGS,
    "auto_heal_setting": HEALING,
    "local_mysql_enabled": flag("localMySqlEnabled"),
    "minimum_tls_cipher_suite": Attribute(text, "minTlsCipherSuite"),
}
# What else a machine runs the provider tells in a form that takes settings of the application as well.
_SETTINGS: Mapping[tuple[str, str], Attributes] = {
    ("linux", "web_app"): {**_WEB_SETTINGS, "linux_fx_version": Attribute(stack)},
    ("linux", "function_app"): {**_FUNCTION_SETTINGS, "linux_fx_version": Attribute(stack)},
    ("windows", "web_app"): {**_WEB_SETTINGS, **SERVED, "windows_fx_version": Attribute(stack)},
    ("windows", "function_app"): {**_FUNCTION_SETTINGS, "windows_fx_version": Attribute(stack)},
}
SETTINGS_KEPT: Final = heads_of(*_SETTINGS.values())


def _settings(system: str, kind: str) -> Attribute:
    return one_block(_SETTINGS[system, kind], SETTINGS, default=NOT_READ)


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
            SITES,
            {**attributes, "site_config": _settings(system, kind)},
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
        SITES,
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
