"""Turns EventBridge targets into the shape of `aws_cloudwatch_event_target`. Makes no calls.

Source: Amazon EventBridge API Reference, Target; Terraform AWS provider 5.100.
"""

from __future__ import annotations

from collections.abc import Mapping

from .base import Item

# Terraform block -> (API member, block member -> API member)
_BLOCKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "appsync_target": ("AppSyncParameters", {"graphql_operation": "GraphQLOperation"}),
    "dead_letter_config": ("DeadLetterConfig", {"arn": "Arn"}),
    "http_target": (
        "HttpParameters",
        {
            "header_parameters": "HeaderParameters",
            "path_parameter_values": "PathParameterValues",
            "query_string_parameters": "QueryStringParameters",
        },
    ),
    "input_transformer": ("InputTransformer", {"input_paths": "InputPathsMap", "input_template": "InputTemplate"}),
    "kinesis_target": ("KinesisParameters", {"partition_key_path": "PartitionKeyPath"}),
    "redshift_target": (
        "RedshiftDataParameters",
        {
            "database": "Database",
            "db_user": "DbUser",
            "secrets_manager_arn": "SecretManagerArn",
            "sql": "Sql",
            "statement_name": "StatementName",
            "with_event": "WithEvent",
        },
    ),
    "retry_policy": (
        "RetryPolicy",
        {"maximum_event_age_in_seconds": "MaximumEventAgeInSeconds", "maximum_retry_attempts": "MaximumRetryAttempts"},
    ),
    "sqs_target": ("SqsParameters", {"message_group_id": "MessageGroupId"}),
}
_ECS = {
    "enable_ecs_managed_tags": "EnableECSManagedTags",
    "enable_execute_command": "EnableExecuteCommand",
    "group": "Group",
    "launch_type": "LaunchType",
    "platform_version": "PlatformVersion",
    "propagate_tags": "PropagateTags",
    "task_count": "TaskCount",
    "task_definition_arn": "TaskDefinitionArn",
}


def target_attributes(target: Item) -> dict[str, object]:
    """Return everything a target's description tells."""
    return {
        "arn": target.get("Arn"),
        "input": target.get("Input"),
        "input_path": target.get("InputPath"),
        "role_arn": target.get("RoleArn"),
        **{name: _block(target.get(member), members) for name, (member, members) in _BLOCKS.items()},
        "batch_target": _batch(target.get("BatchParameters")),
        "ecs_target": _ecs(target.get("EcsParameters")),
        "run_command_targets": [
            {"key": item.get("Key"), "values": item.get("Values")}
            for item in (target.get("RunCommandParameters") or {}).get("RunCommandTargets") or ()
        ],
        "sagemaker_pipeline_target": [
            {"pipeline_parameter_list": [{"name": item["Name"], "value": item["Value"]} for item in parameters]}
            for parameters in [(target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList")]
            if parameters
        ],
    }


def _block(found: Item | None, members: Mapping[str, str]) -> list[Item]:
    return [{name: found.get(member) for name, member in members.items()}] if found else []


def _batch(found: Item | None) -> list[Item]:
    if not found:
        return []
    return [
        {
            "array_size": (found.get("ArrayProperties") or {}).get("Size"),
            "job_attempts": (found.get("RetryStrategy") or {}).get("Attempts"),
            "job_definition": found.get("JobDefinition"),
            "job_name": found.get("JobName"),
        }
    ]


def _ecs(found: Item | None) -> list[Item]:
    if not found:
        return []
    network = (found.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    return [
        {
            **{name: found.get(member) for name, member in _ECS.items()},
            "capacity_provider_strategy": [
                {"capacity_provider": item["capacityProvider"], "base": item.get("base"), "weight": item.get("weight")}
                for item in found.get("CapacityProviderStrategy") or ()
            ],
            "network_configuration": [
                {
                    "assign_public_ip": network.get("AssignPublicIp") == "ENABLED",
                    "security_groups": network.get("SecurityGroups"),
                    "subnets": network.get("Subnets"),
                }
            ]
            if network
            else [],
            "ordered_placement_strategy": [
                {"type": item.get("type"), "field": item.get("field")} for item in found.get("PlacementStrategy") or ()
            ],
            "placement_constraint": [
                {"type": item.get("type"), "expression": item.get("expression")}
                for item in found.get("PlacementConstraints") or ()
            ],
            "tags": {item["Key"]: item["Value"] for item in found.get("Tags") or ()},
        }
    ]
