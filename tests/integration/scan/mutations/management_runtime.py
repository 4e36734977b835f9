"""Changes to EKS, Batch, Step Functions, Scheduler and CodeBuild."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import again, fixed, unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_ROLE = "arn:aws:iam::123456789012:role/service"
_OTHER = "arn:aws:iam::123456789012:role/other"
_EXTRA = {"Extra": "1"}
_CLUSTER = "aws_eks_cluster.main"
_NODES = "aws_eks_node_group.main"
_PROFILE = "aws_eks_fargate_profile.main"


def _network(clients: Clients) -> dict[str, Any]:
    found = clients("ec2").describe_subnets(
        Filters=[{"Name": "cidr-block", "Values": ["10.40.0.0/24", "10.40.1.0/24"]}]
    )
    return {"subnetIds": sorted(item["SubnetId"] for item in found["Subnets"])}


def cluster(**changes: Any) -> Apply:
    """Update the configuration of the target cluster's endpoint."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        kept = target["vpc_config"][0]
        base = {
            "endpointPrivateAccess": True, "endpointPublicAccess": True, "publicAccessCidrs": kept["public_access_cidrs"],
            "subnetIds": kept["subnet_ids"], "securityGroupIds": kept["security_group_ids"],
        }  # fmt: skip
        clients("eks").update_cluster_config(name=target["name"], resourcesVpcConfig={**base, **changes})

    return apply


def nodes(**changes: Any) -> Apply:
    """Update the configuration of the target node group."""
    return call(
        "eks", "update_nodegroup_config", "clusterName=cluster_name", "nodegroupName=node_group_name", **changes
    )


_KUBERNETES: tuple[Mutation, ...] = (
    changed(_CLUSTER, "vpc_config.public_access_cidrs", cluster(publicAccessCidrs=["0.0.0.0/0"])),
    changed(_CLUSTER, "vpc_config.endpoint_private_access", cluster(endpointPrivateAccess=False)),
    changed(_CLUSTER, "vpc_config.endpoint_public_access", cluster(endpointPublicAccess=False)),
    changed(
        _CLUSTER,
        "enabled_cluster_log_types",
        call("eks", "update_cluster_config", "name=name", logging={"clusterLogging": [{"types": ["api"], "enabled": True}]}),
    ),
    changed(_CLUSTER, "tags.Extra", call("eks", "tag_resource", "resourceArn=arn", tags=_EXTRA)),
    changed(_NODES, "scaling_config.max_size", nodes(scalingConfig={"minSize": 1, "maxSize": 30, "desiredSize": 2})),
    changed(_NODES, "labels.extra", nodes(labels={"addOrUpdateLabels": {"extra": "1"}})),
    changed(_NODES, "taint", nodes(taints={"addOrUpdateTaints": [{"key": "x", "value": "y", "effect": "NO_SCHEDULE"}]})),
    unmanaged(
        "aws_eks_node_group",
        lambda clients, _target: clients("eks").create_nodegroup(
            clusterName="main", nodegroupName="extra", subnets=_network(clients)["subnetIds"], nodeRole=_ROLE
        )["nodegroup"]["nodegroupArn"],
    ),
    missing(_NODES, call("eks", "delete_nodegroup", "clusterName=cluster_name", "nodegroupName=node_group_name")),
    unmanaged(
        "aws_eks_fargate_profile",
        lambda clients, _target: clients("eks").create_fargate_profile(
            clusterName="main", fargateProfileName="extra", podExecutionRoleArn=_ROLE, subnets=_network(clients)["subnetIds"],
            selectors=[{"namespace": "extra"}],
        )["fargateProfile"]["fargateProfileArn"],
    ),
    missing(_PROFILE, call("eks", "delete_fargate_profile", "clusterName=cluster_name", "fargateProfileName=fargate_profile_name")),
    unmanaged(
        "aws_eks_cluster",
        lambda clients, _target: clients("eks").create_cluster(name="extra", roleArn=_ROLE, resourcesVpcConfig=_network(clients))["cluster"]["arn"],
    ),
    missing(_CLUSTER, lambda clients, target: _remove_cluster(clients, target["name"])),
)  # fmt: skip


def _remove_cluster(clients: Clients, name: str) -> None:
    for group in clients("eks").list_nodegroups(clusterName=name)["nodegroups"]:
        clients("eks").delete_nodegroup(clusterName=name, nodegroupName=group)
    for profile in clients("eks").list_fargate_profiles(clusterName=name)["fargateProfileNames"]:
        clients("eks").delete_fargate_profile(clusterName=name, fargateProfileName=profile)
    clients("eks").delete_cluster(name=name)


_ENVIRONMENT = "aws_batch_compute_environment.main"
_QUEUE = "aws_batch_job_queue.main"
_FAIR = "aws_batch_scheduling_policy.main"


