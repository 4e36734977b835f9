"""Changes to CloudTrail, Config and GuardDuty."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_TAG = [{"Key": "Extra", "Value": "1"}]
_SECURITY = [{"Key": "Team", "Value": "security"}]
_ROLE = "arn:aws:iam::123456789012:role/other"
_TRAIL = "aws_cloudtrail.main"


def trail(**changes: Any) -> Apply:
    """Update the target trail."""
    return call("cloudtrail", "update_trail", "Name=name", **changes)


def _selectors(**changes: Any) -> Apply:
    data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    base = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": data}
    return call("cloudtrail", "put_event_selectors", "TrailName=name", EventSelectors=[{**base, **changes}])


_TRAILS: tuple[Mutation, ...] = (
    changed(_TRAIL, "enable_logging", call("cloudtrail", "stop_logging", "Name=name")),
    changed(_TRAIL, "enable_log_file_validation", trail(EnableLogFileValidation=False)),
    changed(_TRAIL, "is_multi_region_trail", trail(IsMultiRegionTrail=False)),
    changed(_TRAIL, "include_global_service_events", trail(IncludeGlobalServiceEvents=False)),
    changed(_TRAIL, "s3_key_prefix", trail(S3KeyPrefix="other")),
    changed(_TRAIL, "s3_bucket_name", trail(S3BucketName="somewhere-else")),
    changed(_TRAIL, "kms_key_id", trail(KmsKeyId="arn:aws:kms:us-east-1:123456789012:key/1")),
    changed(_TRAIL, "is_organization_trail", trail(IsOrganizationTrail=True)),
    changed(
        _TRAIL, "cloud_watch_logs_group_arn", trail(CloudWatchLogsLogGroupArn="arn:aws:logs:us-east-1:123456789012:log-group:x:*")
    ),
    changed(_TRAIL, "cloud_watch_logs_role_arn", trail(CloudWatchLogsRoleArn=_ROLE)),
    changed(_TRAIL, "event_selector[0].read_write_type", _selectors(ReadWriteType="WriteOnly")),
    changed(_TRAIL, "event_selector", _selectors(DataResources=[])),
    changed(
        _TRAIL,
        "insight_selector",
        call("cloudtrail", "put_insight_selectors", "TrailName=name", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}]),
    ),
    changed(_TRAIL, "tags.Extra", call("cloudtrail", "add_tags", "ResourceId=arn", TagsList=_TAG)),
    unmanaged(
        "aws_cloudtrail", create("cloudtrail", "create_trail", "TrailARN", Name="extra", S3BucketName="audit-123456789012")
    ),
    missing(_TRAIL, call("cloudtrail", "delete_trail", "Name=name")),
)  # fmt: skip

_RECORDER = "aws_config_configuration_recorder.main"
_STATUS = "aws_config_configuration_recorder_status.main"
_CHANNEL = "aws_config_delivery_channel.main"
_RULE = "aws_config_config_rule.main"
_AGGREGATOR = "aws_config_configuration_aggregator.main"


def recorder(**changes: Any) -> Apply:
    """Put the recorder of the region again."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        group = {"allSupported": True, "includeGlobalResourceTypes": True}
        wanted = {"name": "default", "roleARN": target["role_arn"], "recordingGroup": group}
        clients("config").put_configuration_recorder(ConfigurationRecorder={**wanted, **changes})

    return apply


def channel(**changes: Any) -> Apply:
    """Put the delivery channel of the region again."""
    properties = {"deliveryFrequency": "Six_Hours"}
    base = {
        "name": "default", "s3BucketName": "audit-123456789012", "s3KeyPrefix": "config", "configSnapshotDeliveryProperties": properties,
    }  # fmt: skip
    return call("config", "put_delivery_channel", DeliveryChannel={**base, **changes})


def rule(**changes: Any) -> Apply:
    """Put the rule again."""
    base = {
        "ConfigRuleName": "tagged", "Description": "Tagged", "InputParameters": '{"tag1Key":"Team"}',
        "Source": {"Owner": "AWS", "SourceIdentifier": "REQUIRED_TAGS"}, "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
    }  # fmt: skip
    return call("config", "put_config_rule", ConfigRule={**base, **changes}, Tags=_SECURITY)


def _new_rule(clients: Clients) -> str:
    wanted = {"ConfigRuleName": "extra", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}}
    clients("config").put_config_rule(ConfigRule=wanted)
    found = clients("config").describe_config_rules(ConfigRuleNames=["extra"])["ConfigRules"]
    return str(found[0]["ConfigRuleArn"])


def aggregator(**changes: Any) -> Apply:
    """Put the aggregator again."""
    base = {"AccountIds": ["123456789012"], "AllAwsRegions": False, "AwsRegions": ["us-east-1"]}
    return call(
        "config",
        "put_configuration_aggregator",
        ConfigurationAggregatorName="all",
        AccountAggregationSources=[{**base, **changes}],
        Tags=_SECURITY,
    )


