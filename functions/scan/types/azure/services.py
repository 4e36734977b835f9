"""Applications, messages, and what watches over them.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Web,
Microsoft.ServiceBus, Microsoft.EventHub, Microsoft.EventGrid, Microsoft.Insights, Microsoft.OperationalInsights and others.
"""

from __future__ import annotations

from typing import Any

from ...domain.shapes import Canonical, boolean, default_is, folded_text, number, set_of, text
from .ids import arm_id
from .mapping import (
    IDENTITY,
    LOCATION,
    PLACED,
    TAGS,
    Attribute,
    AzureType,
    at,
    inverted,
    is_enabled,
    named_blocks,
)

_PUBLIC = Attribute(boolean, "properties.publicNetworkAccess", is_enabled, default=True)
_LOCAL = Attribute(boolean, "properties.disableLocalAuth", inverted, default=True)


def _kinds(row: Any) -> set[str]:
    return {word.strip() for word in str(at(row, "kind") or "").lower().split(",")}


def _site(*, is_function: bool, is_linux: bool) -> Any:
    def when(row: Any) -> bool:
        kinds = _kinds(row)
        is_workflow = "workflowapp" in kinds
        return not is_workflow and ("functionapp" in kinds) == is_function and ("linux" in kinds) == is_linux

    return when


_SITE = {
    **PLACED,
    "client_certificate_enabled": Attribute(boolean, "properties.clientCertEnabled"),
    "enabled": Attribute(boolean, default=True),
    "https_only": Attribute(boolean),
    "identity": IDENTITY,
    "public_network_access_enabled": _PUBLIC,
    "service_plan_id": Attribute(arm_id, "properties.serverFarmId"),
    "virtual_network_subnet_id": Attribute(arm_id),
}


def duration(value: object) -> Canonical:
    """An ISO 8601 duration; the longest one that .NET knows means "never"."""
    found = text(value)
    return None if isinstance(found, str) and found.startswith("P10675199D") else found


def _message_size(value: object) -> object:
    return int(str(value))


def _plan_os(row: Any) -> object:
    if at(row, "properties.reserved"):
        return "Linux"
    return "WindowsContainer" if at(row, "properties.hyperV") else "Windows"