def fair(**changes: Any) -> Apply:
    """Update the scheduling policy."""
    base = {
        "computeReservation": 1,
        "shareDecaySeconds": 3600,
        "shareDistribution": [{"shareIdentifier": "A1*", "weightFactor": 0.5}],
    }
    return call("batch", "update_scheduling_policy", "arn=arn", fairsharePolicy={**base, **changes})


def _batch_tag(address: str) -> Mutation:
    return changed(address, "tags.Extra", call("batch", "tag_resource", "resourceArn=arn", tags=_EXTRA))


def _other_role(clients: Clients, target: dict[str, Any]) -> None:
    arn = clients("iam").create_role(RoleName="other", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    clients("batch").update_compute_environment(computeEnvironment=target["arn"], serviceRole=arn)


_BATCH: tuple[Mutation, ...] = (
    changed(_QUEUE, "priority", call("batch", "update_job_queue", "jobQueue=arn", priority=99)),
    changed(_QUEUE, "state", call("batch", "update_job_queue", "jobQueue=arn", state="DISABLED")),
    _batch_tag(_QUEUE),
    changed(_FAIR, "fair_share_policy.compute_reservation", fair(computeReservation=50)),
    changed(_FAIR, "fair_share_policy.share_decay_seconds", fair(shareDecaySeconds=60)),
    changed(_FAIR, "fair_share_policy.share_distribution.A1*.weight_factor", fair(shareDistribution=[{"shareIdentifier": "A1*", "weightFactor": 1}])),
    _batch_tag(_FAIR),
    unmanaged("aws_batch_scheduling_policy", create("batch", "create_scheduling_policy", "arn", name="extra", fairsharePolicy={})),
    missing(_FAIR, call("batch", "delete_scheduling_policy", "arn=arn")),
    _batch_tag("aws_batch_job_definition.main"),
    unmanaged(
        "aws_batch_job_definition",
        create(
            "batch", "register_job_definition", "jobDefinitionArn", jobDefinitionName="extra", type="container",
            containerProperties={"image": "busybox", "vcpus": 1, "memory": 128},
        ),
    ),
    missing("aws_batch_job_definition.main", call("batch", "deregister_job_definition", "jobDefinition=arn")),
    changed(_ENVIRONMENT, "state", call("batch", "update_compute_environment", "computeEnvironment=arn", state="DISABLED")),
    changed(_ENVIRONMENT, "service_role", _other_role),
    _batch_tag(_ENVIRONMENT),
    unmanaged(
        "aws_batch_compute_environment",
        create("batch", "create_compute_environment", "computeEnvironmentArn", computeEnvironmentName="extra", type="UNMANAGED", serviceRole=_ROLE),
    ),
    unmanaged(
        "aws_batch_job_queue",
        lambda clients, _target: clients("batch").create_job_queue(
            jobQueueName="extra", priority=1, state="ENABLED", computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "extra"}]
        )["jobQueueArn"],
    ),
    missing(_QUEUE, call("batch", "delete_job_queue", "jobQueue=arn")),
    missing(_ENVIRONMENT, call("batch", "delete_compute_environment", "computeEnvironment=arn")),
)  # fmt: skip

_SCHEDULE = "aws_scheduler_schedule.main"


def schedule(**changes: Any) -> Apply:
    """Update the target schedule; AWS wants all of it again."""

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        sent = copy.deepcopy(changes)
        wanted = {
            "Name": "report", "GroupName": "nightly", "Description": "Report", "ScheduleExpression": "rate(1 hour)",
            "ScheduleExpressionTimezone": "Europe/Berlin", "State": "ENABLED",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        }  # fmt: skip
        kept = target["target"][0]
        aim = {
            "Arn": kept["arn"], "RoleArn": kept["role_arn"], "Input": '{"kind": "report"}',
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 3},
        }  # fmt: skip
        aim.update(sent.pop("Target", {}))
        clients("scheduler").update_schedule(**{**wanted, **sent, "Target": aim})

    return apply