_CONFIG: tuple[Mutation, ...] = (
    changed(_RECORDER, "recording_group.include_global_resource_types", recorder(recordingGroup={"allSupported": True, "includeGlobalResourceTypes": False})),
    changed(_RECORDER, "role_arn", recorder(roleARN=_ROLE)),
    changed(_STATUS, "is_enabled", call("config", "stop_configuration_recorder", ConfigurationRecorderName="default")),
    changed(_CHANNEL, "s3_bucket_name", channel(s3BucketName="other")),
    changed(_CHANNEL, "s3_key_prefix", channel(s3KeyPrefix="other")),
    changed(_CHANNEL, "s3_kms_key_arn", channel(s3KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1")),
    changed(_CHANNEL, "sns_topic_arn", channel(snsTopicARN="arn:aws:sns:us-east-1:123456789012:x")),
    changed(_CHANNEL, "snapshot_delivery_properties.delivery_frequency", channel(configSnapshotDeliveryProperties={"deliveryFrequency": "One_Hour"})),
    missing(_CHANNEL, call("config", "delete_delivery_channel", "DeliveryChannelName=name")),
    changed(_RULE, "description", rule(Description="Other")),
    changed(_RULE, "input_parameters.tag1Key", rule(InputParameters='{"tag1Key":"Owner"}')),
    changed(_RULE, "scope.compliance_resource_types", rule(Scope={"ComplianceResourceTypes": ["AWS::EC2::Instance"]})),
    Mutation(
        _RULE,
        {("changed", _RULE, "source.source_identifier"), ("changed", _RULE, "input_parameters")},
        rule(Source={"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"}, InputParameters="{}"),
    ),
    changed(_RULE, "tags.Extra", call("config", "tag_resource", "ResourceArn=arn", Tags=_TAG)),
    unmanaged(
        "aws_config_config_rule",
        lambda clients, _target: _new_rule(clients),
    ),
    missing(_RULE, call("config", "delete_config_rule", "ConfigRuleName=name")),
    changed(_AGGREGATOR, "account_aggregation_source.regions", aggregator(AwsRegions=["us-east-1", "eu-west-1"])),
    changed(_AGGREGATOR, "account_aggregation_source.account_ids", aggregator(AccountIds=["123456789012", "210987654321"])),
    changed(_AGGREGATOR, "tags.Extra", call("config", "tag_resource", "ResourceArn=arn", Tags=_TAG)),
    unmanaged(
        "aws_config_configuration_aggregator",
        create(
            "config", "put_configuration_aggregator", "ConfigurationAggregator.ConfigurationAggregatorArn",
            ConfigurationAggregatorName="extra", AccountAggregationSources=[{"AccountIds": ["123456789012"], "AllAwsRegions": True}],
        ),
    ),
    missing(_AGGREGATOR, call("config", "delete_configuration_aggregator", "ConfigurationAggregatorName=name")),
    changed("aws_config_retention_configuration.main", "retention_period_in_days", call("config", "put_retention_configuration", RetentionPeriodInDays=30)),
    missing("aws_config_retention_configuration.main", call("config", "delete_retention_configuration", "RetentionConfigurationName=name")),
    Mutation(
        _RECORDER,
        {("missing", _RECORDER, ""), ("missing", _STATUS, "")},
        call("config", "delete_configuration_recorder", "ConfigurationRecorderName=name"),
    ),
)  # fmt: skip

_DETECTOR = "aws_guardduty_detector.main"
_DETECTORS: tuple[Mutation, ...] = (
    changed(_DETECTOR, "finding_publishing_frequency", call("guardduty", "update_detector", "DetectorId=id", Enable=True, FindingPublishingFrequency="SIX_HOURS")),
    changed(_DETECTOR, "enable", call("guardduty", "update_detector", "DetectorId=id", Enable=False, FindingPublishingFrequency="SIX_HOURS")),
    missing(_DETECTOR, call("guardduty", "delete_detector", "DetectorId=id")),
    unmanaged("aws_guardduty_detector", create("guardduty", "create_detector", "DetectorId", Enable=True)),
)  # fmt: skip

MUTATIONS = (*_TRAILS, *_CONFIG, *_DETECTORS)

_ONE = "AWS has one in a region, and it is declared"
EXCEPTIONS: dict[str, str] = {
    **unchanged_by_moto("aws_cloudtrail", "advanced_event_selector"),
    **unchanged_by_moto("aws_config_configuration_recorder", "recording_mode"),
    "aws_config_configuration_recorder.unmanaged": _ONE,
    "aws_config_configuration_recorder_status.unmanaged": "a switch of the recorder, no thing of its own",
    "aws_config_delivery_channel.unmanaged": _ONE,
    "aws_config_retention_configuration.unmanaged": _ONE,
    **unchanged_by_moto("aws_config_config_rule", "maximum_execution_frequency"),
    **unchanged_by_moto("aws_config_configuration_aggregator", "organization_aggregation_source"),
    **unchanged_by_moto("aws_guardduty_detector", "tags"),
}
