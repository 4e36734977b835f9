"""Visibility: logs, detectors and their retention."""

from __future__ import annotations

from functools import partial

from ..rule import Rule
from ..switches import gone, lowering, never, off, on, switch

_switch = partial(switch, flag="audit-disabled", family="audit")
_lowering = partial(lowering, flag="audit-disabled", family="audit")
_OFF = "Logging is switched off"
_SHORT = "Logs are kept for a shorter time"

RULES: tuple[Rule, ...] = (
    gone("aws-audit-removed", "audit-disabled", "high", "An audit log or detector is removed", (
        "aws_cloudtrail", "aws_cloudtrail_event_data_store", "aws_config_configuration_recorder", "aws_config_configuration_recorder_status", "aws_config_delivery_channel",
        "aws_guardduty_detector", "aws_guardduty_organization_admin_account", "aws_securityhub_account", "aws_flow_log", "aws_s3_bucket_logging", "aws_accessanalyzer_analyzer",
        "aws_inspector2_enabler", "aws_macie2_account", "aws_wafv2_web_acl_logging_configuration", "aws_route53_query_log", "aws_cloudwatch_log_subscription_filter"), family="audit"),
    _switch("aws-trail-off", severity="critical", title="The audit trail is switched off", types=("aws_cloudtrail",), path="enable_logging", bad=off, refs=("CKV_AWS_251",)),
    _switch("aws-trail-one-region", severity="high", title="The audit trail covers one region only", types=("aws_cloudtrail",), path="is_multi_region_trail", bad=off, refs=("CKV_AWS_67",)),
    _switch("aws-trail-validation", severity="medium", title="Audit files can be changed unnoticed", types=("aws_cloudtrail",), path="enable_log_file_validation", bad=off, refs=("CKV_AWS_36",)),
    _switch("aws-trail-global", severity="high", title="Global services leave the audit trail", types=("aws_cloudtrail",), path="include_global_service_events", bad=off),
    _switch("aws-detector-off", severity="high", title="Threat detection is switched off", types=("aws_guardduty_detector",), path="enable", bad=off),
    _switch("aws-recorder-off", severity="high", title="The configuration recorder is switched off", types=("aws_config_configuration_recorder_status",), path="is_enabled", bad=off),
    _lowering("aws-log-retention", severity="medium", title=_SHORT, types=("aws_cloudwatch_log_group",), path="retention_in_days", forever=True, refs=("CKV_AWS_66", "CKV_AWS_338")),
    _switch("aws-alarm-silenced", severity="medium", title="An alarm no longer tells anybody", types=("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"), path="actions_enabled", bad=off, refs=("CKV_AWS_319",)),
    _switch("aws-lb-logs", severity="medium", title=_OFF, types=("aws_lb", "aws_alb"), path="access_logs.enabled", bad=off, refs=("CKV_AWS_91",)),
    _switch("aws-cluster-logs", severity="medium", title=_OFF, types=("aws_eks_cluster",), path="enabled_cluster_log_types", bad=never, absent=True, refs=("CKV_AWS_37",)),
    _switch("aws-database-logs", severity="medium", title=_OFF, types=("aws_db_instance", "aws_rds_cluster"), path="enabled_cloudwatch_logs_exports", bad=never, absent=True, refs=("CKV_AWS_129",)),
    _switch("aws-edge-logs", severity="medium", title=_OFF, types=("aws_cloudfront_distribution",), path="logging_config.bucket", bad=never, absent=True, refs=("CKV_AWS_86",)),
    gone("google-audit-removed", "audit-disabled", "high", "An audit log or detector is removed", (
        "google_logging_project_sink", "google_logging_folder_sink", "google_logging_organization_sink", "google_project_iam_audit_config", "google_folder_iam_audit_config",
        "google_organization_iam_audit_config", "google_scc_notification_config", "google_monitoring_alert_policy"), family="audit"),
    _switch("google-sink-off", severity="high", title="A log sink is switched off", types=("google_logging_project_sink", "google_logging_folder_sink", "google_logging_organization_sink"), path="disabled", bad=on),
    _switch("google-exclusion", severity="medium", title="Log entries are thrown away", types=("google_logging_project_exclusion", "google_logging_folder_exclusion", "google_logging_organization_exclusion"), path="disabled", bad=off, absent=True, on_create="medium"),
    _lowering("google-log-retention", severity="medium", title=_SHORT, types=("google_logging_project_bucket_config",), path="retention_days"),
    _switch("google-flow-logs", severity="medium", title=_OFF, types=("google_compute_subnetwork",), path="log_config.aggregation_interval", bad=never, absent=True, refs=("CKV_GCP_26",)),
    _switch("google-firewall-logs", severity="low", title=_OFF, types=("google_compute_firewall",), path="log_config.metadata", bad=never, absent=True),
    _switch("google-cluster-logs", severity="medium", title=_OFF, types=("google_container_cluster",), path="logging_service", bad=lambda value: value == "none", refs=("CKV_GCP_1",)),
    gone("azure-audit-removed", "audit-disabled", "high", "An audit log or detector is removed", (
        "azurerm_monitor_diagnostic_setting", "azurerm_monitor_activity_log_alert", "azurerm_monitor_aad_diagnostic_setting", "azurerm_security_center_subscription_pricing",
        "azurerm_security_center_contact", "azurerm_network_watcher_flow_log", "azurerm_mssql_server_extended_auditing_policy", "azurerm_mssql_database_extended_auditing_policy",
        "azurerm_mssql_server_security_alert_policy", "azurerm_sentinel_log_analytics_workspace_onboarding"), family="audit"),
    _switch("azure-defender-free", severity="high", title="Threat detection is switched off", types=("azurerm_security_center_subscription_pricing",), path="tier", bad=lambda value: value == "Free"),
    _switch("azure-flow-logs", severity="medium", title=_OFF, types=("azurerm_network_watcher_flow_log",), path="enabled", bad=off),
    _switch("azure-sql-audit", severity="high", title=_OFF, types=("azurerm_mssql_server_extended_auditing_policy", "azurerm_mssql_database_extended_auditing_policy"), path="enabled", bad=off),
    _lowering("azure-log-retention", severity="medium", title=_SHORT, types=("azurerm_log_analytics_workspace", "azurerm_mssql_server_extended_auditing_policy"), path="retention_in_days"),
)  # fmt: skip