_PLANNED: tuple[Mutation, ...] = (
    changed(_SCHEDULE, "description", schedule(Description="Other")),
    changed(_SCHEDULE, "schedule_expression", schedule(ScheduleExpression="rate(2 hours)")),
    changed(_SCHEDULE, "schedule_expression_timezone", schedule(ScheduleExpressionTimezone="UTC")),
    changed(_SCHEDULE, "state", schedule(State="DISABLED")),
    changed(_SCHEDULE, "flexible_time_window.maximum_window_in_minutes", schedule(FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30})),
    changed(_SCHEDULE, "kms_key_arn", schedule(KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/1")),
    changed(_SCHEDULE, "target.arn", schedule(Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:other"})),
    changed(_SCHEDULE, "target.role_arn", schedule(Target={"RoleArn": _OTHER})),
    changed(_SCHEDULE, "target.input.kind", schedule(Target={"Input": json.dumps({"kind": "other"})})),
    changed(_SCHEDULE, "target.retry_policy.maximum_retry_attempts", schedule(Target={"RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 9}})),
    unmanaged(
        "aws_scheduler_schedule",
        create(
            "scheduler", "create_schedule", "ScheduleArn", Name="extra", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:x", "RoleArn": _ROLE},
        ),
    ),
    missing(_SCHEDULE, call("scheduler", "delete_schedule", "Name=name", "GroupName=group_name")),
    changed("aws_scheduler_schedule_group.main", "tags.Extra", call("scheduler", "tag_resource", "ResourceArn=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
    unmanaged("aws_scheduler_schedule_group", create("scheduler", "create_schedule_group", "ScheduleGroupArn", Name="extra")),
    missing("aws_scheduler_schedule_group.main", call("scheduler", "delete_schedule_group", "Name=name")),
    changed("aws_sfn_activity.main", "tags.Extra", call("stepfunctions", "tag_resource", "resourceArn=id", tags=[{"key": "Extra", "value": "1"}])),
    unmanaged("aws_sfn_activity", create("stepfunctions", "create_activity", "activityArn", name="extra")),
    missing("aws_sfn_activity.main", call("stepfunctions", "delete_activity", "activityArn=id")),
)  # fmt: skip

_VARIABLE = {"name": "STAGE", "value": "test", "type": "PLAINTEXT"}
_BUILD = {
    "computeType": "BUILD_GENERAL1_SMALL", "image": "aws/codebuild/standard:7.0", "type": "LINUX_CONTAINER",
    "imagePullCredentialsType": "CODEBUILD", "privilegedMode": False, "environmentVariables": [_VARIABLE],
}  # fmt: skip
_SOURCE = {"type": "GITHUB", "location": "https://github.com/example/main.git", "gitCloneDepth": 1}
_project = again(
    "codebuild", ("delete_project", {"name": "main"}), "create_project",
    {
        "name": "main", "description": "Main", "timeoutInMinutes": 30, "queuedTimeoutInMinutes": 60, "serviceRole": _ROLE,
        "artifacts": {"type": "NO_ARTIFACTS"}, "environment": _BUILD, "source": _SOURCE, "tags": [{"key": "Team", "value": "platform"}],
    },
    "aws_codebuild_project.main",
)  # fmt: skip
_PROJECTS: tuple[Mutation, ...] = (
    _project("description", description="Other"),
    _project("build_timeout", timeoutInMinutes=300),
    _project("queued_timeout", queuedTimeoutInMinutes=300),
    _project("service_role", serviceRole=_OTHER),
    _project("environment", environment={**_BUILD, "privilegedMode": True}),
    _project("environment", environment={**_BUILD, "environmentVariables": [{**_VARIABLE, "value": "production"}]}),
    _project("source.location", source={**_SOURCE, "location": "https://github.com/evil/main.git"}),
    _project("source_version", sourceVersion="other"),
    _project("cache", cache={"type": "S3", "location": "audit-123456789012/cache"}),
    _project("logs_config", logsConfig={"s3Logs": {"status": "ENABLED", "location": "audit-123456789012/logs"}}),
    _project("vpc_config", vpcConfig={"vpcId": "vpc-1", "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}),
    _project("tags.Extra", tags=[{"key": "Team", "value": "platform"}, {"key": "Extra", "value": "1"}]),
    unmanaged(
        "aws_codebuild_project",
        create("codebuild", "create_project", "project.arn", name="extra", source=_SOURCE, artifacts={"type": "NO_ARTIFACTS"}, environment=_BUILD, serviceRole=_ROLE),
    ),
    missing("aws_codebuild_project.main", call("codebuild", "delete_project", "name=name")),
)  # fmt: skip

MUTATIONS = (*_KUBERNETES, *_BATCH, *_PLANNED, *_PROJECTS)

EXCEPTIONS: dict[str, str] = {
    **fixed("aws_eks_cluster", "encryption_config", "role_arn"),
    **unchanged_by_moto("aws_eks_cluster", "access_config", "upgrade_policy", "version"),
    **fixed(
        "aws_eks_node_group",
        "ami_type",
        "capacity_type",
        "disk_size",
        "instance_types",
        "node_role_arn",
        "remote_access",
        "subnet_ids",
    ),
    **unchanged_by_moto("aws_eks_node_group", "launch_template", "release_version", "tags", "version"),
    **fixed("aws_eks_fargate_profile", "pod_execution_role_arn", "selector", "subnet_ids"),
    **unchanged_by_moto("aws_eks_fargate_profile", "tags"),
    **fixed("aws_batch_compute_environment", "type"),
    **unchanged_by_moto("aws_batch_compute_environment", "compute_resources"),
    **unchanged_by_moto("aws_batch_job_queue", "compute_environment_order", "scheduling_policy_arn"),
    **unchanged_by_moto("aws_scheduler_schedule", "end_date", "start_date"),
    **unchanged_by_moto(
        "aws_codebuild_project", "artifacts", "badge_enabled", "concurrent_build_limit", "encryption_key"
    ),
}
