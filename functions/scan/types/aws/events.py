"""EventBridge buses, rules and targets.

Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon EventBridge API Reference, Target.
"""

from __future__ import annotations

from ...domain.resources import Attributes
from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    document,
    folded_text,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    schedule,
    set_of,
    string_map,
    tags,
    text,
    whole_document,
)
from ...domain.specs import TypeSpec, by, unless_arn


def _target(attributes: Attributes) -> str | None:
    rule, target = attributes.get("rule"), attributes.get("target_id")
    bus = str(attributes.get("event_bus_name") or "default").rsplit("/", 1)[-1]  # a bus may be spelled by its ARN
    return f"{bus}|{rule}|{target}" if rule and target else None


def retry_attempts(value: object) -> Canonical:
    """Retries of a delivery, as text: 185 unless set (the API's default), and 0 is a choice of its own."""
    found = number(value)
    return None if found in (None, 185) else str(found)


_NETWORK = block({"assign_public_ip": boolean, "security_groups": set_of(text), "subnets": set_of(text)})
_ECS = block(
    {
        "capacity_provider_strategy": keyed("capacity_provider", {"base": number_or_zero, "weight": number_or_zero}),
        "enable_ecs_managed_tags": boolean,
        "enable_execute_command": boolean,
        "group": text,
        "launch_type": text,
        "network_configuration": _NETWORK,
        "ordered_placement_strategy": list_of(members({"type": folded_text, "field": text})),
        "placement_constraint": set_of(members({"type": text, "expression": text})),
        "platform_version": text,
        "propagate_tags": text,
        "tags": tags,
        "task_count": default_is(1, number),
        "task_definition_arn": text,
    }
)
_REDSHIFT: dict[str, Shape] = {
    "database": text,
    "db_user": text,
    "secrets_manager_arn": text,
    "sql": text,
    "statement_name": text,
    "with_event": boolean,
}

SPECS = (
    TypeSpec("aws_cloudwatch_event_bus", {"description": text, "tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_cloudwatch_event_rule",
        {
            "description": text,
            "event_pattern": document,
            "role_arn": text,
            "schedule_expression": schedule,
            "state": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_cloudwatch_event_target",
        {
            "appsync_target": block({"graphql_operation": text}),
            "arn": text,
            "batch_target": block(
                {"array_size": number_or_zero, "job_attempts": number_or_zero, "job_definition": text, "job_name": text}
            ),
            "dead_letter_config": block({"arn": text}),
            "ecs_target": _ECS,
            "http_target": block(
                {
                    "header_parameters": string_map,
                    "path_parameter_values": list_of(text),
                    "query_string_parameters": string_map,
                }
            ),
            "input": whole_document,  # `{}` is an input; without one the whole event is it
            "input_path": text,
            "input_transformer": block({"input_paths": string_map, "input_template": text}),
            "kinesis_target": block({"partition_key_path": text}),
            "redshift_target": block(_REDSHIFT),
            "retry_policy": block(
                {
                    "maximum_event_age_in_seconds": default_is(86400, number_or_zero),
                    "maximum_retry_attempts": retry_attempts,
                }
            ),
            "role_arn": text,
            "run_command_targets": list_of(members({"key": text, "values": list_of(text)})),
            "sagemaker_pipeline_target": block({"pipeline_parameter_list": keyed("name", {"value": text})}),
            "sqs_target": block({"message_group_id": text}),
        },
        key=_target,
        repeats=unless_arn,
        place="event_bus_name",  # `arn` is the target's
    ),
)
