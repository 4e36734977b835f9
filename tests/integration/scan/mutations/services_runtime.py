"""Changes to image repositories, names and containers."""

from __future__ import annotations

import json
from typing import Any

from tests.support.aws_account import Clients, Mutation

from .calls import Apply, call, changed, create, missing, unmanaged

_TAG = [{"Key": "Extra", "Value": "1"}]
_ECS_TAG = [{"key": "Extra", "value": "1"}]
_OPEN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})
_RULES = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Keep ten images",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)

_REPOSITORIES: tuple[Mutation, ...] = (
    changed(
        "aws_ecr_repository.api",
        "image_tag_mutability",
        call("ecr", "put_image_tag_mutability", "repositoryName=name", imageTagMutability="MUTABLE"),
    ),
    changed(
        "aws_ecr_repository.api",
        "image_scanning_configuration",
        call(
            "ecr",
            "put_image_scanning_configuration",
            "repositoryName=name",
            imageScanningConfiguration={"scanOnPush": False},
        ),
    ),
    changed("aws_ecr_repository.api", "tags.Extra", call("ecr", "tag_resource", "resourceArn=arn", tags=_TAG)),
    changed(
        "aws_ecr_repository_policy.api",
        "policy.Statement",
        call("ecr", "set_repository_policy", "repositoryName=repository", policyText=_OPEN),
    ),
    changed(
        "aws_ecr_lifecycle_policy.api",
        "policy.rules[0].selection.countNumber",
        call("ecr", "put_lifecycle_policy", "repositoryName=repository", lifecyclePolicyText=_RULES),
    ),
    unmanaged(
        "aws_ecr_repository_policy",
        call("ecr", "set_repository_policy", repositoryName="plain", policyText=_OPEN),
        "us-east-1|123456789012|plain",
    ),
    missing("aws_ecr_repository_policy.api", call("ecr", "delete_repository_policy", "repositoryName=repository")),
    missing("aws_ecr_lifecycle_policy.api", call("ecr", "delete_lifecycle_policy", "repositoryName=repository")),
    unmanaged(
        "aws_ecr_lifecycle_policy",
        call("ecr", "put_lifecycle_policy", repositoryName="plain", lifecyclePolicyText=_RULES),
        "us-east-1|123456789012|plain",
    ),
    unmanaged(
        "aws_ecr_repository", create("ecr", "create_repository", "repository.repositoryArn", repositoryName="extra")
    ),
    missing("aws_ecr_repository.plain", call("ecr", "delete_repository", "repositoryName=name", force=True)),
)


def record(action: str = "UPSERT", **changes: Any) -> Apply:
    """Write the target record again with some members changed; `None` leaves a member out."""

    def apply(clients: Clients, target: dict[str, Any]) -> str:
        found = {**_written(target), **changes}
        change = {
            "Action": action,
            "ResourceRecordSet": {name: item for name, item in found.items() if item is not None},
        }
        clients("route53").change_resource_record_sets(
            HostedZoneId=target["zone_id"], ChangeBatch={"Changes": [change]}
        )
        return f"{target['zone_id']}|extra.shop.example.com|A|"

    return apply


def _written(target: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": target["fqdn"], "Type": target["type"]}
    if target["alias"]:
        alias = target["alias"][0]
        found["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zone_id"],
            "EvaluateTargetHealth": alias["evaluate_target_health"],
        }
    else:
        quote = '"' if target["type"] == "TXT" else ""
        found |= {
            "TTL": target["ttl"],
            "ResourceRecords": [{"Value": f"{quote}{item}{quote}"} for item in target["records"]],
        }
    if target["set_identifier"]:
        found["SetIdentifier"] = target["set_identifier"]
    if target["health_check_id"]:
        found["HealthCheckId"] = target["health_check_id"]
    for block, member, name in (
        ("failover_routing_policy", "Failover", "type"),
        ("weighted_routing_policy", "Weight", "weight"),
        ("latency_routing_policy", "Region", "region"),
    ):
        if target[block]:
            found[member] = target[block][0][name]
    if target["geolocation_routing_policy"]:
        found["GeoLocation"] = {"CountryCode": target["geolocation_routing_policy"][0]["country"]}
    if target["multivalue_answer_routing_policy"]:
        found["MultiValueAnswer"] = True
    return found


