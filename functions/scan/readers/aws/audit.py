"""Reads CloudTrail, Config and GuardDuty: what watches an account.

Source: API References of these services, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import blocks, in_snake, named, tagged

_GONE = (
    "TrailNotFoundException",
    "InsightNotEnabledException",
    "ResourceNotFoundException",
    "NoSuchConfigRuleException",
)
_TRAIL = {
    "cloud_watch_logs_group_arn": "CloudWatchLogsLogGroupArn",
    "cloud_watch_logs_role_arn": "CloudWatchLogsRoleArn",
    "enable_log_file_validation": "LogFileValidationEnabled",
    "include_global_service_events": "IncludeGlobalServiceEvents",
    "is_multi_region_trail": "IsMultiRegionTrail",
    "is_organization_trail": "IsOrganizationTrail",
    "kms_key_id": "KmsKeyId",
    "s3_bucket_name": "S3BucketName",
    "s3_key_prefix": "S3KeyPrefix",
}


def read_trails(scope: Scope) -> Iterator[Finding]:
    """List the trails whose home is this region; whether they log, and what, takes calls of their own."""
    client, kind = scope.client("cloudtrail"), "aws_cloudtrail"

    def one(item: Item) -> Iterator[Finding]:
        arn = item["TrailARN"]
        attributes = named(item, _TRAIL)
        status = attempt("cloudtrail", lambda: client.get_trail_status(Name=arn), *_GONE)
        if isinstance(status, Gap):
            yield status.unread(kind, arn, "enable_logging")
        else:
            attributes["enable_logging"] = status.get("IsLogging")
        yield from _selectors(client, arn, attributes)
        yield from tagged(scope, kind, arn, attributes, arn, lambda: _trail_tags(client, arn), *_GONE)

    found = scope.pages("cloudtrail", "describe_trails", "trailList", includeShadowTrails=False)
    yield from each((item for item in found if item.get("HomeRegion") in {None, scope.region}), one)


def _selectors(client: Any, arn: str, attributes: dict[str, object]) -> Iterator[Finding]:
    """Read the selectors of a trail; one for which nobody chose any answers with a default one."""
    reply = attempt("cloudtrail", lambda: client.get_event_selectors(TrailName=arn), *_GONE)
    if isinstance(reply, Gap):
        yield reply.unread("aws_cloudtrail", arn, "event_selector", "advanced_event_selector")
    else:
        attributes["event_selector"] = [_selector(entry) for entry in reply.get("EventSelectors") or ()]
        advanced = reply.get("AdvancedEventSelectors") or ()
        attributes["advanced_event_selector"] = [
            {"name": entry.get("Name"), "field_selector": blocks(entry.get("FieldSelectors"))} for entry in advanced
        ]
    reply = attempt("cloudtrail", lambda: client.get_insight_selectors(TrailName=arn), *_GONE)
    if isinstance(reply, Gap):
        yield reply.unread("aws_cloudtrail", arn, "insight_selector")
    else:
        attributes["insight_selector"] = blocks(reply.get("InsightSelectors") or [])


def _selector(entry: Item) -> dict[str, object]:
    return {
        **in_snake(entry, "ExcludeManagementEventSources", "IncludeManagementEvents", "ReadWriteType"),
        "data_resource": blocks(entry.get("DataResources") or []),
    }


def _trail_tags(client: Any, arn: str) -> dict[str, str]:
    reply = client.list_tags(ResourceIdList=[arn])
    return {name: value for entry in reply["ResourceTagList"] for name, value in tag_map(entry.get("TagsList")).items()}


def read_recorders(scope: Scope) -> Iterator[Finding]:
    """List the recorder of the region, and whether it records."""
    for item in scope.pages("config", "describe_configuration_recorders", "ConfigurationRecorders"):
        name, group = item["name"], item.get("recordingGroup") or {}
        mode = item.get("recordingMode")
        attributes: dict[str, object] = {
            "recording_group": blocks(group),
            "recording_mode": [_mode(mode)] if mode else [],
            "role_arn": item.get("roleARN"),
        }
        cloud_id = scope.arn("config", f"configuration-recorder/{name}")
        yield LiveResource("aws_config_configuration_recorder", name, scope.region, attributes, cloud_id)
    for item in scope.pages("config", "describe_configuration_recorder_status", "ConfigurationRecordersStatus"):
        cloud_id = scope.arn("config", f"configuration-recorder/{item['name']}")
        yield LiveResource(
            type="aws_config_configuration_recorder_status",
            key=item["name"],
            region=scope.region,
            attributes={"is_enabled": item.get("recording")},
            cloud_id=cloud_id,
            cloud_made=True,  # a switch of the recorder, no thing of its own
        )


def _mode(mode: Item) -> dict[str, object]:
    overrides = mode.get("recordingModeOverrides") or []
    return {"recording_frequency": mode.get("recordingFrequency"), "recording_mode_override": blocks(overrides)}


def read_channels(scope: Scope) -> Iterator[Finding]:
    """List the delivery channel of the region."""
    for item in scope.pages("config", "describe_delivery_channels", "DeliveryChannels"):
        properties = item.get("configSnapshotDeliveryProperties") or {}
        attributes: dict[str, object] = {
            "s3_bucket_name": item.get("s3BucketName"),
            "s3_key_prefix": item.get("s3KeyPrefix"),
            "s3_kms_key_arn": item.get("s3KmsKeyArn"),
            "snapshot_delivery_properties": [{"delivery_frequency": properties.get("deliveryFrequency")}],
            "sns_topic_arn": item.get("snsTopicARN"),
        }
        cloud_id = scope.arn("config", f"delivery-channel/{item['name']}")
        yield LiveResource("aws_config_delivery_channel", item["name"], scope.region, attributes, cloud_id)


def read_rules(scope: Scope) -> Iterator[Finding]:
    """List rules; those that another service or a pack keeps are marked so."""
    client = scope.client("config")

    def one(item: Item) -> Iterator[Finding]:
        arn, source = item["ConfigRuleArn"], item.get("Source") or {}
        attributes: dict[str, object] = {
            **in_snake(item, "Description", "InputParameters", "MaximumExecutionFrequency"),
            "scope": blocks(item.get("Scope")),
            "source": [
                {
                    **in_snake(source, "Owner", "SourceIdentifier"),
                    "source_detail": blocks(source.get("SourceDetails") or []),
                }
            ],
        }
        yield from tagged(
            scope, "aws_config_config_rule", arn, attributes, arn, lambda: _config_tags(client, arn), *_GONE,
            cloud_made=bool(item.get("CreatedBy")),
        )  # fmt: skip

    yield from each(scope.pages("config", "describe_config_rules", "ConfigRules"), one)


def read_aggregators(scope: Scope) -> Iterator[Finding]:
    """List aggregators."""
    client = scope.client("config")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["ConfigurationAggregatorArn"]
        whole = item.get("OrganizationAggregationSource")
        attributes: dict[str, object] = {
            "account_aggregation_source": [_sources(entry) for entry in item.get("AccountAggregationSources") or ()],
            "organization_aggregation_source": [{**_sources(whole), "role_arn": whole.get("RoleArn")}] if whole else [],
        }
        yield from tagged(
            scope,
            "aws_config_configuration_aggregator",
            arn,
            attributes,
            arn,
            lambda: _config_tags(client, arn),
            *_GONE,
        )

    yield from each(scope.pages("config", "describe_configuration_aggregators", "ConfigurationAggregators"), one)


def _sources(entry: Item) -> dict[str, object]:
    return {
        "account_ids": entry.get("AccountIds"),
        "all_regions": entry.get("AllAwsRegions"),
        "regions": entry.get("AwsRegions"),
    }


def _config_tags(client: Any, arn: str) -> dict[str, str]:
    return tag_map(client.list_tags_for_resource(ResourceArn=arn).get("Tags"))


def read_retention(scope: Scope) -> Iterator[Finding]:
    """List how long recorded configurations are kept."""
    for item in scope.pages("config", "describe_retention_configurations", "RetentionConfigurations"):
        attributes: dict[str, object] = {"retention_period_in_days": item.get("RetentionPeriodInDays")}
        cloud_id = scope.arn("config", f"retention-configuration/{item['Name']}")
        yield LiveResource("aws_config_retention_configuration", item["Name"], scope.region, attributes, cloud_id)


def read_detectors(scope: Scope) -> Iterator[Finding]:
    """List the detector of the region."""
    client = scope.client("guardduty")
    for identifier in scope.pages("guardduty", "list_detectors", "DetectorIds"):
        key = str(identifier)
        found = attempt("guardduty", partial(client.get_detector, DetectorId=key), "BadRequestException")
        if isinstance(found, Gap):
            yield found.unread("aws_guardduty_detector", key)
        elif found:
            tags = found.get("Tags") or {}
            attributes: dict[str, object] = {
                "enable": found.get("Status") == "ENABLED",
                "finding_publishing_frequency": found.get("FindingPublishingFrequency"),
                "tags": tags,
            }
            arn = scope.arn("guardduty", f"detector/{key}")
            yield LiveResource("aws_guardduty_detector", key, scope.region, attributes, arn, tags=tags)


SERVICE = Service(
    "audit",
    (
        Listing(
            ("aws_cloudtrail",),
            read_trails,
            (
                "cloudtrail:DescribeTrails",
                "cloudtrail:GetTrailStatus",
                "cloudtrail:GetEventSelectors",
                "cloudtrail:GetInsightSelectors",
                "cloudtrail:ListTags",
            ),
        ),
        Listing(
            ("aws_config_configuration_recorder", "aws_config_configuration_recorder_status"),
            read_recorders,
            ("config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus"),
        ),
        Listing(("aws_config_delivery_channel",), read_channels, ("config:DescribeDeliveryChannels",)),
        Listing(("aws_config_config_rule",), read_rules, ("config:DescribeConfigRules", "config:ListTagsForResource")),
        Listing(
            ("aws_config_configuration_aggregator",),
            read_aggregators,
            ("config:DescribeConfigurationAggregators", "config:ListTagsForResource"),
        ),
        Listing(("aws_config_retention_configuration",), read_retention, ("config:DescribeRetentionConfigurations",)),
        Listing(("aws_guardduty_detector",), read_detectors, ("guardduty:ListDetectors", "guardduty:GetDetector")),
    ),
)
