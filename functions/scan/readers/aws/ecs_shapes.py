"""Turns ECS descriptions into the shape of their Terraform schemas. Makes no calls.

Source: Amazon ECS API Reference, Cluster and Service; Terraform AWS provider 5.100.
"""

from __future__ import annotations

from collections.abc import Iterable

from .base import Item

_SERVICE = {
    "availability_zone_rebalancing": "availabilityZoneRebalancing",
    "cluster": "clusterArn",
    "desired_count": "desiredCount",
    "enable_ecs_managed_tags": "enableECSManagedTags",
    "enable_execute_command": "enableExecuteCommand",
    "health_check_grace_period_seconds": "healthCheckGracePeriodSeconds",
    "launch_type": "launchType",
    "platform_version": "platformVersion",
    "propagate_tags": "propagateTags",
    "scheduling_strategy": "schedulingStrategy",
    "task_definition": "taskDefinition",
}
_PERCENTAGES = {
    "deployment_maximum_percent": "maximumPercent",
    "deployment_minimum_healthy_percent": "minimumHealthyPercent",
}


def strategies(items: Iterable[Item] | None) -> list[Item]:
    """Return capacity provider strategies, of a cluster's default or a service."""
    return [
        {"capacity_provider": item["capacityProvider"], "base": item.get("base"), "weight": item.get("weight")}
        for item in items or ()
    ]


def cluster_attributes(item: Item) -> dict[str, object]:
    """Return what a cluster's description tells, tags apart."""
    configuration = item.get("configuration") or {}
    command = configuration.get("executeCommandConfiguration") or {}
    log = command.get("logConfiguration") or {}
    storage = configuration.get("managedStorageConfiguration") or {}
    return {
        "setting": [{"name": entry["name"], "value": entry.get("value")} for entry in item.get("settings") or ()],
        "configuration": [
            {
                "execute_command_configuration": [
                    {
                        "kms_key_id": command.get("kmsKeyId"),
                        "logging": command.get("logging"),
                        "log_configuration": [
                            {
                                "cloud_watch_encryption_enabled": log.get("cloudWatchEncryptionEnabled"),
                                "cloud_watch_log_group_name": log.get("cloudWatchLogGroupName"),
                                "s3_bucket_encryption_enabled": log.get("s3EncryptionEnabled"),
                                "s3_bucket_name": log.get("s3BucketName"),
                                "s3_key_prefix": log.get("s3KeyPrefix"),
                            }
                        ],
                    }
                ],
                "managed_storage_configuration": [
                    {
                        "fargate_ephemeral_storage_kms_key_id": storage.get("fargateEphemeralStorageKmsKeyId"),
                        "kms_key_id": storage.get("kmsKeyId"),
                    }
                ],
            }
        ],
        "service_connect_defaults": [{"namespace": (item.get("serviceConnectDefaults") or {}).get("namespace")}],
    }


def service_attributes(item: Item) -> dict[str, object]:
    """Return what a service's description tells, tags apart."""
    plain = {name: item.get(member) for name, member in _SERVICE.items()}
    if item.get("schedulingStrategy") == "DAEMON":  # as many as there are machines
        del plain["desired_count"]
    return {
        **plain,
        **_deployment(item.get("deploymentConfiguration")),
        "capacity_provider_strategy": strategies(item.get("capacityProviderStrategy")),
        "deployment_controller": [{"type": (item.get("deploymentController") or {}).get("type")}],
        "load_balancer": [
            {
                "container_name": entry.get("containerName"),
                "container_port": entry.get("containerPort"),
                "elb_name": entry.get("loadBalancerName"),
                "target_group_arn": entry.get("targetGroupArn"),
            }
            for entry in item.get("loadBalancers") or ()
        ],
        "network_configuration": _network(item),
        "ordered_placement_strategy": [
            {"type": entry.get("type"), "field": entry.get("field")} for entry in item.get("placementStrategy") or ()
        ],
        "placement_constraints": [
            {"type": entry.get("type"), "expression": entry.get("expression")}
            for entry in item.get("placementConstraints") or ()
        ],
        "service_registries": [
            {
                "container_name": entry.get("containerName"),
                "container_port": entry.get("containerPort"),
                "port": entry.get("port"),
                "registry_arn": entry.get("registryArn"),
            }
            for entry in item.get("serviceRegistries") or ()
        ],
    }


def _deployment(found: Item | None) -> dict[str, object]:
    """Return how deployments run; nothing where ECS does not run them (an external deployment controller)."""
    if not found:
        return {}
    breaker, alarms = found.get("deploymentCircuitBreaker") or {}, found.get("alarms") or {}
    return {
        "alarms": [
            {
                "alarm_names": alarms.get("alarmNames"),
                "enable": alarms.get("enable"),
                "rollback": alarms.get("rollback"),
            }
        ],
        "deployment_circuit_breaker": [{"enable": breaker.get("enable"), "rollback": breaker.get("rollback")}],
        **{name: found[member] for name, member in _PERCENTAGES.items() if member in found},
    }


def _network(item: Item) -> list[Item]:
    found = (item.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return [
        {
            "assign_public_ip": found.get("assignPublicIp") == "ENABLED",
            "security_groups": found.get("securityGroups"),
            "subnets": found.get("subnets"),
        }
    ]