_OTHER_ALIAS = {
    "DNSName": "other.us-east-1.elb.amazonaws.com",
    "HostedZoneId": "Z35SXDOTRQ7X7K",
    "EvaluateTargetHealth": True,
}
_NAMES: tuple[Mutation, ...] = (
    changed("aws_route53_record.www", "ttl", record(TTL=60)),
    changed("aws_route53_record.www", "records", record(ResourceRecords=[{"Value": "203.0.113.66"}])),
    changed("aws_route53_record.text", "records", record(ResourceRecords=[{"Value": '"v=DMARC1; p=none"'}])),
    changed("aws_route53_record.apex", "alias.name", record(AliasTarget=_OTHER_ALIAS)),
    changed('aws_route53_record.weighted["green"]', "weighted_routing_policy.weight", record(Weight=0)),
    changed("aws_route53_record.failover", "failover_routing_policy.type", record(Failover="SECONDARY")),
    changed("aws_route53_record.failover", "health_check_id", record(HealthCheckId=None)),
    changed(
        "aws_route53_record.country", "geolocation_routing_policy.country", record(GeoLocation={"CountryCode": "FR"})
    ),
    changed("aws_route53_record.latency", "latency_routing_policy.region", record(Region="eu-west-1")),
    changed("aws_route53_record.multi", "multivalue_answer_routing_policy", record(MultiValueAnswer=None)),
    Mutation("aws_route53_record.www", {("unmanaged", "<created>", "")}, record(Name="extra.shop.example.com")),
    missing('aws_route53_record.weighted["blue"]', record("DELETE")),
    changed(
        "aws_route53_zone.public",
        "comment",
        call("route53", "update_hosted_zone_comment", "Id=zone_id", Comment="Other"),
    ),
    changed(
        "aws_route53_zone.public",
        "tags.Extra",
        call("route53", "change_tags_for_resource", "ResourceId=zone_id", ResourceType="hostedzone", AddTags=_TAG),
    ),
)


def _create_zone(clients: Clients, _target: dict[str, Any]) -> str:
    reply = clients("route53").create_hosted_zone(Name="extra.example.com", CallerReference="extra")
    return str(reply["HostedZone"]["Id"]).rsplit("/", 1)[-1]


def _delete_zone(clients: Clients, target: dict[str, Any]) -> None:
    client, zone = clients("route53"), target["zone_id"]
    for item in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        if item["Type"] not in ("NS", "SOA"):
            changes = [{"Action": "DELETE", "ResourceRecordSet": item}]
            client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    client.delete_hosted_zone(Id=zone)


_ZONE_AND_RECORDS = {
    ("missing", name, "")
    for name in (
        "aws_route53_zone.public",
        *(
            f"aws_route53_record.{name}"
            for name in ("www", "apex", "text", "wildcard", "failover", "country", "latency", "multi")
        ),
        'aws_route53_record.weighted["green"]',
    )
}


def service(**changes: Any) -> Apply:
    """Update the target service."""
    return call("ecs", "update_service", "cluster=cluster", "service=name", **changes)


def _network(**changes: Any) -> Apply:
    def apply(clients: Clients, target: dict[str, Any]) -> None:
        block = target["network_configuration"][0]
        found = {"subnets": block["subnets"], "securityGroups": block["security_groups"], "assignPublicIp": "DISABLED"}
        service(networkConfiguration={"awsvpcConfiguration": {**found, **changes}})(clients, target)

    return apply


def _service(path: str, **changes: Any) -> Mutation:
    return changed("aws_ecs_service.api", path, service(**changes))


def _delete_cluster(clients: Clients, target: dict[str, Any]) -> None:
    clients("ecs").delete_service(cluster=target["arn"], service="extra", force=True)
    clients("ecs").delete_cluster(cluster=target["arn"])


