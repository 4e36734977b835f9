"""ECS clusters, services and task definitions.

A revision of a task definition never changes; what can change is its existence and its tags.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    folded_text,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by, unless_arn


def last_part(value: object) -> Canonical:
    """A cluster or task definition, which may be spelled by its name or by its ARN."""
    found = text(value)
    return found.rsplit("/", 1)[-1] if isinstance(found, str) else found


def placement_field(value: object) -> Canonical:
    """A placement field; `host` is another word for `instanceId`. Source: ECS API Reference, PlacementStrategy."""
    found = text(value)
    return "instanceId" if found == "host" else found


_STRATEGY: dict[str, Shape] = {"base": number_or_zero, "weight": number_or_zero}
_LOG = block(
    {
        "cloud_watch_encryption_enabled": boolean,
        "cloud_watch_log_group_name": text,
        "s3_bucket_encryption_enabled": boolean,
        "s3_bucket_name": text,
        "s3_key_prefix": text,
    }
)
_COMMAND = block({"kms_key_id": text, "logging": default_is("DEFAULT", text), "log_configuration": _LOG})
_STORAGE = block({"fargate_ephemeral_storage_kms_key_id": text, "kms_key_id": text})
_SERVICE: dict[str, Shape] = {
    "alarms": block({"alarm_names": set_of(text), "enable": boolean, "rollback": boolean}),
    "availability_zone_rebalancing": default_is("DISABLED", text),
    "capacity_provider_strategy": keyed("capacity_provider", _STRATEGY),
    "cluster": last_part,
    "deployment_circuit_breaker": block({"enable": boolean, "rollback": boolean}),
    "deployment_controller": block({"type": default_is("ECS", text)}),
    "deployment_maximum_percent": number,
    "deployment_minimum_healthy_percent": number_or_zero,
    "desired_count": number_or_zero,
    "enable_ecs_managed_tags": boolean,
    "enable_execute_command": boolean,
    "health_check_grace_period_seconds": number_or_zero,
    "launch_type": text,
    "load_balancer": set_of(
        members({"container_name": text, "container_port": number, "elb_name": text, "target_group_arn": text})
    ),
    "network_configuration": block(
        {"assign_public_ip": boolean, "security_groups": set_of(text), "subnets": set_of(text)}
    ),
    "ordered_placement_strategy": list_of(members({"type": folded_text, "field": placement_field})),
    "placement_constraints": set_of(members({"type": text, "expression": text})),
    "platform_version": text,
    "propagate_tags": default_is("NONE", text),
    "scheduling_strategy": default_is("REPLICA", text),
    "service_registries": block(
        {"container_name": text, "container_port": number_or_zero, "port": number_or_zero, "registry_arn": text}
    ),
    "tags": tags,
    "task_definition": last_part,
}

SPECS = (
    TypeSpec(
        "aws_ecs_cluster",
        {
            "configuration": block(
                {"execute_command_configuration": _COMMAND, "managed_storage_configuration": _STORAGE}
            ),
            "service_connect_defaults": block({"namespace": text}),
            "setting": keyed("name", {"value": text}),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_ecs_cluster_capacity_providers",
        {
            "capacity_providers": set_of(text),
            "default_capacity_provider_strategy": keyed("capacity_provider", _STRATEGY),
        },
        key=by("cluster_name"),
        repeats=unless_arn,
    ),
    TypeSpec("aws_ecs_service", _SERVICE),
    TypeSpec("aws_ecs_task_definition", {"tags": tags}, key=by("arn")),
)