TYPES = (
    AzureType(
        "azurerm_service_plan",
        "microsoft.web/serverfarms",
        {
            **PLACED,
            "os_type": Attribute(text, "", _plan_os),
            "per_site_scaling_enabled": Attribute(boolean, "properties.perSiteScaling"),
            "sku_name": Attribute(text, "sku.name"),
            "worker_count": Attribute(number, "sku.capacity"),
            "zone_balancing_enabled": Attribute(boolean, "properties.zoneRedundant"),
        },
        aliases=("azurerm_app_service_plan",),
    ),
    *(
        AzureType(
            f"azurerm_{system}_{word}",
            "microsoft.web/sites",
            {**_SITE, **({} if is_function else {"client_affinity_enabled": Attribute(boolean)})},
            when=_site(is_function=is_function, is_linux=system == "linux"),
            aliases=("azurerm_function_app",) if is_function else ("azurerm_app_service",),
        )
        for system in ("linux", "windows")
        for word, is_function in (("web_app", False), ("function_app", True))
    ),
    AzureType(
        "azurerm_logic_app_standard",
        "microsoft.web/sites",
        {
            **PLACED,
            "app_service_plan_id": Attribute(arm_id, "properties.serverFarmId"),
            "enabled": Attribute(boolean, default=True),
            "https_only": Attribute(boolean),
            "identity": IDENTITY,
        },
        when=lambda row: "workflowapp" in _kinds(row),
    ),
    AzureType(
        "azurerm_static_web_app",
        "microsoft.web/staticsites",
        {**PLACED, "sku_size": Attribute(text, "sku.name"), "sku_tier": Attribute(text, "sku.tier")},
    ),
    AzureType(
        "azurerm_servicebus_namespace",
        "microsoft.servicebus/namespaces",
        {
            **PLACED,
            "capacity": Attribute(default_is(0, number), "sku.capacity"),
            "identity": IDENTITY,
            "local_auth_enabled": _LOCAL,
            "minimum_tls_version": Attribute(text, default="1.2"),
            "premium_messaging_partitions": Attribute(default_is(0, number)),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_servicebus_queue",
        "microsoft.servicebus/namespaces/queues",
        {
            "auto_delete_on_idle": Attribute(duration),
            "dead_lettering_on_message_expiration": Attribute(boolean),
            "default_message_ttl": Attribute(duration, "properties.defaultMessageTimeToLive"),
            "lock_duration": Attribute(duration),
            "max_delivery_count": Attribute(number),
            "max_size_in_megabytes": Attribute(number, "properties.maxSizeInMegabytes", _message_size),
            "partitioning_enabled": Attribute(boolean, "properties.enablePartitioning"),
            "requires_duplicate_detection": Attribute(boolean),
            "requires_session": Attribute(boolean),
        },
    ),
    AzureType(
        "azurerm_servicebus_topic",
        "microsoft.servicebus/namespaces/topics",
        {
            "auto_delete_on_idle": Attribute(duration),
            "default_message_ttl": Attribute(duration, "properties.defaultMessageTimeToLive"),
            "max_size_in_megabytes": Attribute(number, "properties.maxSizeInMegabytes", _message_size),
            "partitioning_enabled": Attribute(boolean, "properties.enablePartitioning"),
            "requires_duplicate_detection": Attribute(boolean),
            "support_ordering": Attribute(boolean),
        },
    ),
    AzureType(
        "azurerm_eventhub_namespace",
        "microsoft.eventhub/namespaces",
        {
            **PLACED,
            "auto_inflate_enabled": Attribute(boolean, "properties.isAutoInflateEnabled"),
            "capacity": Attribute(number, "sku.capacity"),
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "maximum_throughput_units": Attribute(default_is(0, number)),
            "minimum_tls_version": Attribute(text, default="1.2"),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_eventhub",
        "microsoft.eventhub/namespaces/eventhubs",
        {
            "message_retention": Attribute(number, "properties.messageRetentionInDays"),
            "partition_count": Attribute(number),
            "status": Attribute(default_is("active", folded_text)),
        },
    ),
    AzureType(
        "azurerm_eventgrid_topic",
        "microsoft.eventgrid/topics",
        {
            **PLACED,
            "identity": IDENTITY,
            "input_schema": Attribute(text),
            "local_auth_enabled": _LOCAL,
            "public_network_access_enabled": _PUBLIC,
        },
    ),
    AzureType(
        "azurerm_log_analytics_workspace",
        "microsoft.operationalinsights/workspaces",
        {
            **PLACED,
            "daily_quota_gb": Attribute(number, "properties.workspaceCapping.dailyQuotaGb", default=-1),
            "internet_ingestion_enabled": Attribute(
                boolean, "properties.publicNetworkAccessForIngestion", is_enabled, default=True
            ),
            "internet_query_enabled": Attribute(
                boolean, "properties.publicNetworkAccessForQuery", is_enabled, default=True
            ),
            "retention_in_days": Attribute(number),
            "sku": Attribute(folded_text, "properties.sku.name"),
        },
    ),
    AzureType(
        "azurerm_application_insights",
        "microsoft.insights/components",
        {
            **PLACED,
            "application_type": Attribute(text, "properties.Application_Type"),
            "disable_ip_masking": Attribute(boolean, "properties.DisableIpMasking"),
            "local_authentication_disabled": Attribute(boolean, "properties.DisableLocalAuth"),
            "retention_in_days": Attribute(number, "properties.RetentionInDays"),
            "workspace_id": Attribute(arm_id, "properties.WorkspaceResourceId"),
        },
    ),
    AzureType(
        "azurerm_monitor_action_group",
        "microsoft.insights/actiongroups",
        {
            "tags": TAGS,
            "email_receiver": named_blocks(
                {
                    "email_address": Attribute(text, "emailAddress"),
                    "use_common_alert_schema": Attribute(boolean, "useCommonAlertSchema"),
                },
                "properties.emailReceivers",
            ),
            "enabled": Attribute(boolean),
            "short_name": Attribute(text, "properties.groupShortName"),
        },
    ),
    AzureType(
        "azurerm_monitor_metric_alert",
        "microsoft.insights/metricalerts",
        {
            "tags": TAGS,
            "auto_mitigate": Attribute(boolean, default=True),
            "description": Attribute(text),
            "enabled": Attribute(boolean),
            "frequency": Attribute(text, "properties.evaluationFrequency"),
            "scopes": Attribute(set_of(arm_id)),
            "severity": Attribute(number),
            "window_size": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_monitor_smart_detector_alert_rule",
        "microsoft.alertsmanagement/smartdetectoralertrules",
        {
            "tags": TAGS,
            "description": Attribute(text),
            "detector_type": Attribute(text, "properties.detector.id"),
            "enabled": Attribute(boolean, "properties.state", is_enabled),
            "frequency": Attribute(text),
            "scope_resource_ids": Attribute(set_of(arm_id), "properties.scope"),
            "severity": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_data_factory",
        "microsoft.datafactory/factories",
        {**PLACED, "identity": IDENTITY, "public_network_enabled": _PUBLIC},
    ),
    AzureType(
        "azurerm_databricks_workspace",
        "microsoft.databricks/workspaces",
        {
            **PLACED,
            "managed_resource_group_id": Attribute(arm_id),
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_recovery_services_vault",
        "microsoft.recoveryservices/vaults",
        {
            **PLACED,
            "identity": IDENTITY,
            "public_network_access_enabled": _PUBLIC,
            "sku": Attribute(text, "sku.name"),
            "storage_mode_type": Attribute(text, "properties.redundancySettings.standardTierStorageRedundancy"),
        },
    ),
    AzureType(
        "azurerm_automation_account",
        "microsoft.automation/automationaccounts",
        {
            **PLACED,
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "public_network_access_enabled": Attribute(boolean, default=True, path="properties.publicNetworkAccess"),
            "sku_name": Attribute(text, "properties.sku.name"),
        },
    ),
    AzureType(
        "azurerm_app_configuration",
        "microsoft.appconfiguration/configurationstores",
        {
            **PLACED,
            "identity": IDENTITY,
            "local_auth_enabled": _LOCAL,
            "purge_protection_enabled": Attribute(boolean, "properties.enablePurgeProtection"),
            "sku": Attribute(folded_text, "sku.name"),
            "soft_delete_retention_days": Attribute(default_is(0, number), "properties.softDeleteRetentionInDays"),
        },
    ),
    AzureType(
        "azurerm_cognitive_account",
        "microsoft.cognitiveservices/accounts",
        {
            **PLACED,
            "custom_subdomain_name": Attribute(text, "properties.customSubDomainName"),
            "identity": IDENTITY,
            "kind": Attribute(text, "kind"),
            "local_auth_enabled": _LOCAL,
            "public_network_access_enabled": _PUBLIC,
            "sku_name": Attribute(text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_search_service",
        "microsoft.search/searchservices",
        {
            "location": LOCATION,
            "tags": TAGS,
            "identity": IDENTITY,
            "local_authentication_enabled": _LOCAL,
            "partition_count": Attribute(number),
            "public_network_access_enabled": _PUBLIC,
            "replica_count": Attribute(number),
            "sku": Attribute(folded_text, "sku.name"),
        },
    ),
    AzureType(
        "azurerm_api_management",
        "microsoft.apimanagement/service",
        {
            **PLACED,
            "identity": IDENTITY,
            "public_network_access_enabled": _PUBLIC,
            "publisher_email": Attribute(text),
            "publisher_name": Attribute(text),
            "sku_name": Attribute(text, "sku", lambda found: f"{at(found, 'name')}_{at(found, 'capacity')}"),
            "virtual_network_type": Attribute(default_is("none", folded_text)),
        },
    ),
)