_BREAKER = {"enable": True, "rollback": True}
_DEPLOYMENT: dict[str, Any] = {"maximumPercent": 150, "minimumHealthyPercent": 50, "deploymentCircuitBreaker": _BREAKER}
_CONTAINERS: tuple[Mutation, ...] = (
    changed(
        "aws_ecs_cluster.main",
        "setting.containerInsights.value",
        call(
            "ecs", "update_cluster", "cluster=arn", settings=[{"name": "containerInsights", "value": "disabled"}]
        ),
    ),
    changed(
        "aws_ecs_cluster.main",
        "configuration.execute_command_configuration.log_configuration",
        call(
            "ecs", "update_cluster", "cluster=arn", configuration={"executeCommandConfiguration": {"logging": "OVERRIDE"}}
        ),
    ),
    changed(
        "aws_ecs_cluster.plain",
        "service_connect_defaults",
        call("ecs", "update_cluster", "cluster=arn", serviceConnectDefaults={"namespace": "arn:aws:x:::namespace/a"}),
    ),
    changed("aws_ecs_cluster.main", "tags.Extra", call("ecs", "tag_resource", "resourceArn=arn", tags=_ECS_TAG)),
    changed(
        "aws_ecs_cluster_capacity_providers.main",
        "capacity_providers",
        call(
            "ecs",
            "put_cluster_capacity_providers",
            "cluster=cluster_name",
            capacityProviders=["FARGATE"],
            defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 100}],
        ),
    ),
    changed(
        "aws_ecs_cluster_capacity_providers.main",
        "default_capacity_provider_strategy.FARGATE.weight",
        call(
            "ecs",
            "put_cluster_capacity_providers",
            "cluster=cluster_name",
            capacityProviders=["FARGATE"],
            defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 7}],
        ),
    ),
    unmanaged(
        "aws_ecs_cluster_capacity_providers",
        call(
            "ecs",
            "put_cluster_capacity_providers",
            cluster="plain",
            capacityProviders=["FARGATE"],
            defaultCapacityProviderStrategy=[],
        ),
        "us-east-1|plain",
    ),
    missing(
        "aws_ecs_cluster_capacity_providers.main",
        call(
            "ecs",
            "put_cluster_capacity_providers",
            "cluster=cluster_name",
            capacityProviders=[],
            defaultCapacityProviderStrategy=[],
        ),
    ),
    _service("desired_count", desiredCount=0),
    _service("task_definition", taskDefinition="worker"),
    _service("platform_version", platformVersion="1.3.0"),
    _service("propagate_tags", propagateTags="TASK_DEFINITION"),
    _service("health_check_grace_period_seconds", healthCheckGracePeriodSeconds=3),
    _service("deployment_maximum_percent", deploymentConfiguration={**_DEPLOYMENT, "maximumPercent": 200}),
    _service("deployment_minimum_healthy_percent", deploymentConfiguration={**_DEPLOYMENT, "minimumHealthyPercent": 0}),
    _service(
        "deployment_circuit_breaker.rollback",
        deploymentConfiguration={**_DEPLOYMENT, "deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    ),
    _service(
        "alarms",
        deploymentConfiguration={**_DEPLOYMENT, "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True}},
    ),
    _service("load_balancer", loadBalancers=[]),
    _service("availability_zone_rebalancing", availabilityZoneRebalancing="ENABLED"),
    _service("capacity_provider_strategy", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}]),
    _service("service_registries", serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:::service/srv-1"}]),
    _service("ordered_placement_strategy", placementStrategy=[{"type": "random"}]),
    _service("placement_constraints", placementConstraints=[{"type": "distinctInstance"}]),
    changed("aws_ecs_service.api", "network_configuration.assign_public_ip", _network(assignPublicIp="ENABLED")),
    changed("aws_ecs_service.api", "network_configuration.security_groups", _network(securityGroups=["sg-12345678"])),
    changed("aws_ecs_service.api", "tags.Extra", call("ecs", "tag_resource", "resourceArn=id", tags=_ECS_TAG)),
    changed("aws_ecs_task_definition.api", "tags.Extra", call("ecs", "tag_resource", "resourceArn=arn", tags=_ECS_TAG)),
    unmanaged(
        "aws_ecs_service",
        create("ecs", "create_service", "service.serviceArn", cluster="plain", serviceName="extra", desiredCount=0,
               taskDefinition="worker"),
    ),
    missing("aws_ecs_service.worker", call("ecs", "delete_service", "cluster=cluster", "service=name", force=True)),
    unmanaged(
        "aws_ecs_task_definition",
        create("ecs", "register_task_definition", "taskDefinition.taskDefinitionArn", family="extra",
               containerDefinitions=[{"name": "extra", "image": "extra", "memory": 128}]),
    ),
    missing("aws_ecs_task_definition.api", call("ecs", "deregister_task_definition", "taskDefinition=arn")),
    missing("aws_ecs_cluster.plain", _delete_cluster),
    unmanaged("aws_ecs_cluster", create("ecs", "create_cluster", "cluster.clusterArn", clusterName="extra")),
)  # fmt: skip

MUTATIONS = (
    *_REPOSITORIES,
    *_NAMES,
    unmanaged("aws_route53_zone", _create_zone),
    Mutation("aws_route53_zone.public", _ZONE_AND_RECORDS, _delete_zone),
    *_CONTAINERS,
)

EXCEPTIONS: dict[str, str] = {
    "aws_ecr_repository.encryption_configuration": "fixed at creation",
    "aws_route53_zone.name": "fixed at creation",
    "aws_route53_zone_association.*": "moto makes no private zone from a request without its own `PrivateZone` flag",
    "aws_route53_record.cidr_routing_policy": "moto does not keep CidrRoutingConfig",
    "aws_route53_record.geoproximity_routing_policy": "moto does not keep GeoProximityLocation",
    "aws_ecs_service.cluster": "fixed at creation",
    "aws_ecs_service.deployment_controller": "fixed at creation",
    "aws_ecs_service.enable_ecs_managed_tags": "moto does not change it",
    "aws_ecs_service.enable_execute_command": "moto does not change it",
    "aws_ecs_service.launch_type": "fixed at creation",
    "aws_ecs_service.scheduling_strategy": "fixed at creation",
}
