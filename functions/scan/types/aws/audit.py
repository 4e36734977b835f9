"""CloudTrail, Config and GuardDuty.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    document,
    list_of,
    members,
    number,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by, unless_arn


def log_group(value: object) -> Canonical:
    """The ARN of a log group, with or without `:*` at its end."""
    found = text(value)
    return found.removesuffix(":*") if isinstance(found, str) else found


def event_selectors(value: object) -> Canonical:
    """Which events are kept. A trail for which nobody chose answers with one selector, of all management events."""
    found = list_of(members(_EVENTS))(value)
    return None if found == [{**dict.fromkeys(_EVENTS), "include_management_events": True}] else found


def recorded(value: object) -> Canonical:
    """What a recorder records. The strategy follows from the flags when nothing else is said."""
    found = _RECORDED(value)
    if isinstance(found, dict) and isinstance(found.get("recording_strategy"), dict):
        implied = "ALL_SUPPORTED_RESOURCE_TYPES" if found.get("all_supported") else "INCLUSION_BY_RESOURCE_TYPES"
        if found["recording_strategy"] == {"use_only": implied}:
            found["recording_strategy"] = None
    return found


_RECORDED = block(
    {
        "all_supported": boolean,
        "exclusion_by_resource_types": block({"resource_types": set_of(text)}),
        "include_global_resource_types": boolean,
        "recording_strategy": block({"use_only": text}),
        "resource_types": set_of(text),
    }
)
_EVENTS = {
    "data_resource": list_of(members({"type": text, "values": set_of(text)})),
    "exclude_management_event_sources": set_of(text),
    "include_management_events": boolean,
    "read_write_type": default_is("All", text),
}
_FIELD = {
    "ends_with": list_of(text),
    "equals": list_of(text),
    "field": text,
    "not_ends_with": list_of(text),
    "not_equals": list_of(text),
    "not_starts_with": list_of(text),
    "starts_with": list_of(text),
}

SPECS = (
    TypeSpec(
        "aws_cloudtrail",
        {
            "advanced_event_selector": list_of(members({"field_selector": set_of(members(_FIELD)), "name": text})),
            "cloud_watch_logs_group_arn": log_group,
            "cloud_watch_logs_role_arn": text,
            "enable_log_file_validation": boolean,
            "enable_logging": boolean,
            "event_selector": event_selectors,
            "include_global_service_events": boolean,
            "insight_selector": set_of(members({"insight_type": text})),
            "is_multi_region_trail": boolean,
            "is_organization_trail": boolean,
            "kms_key_id": text,
            "s3_bucket_name": text,
            "s3_key_prefix": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_config_configuration_recorder",
        {
            "recording_group": recorded,
            "recording_mode": block(
                {
                    "recording_frequency": default_is("CONTINUOUS", text),
                    "recording_mode_override": list_of(
                        members({"description": text, "recording_frequency": text, "resource_types": set_of(text)})
                    ),
                }
            ),
            "role_arn": text,
        },
        repeats=unless_arn,
    ),
    TypeSpec("aws_config_configuration_recorder_status", {"is_enabled": boolean}, repeats=unless_arn),
    TypeSpec(
        "aws_config_delivery_channel",
        {
            "s3_bucket_name": text,
            "s3_key_prefix": text,
            "s3_kms_key_arn": text,
            "snapshot_delivery_properties": block({"delivery_frequency": default_is("TwentyFour_Hours", text)}),
            "sns_topic_arn": text,
        },
        repeats=unless_arn,
    ),
    TypeSpec(
        "aws_config_config_rule",
        {
            "description": text,
            "input_parameters": document,
            "maximum_execution_frequency": text,
            "scope": block(
                {
                    "compliance_resource_id": text,
                    "compliance_resource_types": set_of(text),
                    "tag_key": text,
                    "tag_value": text,
                }
            ),
            "source": block(
                {
                    "owner": text,
                    "source_detail": set_of(
                        members({"event_source": default_is("aws.config", text), "maximum_execution_frequency": text, "message_type": text})
                    ),
                    "source_identifier": text,
                }
            ),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_config_configuration_aggregator",
        {
            "account_aggregation_source": block(
                {"account_ids": list_of(text), "all_regions": boolean, "regions": list_of(text)}
            ),
            "organization_aggregation_source": block(
                {"all_regions": boolean, "regions": list_of(text), "role_arn": text}
            ),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_config_retention_configuration", {"retention_period_in_days": number}, repeats=unless_arn),
    TypeSpec(
        "aws_guardduty_detector",
        {"enable": boolean, "finding_publishing_frequency": default_is("SIX_HOURS", text), "tags": tags},
    ),
)  # fmt: skip
