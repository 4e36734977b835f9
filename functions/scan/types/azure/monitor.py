"""What watches: workspaces, components, alerts, and whom they tell.

Source: Terraform AzureRM provider 4, resource documentation of each type; ARM template reference, Microsoft.Insights,
Microsoft.OperationalInsights and Microsoft.AlertsManagement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...domain.shapes import Shape, block, boolean, default_is, folded_text, members, number, set_of, string_map, text
from .ids import arm_id
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
    inverted,
    named_blocks,
    reference,
    some_blocks,
    word,
)

_COMMON = {"use_common_alert_schema": flag("useCommonAlertSchema")}
_MAIL = Attribute(text, "emailAddress")


def _directory(found: Any) -> object:
    """Write how a receiver of calls is signed in to, when it is at all."""
    if not at(found, "useAadAuth"):
        return []
    return [{name: at(found, member) for name, member in _DIRECTORY.items()}]


_DIRECTORY = {"identifier_uri": "identifierUri", "object_id": "objectId", "tenant_id": "tenantId"}
_PHONE: Attributes = {"country_code": Attribute(text, "countryCode"), "phone_number": Attribute(text, "phoneNumber")}
# Terraform's block -> (where ARM has them, what one of them says)
_RECEIVERS: Mapping[str, tuple[str, Attributes]] = {
    "arm_role_receiver": ("armRoleReceivers", {"role_id": word("roleId"), **_COMMON}),
    "automation_runbook_receiver": (
        "automationRunbookReceivers",
        {
            "automation_account_id": Attribute(arm_id, "automationAccountId"),
            "is_global_runbook": flag("isGlobalRunbook"),
            "runbook_name": Attribute(text, "runbookName"),
            "webhook_resource_id": Attribute(arm_id, "webhookResourceId"),
            **_COMMON,
        },
    ),
    "azure_app_push_receiver": ("azureAppPushReceivers", {"email_address": _MAIL}),
    "azure_function_receiver": (
        "azureFunctionReceivers",
        {
            "function_app_resource_id": Attribute(arm_id, "functionAppResourceId"),
            "function_name": Attribute(text, "functionName"),
            **_COMMON,
        },
    ),
    "email_receiver": ("emailReceivers", {"email_address": _MAIL, **_COMMON}),
    "event_hub_receiver": (
        "eventHubReceivers",
        {
            "event_hub_name": Attribute(text, "eventHubName"),
            "event_hub_namespace": Attribute(text, "eventHubNameSpace"),
            "subscription_id": word("subscriptionId"),
            **_COMMON,
        },
    ),
    "logic_app_receiver": ("logicAppReceivers", {"resource_id": Attribute(arm_id, "resourceId"), **_COMMON}),
    "sms_receiver": ("smsReceivers", _PHONE),
    "voice_receiver": ("voiceReceivers", _PHONE),
    "webhook_receiver": (
        "webhookReceivers",
        {
            "aad_auth": Attribute(block(dict.fromkeys(_DIRECTORY, folded_text)), "", _directory),
            "service_uri": Attribute(text, "serviceUri"),
            **_COMMON,
        },
    ),
}

_DIMENSION = set_of(members({"name": text, "operator": folded_text, "values": set_of(text)}))
_CRITERION: Mapping[str, Shape] = {
    "aggregation": folded_text,
    "dimension": _DIMENSION,
    "metric_name": text,
    "metric_namespace": folded_text,
    "operator": folded_text,
    "skip_metric_validation": boolean,
}
_STATIC: Mapping[str, Shape] = {**_CRITERION, "threshold": number}
_DYNAMIC: Mapping[str, Shape] = {
    **_CRITERION,
    "alert_sensitivity": folded_text,
    "evaluation_failure_count": default_is(4, number),
    "evaluation_total_count": default_is(4, number),
    "ignore_data_before": text,
}


def _criteria(found: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    items = at(found, "allOf") or []
    yield from (item for item in items if str(at(item, "criterionType") or "staticthresholdcriterion").lower() == kind)


def _criterion(item: Any) -> dict[str, object]:
    return {
        "aggregation": at(item, "timeAggregation"),
        "dimension": at(item, "dimensions") or [],
        "metric_name": at(item, "metricName"),
        "metric_namespace": at(item, "metricNamespace"),
        "operator": at(item, "operator"),
        "skip_metric_validation": at(item, "skipMetricValidation"),
    }


def _static(found: Any) -> object:
    return [
        {**_criterion(item), "threshold": at(item, "threshold")}
        for item in _criteria(found, "staticthresholdcriterion")
    ]


def _dynamic(found: Any) -> object:
    return [
        {
            **_criterion(item),
            "alert_sensitivity": at(item, "alertSensitivity"),
            "evaluation_failure_count": at(item, "failingPeriods.minFailingPeriodsToAlert"),
            "evaluation_total_count": at(item, "failingPeriods.numberOfEvaluationPeriods"),
            "ignore_data_before": at(item, "ignoreDataBefore"),
        }
        for item in _criteria(found, "dynamicthresholdcriterion")
    ]


def _told(found: Any) -> object:
    return [
        {
            "email_subject": at(found, "customEmailSubject"),
            "ids": at(found, "groupIds") or [],
            "webhook_payload": at(found, "customWebhookPayload"),
        }
    ]


def _quota(found: Any) -> object:
    """Write how much a workspace takes in on a day; a free one takes what Azure says."""
    is_free = str(at(found, "sku.name") or "").lower() == "free"
    limit = at(found, "workspaceCapping.dailyQuotaGb")
    return NOT_READ if is_free else -1 if limit is None else limit


_FEATURES = "properties.features"


def _ingestion(name: str) -> Attribute:
    return enabled(f"properties.publicNetworkAccessFor{name}", default=True)


TYPES = (
    AzureType(
        "azurerm_log_analytics_workspace",
        "microsoft.operationalinsights/workspaces",
        {
            **PLACED,
            "allow_resource_only_permissions": flag(
                f"{_FEATURES}.enableLogAccessUsingOnlyResourcePermissions", default=NOT_READ
            ),
            "cmk_for_query_forced": flag("properties.forceCmkForQuery"),
            "daily_quota_gb": Attribute(number, "properties", _quota),
            "data_collection_rule_id": reference("properties.defaultDataCollectionRuleResourceId"),
            "identity": IDENTITY,
            "immediate_data_purge_on_30_days_enabled": flag(f"{_FEATURES}.immediatePurgeDataOn30Days"),
            "internet_ingestion_enabled": _ingestion("Ingestion"),
            "internet_query_enabled": _ingestion("Query"),
            "local_authentication_disabled": flag(f"{_FEATURES}.disableLocalAuth"),
            "local_authentication_enabled": Attribute(boolean, f"{_FEATURES}.disableLocalAuth", inverted, default=True),
            "reservation_capacity_in_gb_per_day": Attribute(number, "properties.sku.capacityReservationLevel"),
            "retention_in_days": Attribute(number),
            "sku": word("properties.sku.name"),
        },
        renamed={"local_authentication_disabled": "local_authentication_enabled"},
    ),
    AzureType(
        "azurerm_application_insights",
        "microsoft.insights/components",
        {
            **PLACED,
            "application_type": Attribute(text, "properties.Application_Type"),
            "disable_ip_masking": flag("properties.DisableIpMasking"),
            "force_customer_storage_for_profiler": flag("properties.ForceCustomerStorageForProfiler"),
            "internet_ingestion_enabled": _ingestion("Ingestion"),
            "internet_query_enabled": _ingestion("Query"),
            "local_authentication_disabled": flag("properties.DisableLocalAuth"),
            "retention_in_days": Attribute(number, "properties.RetentionInDays"),
            "sampling_percentage": Attribute(default_is(100, number), "properties.SamplingPercentage"),
            "workspace_id": reference("properties.WorkspaceResourceId"),
        },
    ),
    AzureType(
        "azurerm_monitor_action_group",
        "microsoft.insights/actiongroups",
        {
            "tags": TAGS,
            "enabled": Attribute(boolean),
            "short_name": Attribute(text, "properties.groupShortName"),
            **{name: named_blocks(one, f"properties.{path}") for name, (path, one) in _RECEIVERS.items()},
        },
        sensitive=frozenset({"webhook_receiver"}),  # an address that is called may hold what it takes to call it
    ),
    AzureType(
        "azurerm_monitor_metric_alert",
        "microsoft.insights/metricalerts",
        {
            "tags": TAGS,
            "action": some_blocks(
                {
                    "action_group_id": Attribute(arm_id),
                    "webhook_properties": Attribute(string_map, "webHookProperties"),
                },
                "properties.actions",
            ),
            "auto_mitigate": Attribute(boolean, default=True),
            "criteria": Attribute(set_of(members(_STATIC)), spelled=_static),
            "description": Attribute(text),
            "dynamic_criteria": Attribute(set_of(members(_DYNAMIC)), "properties.criteria", _dynamic),
            "enabled": Attribute(boolean),
            "frequency": Attribute(text, "properties.evaluationFrequency"),
            "scopes": Attribute(set_of(arm_id)),
            "severity": Attribute(number),
            "target_resource_location": Attribute(folded_text, "properties.targetResourceRegion"),
            "target_resource_type": Attribute(folded_text),
            "window_size": Attribute(text),
        },
    ),
    AzureType(
        "azurerm_monitor_smart_detector_alert_rule",
        "microsoft.alertsmanagement/smartdetectoralertrules",
        {
            "tags": TAGS,
            "action_group": Attribute(
                block({"email_subject": text, "ids": set_of(arm_id), "webhook_payload": text}),
                "properties.actionGroups",
                _told,
            ),
            "description": Attribute(text),
            "detector_type": Attribute(text, "properties.detector.id"),
            "enabled": enabled("properties.state"),
            "frequency": Attribute(text),
            "scope_resource_ids": Attribute(set_of(arm_id), "properties.scope"),
            "severity": Attribute(text),
            "throttling_duration": Attribute(text, "properties.throttling.duration"),
        },
    ),
)
