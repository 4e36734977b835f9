"""Reads Batch, Step Functions activities, EventBridge Scheduler and CodeBuild.

Source: API References of these services, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import blocks, in_snake, tagged

_GONE = ("ResourceNotFoundException", "ResourceNotFound", "ActivityDoesNotExist")
_CALL_SIZE = 100  # projects that one call describes
_COMPUTE = {
    "allocation_strategy": "allocationStrategy",
    "bid_percentage": "bidPercentage",
    "ec2_key_pair": "ec2KeyPair",
    "image_id": "imageId",
    "instance_role": "instanceRole",
    "instance_type": "instanceTypes",
    "max_vcpus": "maxvCpus",
    "min_vcpus": "minvCpus",
    "placement_group": "placementGroup",
    "security_group_ids": "securityGroupIds",
    "spot_iam_fleet_role": "spotIamFleetRole",
    "subnets": "subnets",
    "type": "type",
}


def _own_tags(scope: Scope, kind: str, arn: str, attributes: dict[str, object], tags: dict[str, str]) -> LiveResource:
    return LiveResource(kind, arn, scope.region, {**attributes, "tags": tags}, arn, tags=tags)


def read_compute_environments(scope: Scope) -> Iterator[Finding]:
    """List compute environments."""
    for item in scope.pages("batch", "describe_compute_environments", "computeEnvironments"):
        resources = item.get("computeResources") or {}
        attributes: dict[str, object] = {
            **in_snake(item, "serviceRole", "state", "type"),
            "compute_resources": [{name: resources.get(member) for name, member in _COMPUTE.items()}]
            if resources
            else [],
        }
        arn = item["computeEnvironmentArn"]
        yield _own_tags(scope, "aws_batch_compute_environment", arn, attributes, item.get("tags") or {})


def read_queues(scope: Scope) -> Iterator[Finding]:
    """List job queues."""
    for item in scope.pages("batch", "describe_job_queues", "jobQueues"):
        attributes: dict[str, object] = {
            **in_snake(item, "priority", "schedulingPolicyArn", "state"),
            "compute_environment_order": blocks(item.get("computeEnvironmentOrder") or []),
        }
        yield _own_tags(scope, "aws_batch_job_queue", item["jobQueueArn"], attributes, item.get("tags") or {})


def read_job_definitions(scope: Scope) -> Iterator[Finding]:
    """List the revisions of job definitions that are in use; a revision never changes."""
    for item in scope.pages("batch", "describe_job_definitions", "jobDefinitions", status="ACTIVE"):
        arn = item["jobDefinitionArn"]
        yield _own_tags(scope, "aws_batch_job_definition", arn, {}, item.get("tags") or {})


def read_policies(scope: Scope) -> Iterator[Finding]:
    """List scheduling policies; one call describes many."""
    client = scope.client("batch")
    arns = [item["arn"] for item in scope.pages("batch", "list_scheduling_policies", "schedulingPolicies")]
    for start in range(0, len(arns), _CALL_SIZE):
        reply = client.describe_scheduling_policies(arns=arns[start : start + _CALL_SIZE])
        for item in reply.get("schedulingPolicies") or ():
            policy = item.get("fairsharePolicy") or {}
            written = {
                **in_snake(policy, "computeReservation", "shareDecaySeconds"),
                "share_distribution": blocks(policy.get("shareDistribution") or []),
            }
            attributes: dict[str, object] = {"fair_share_policy": [written]}
            yield _own_tags(scope, "aws_batch_scheduling_policy", item["arn"], attributes, item.get("tags") or {})


def read_activities(scope: Scope) -> Iterator[Finding]:
    """List activities of Step Functions."""
    client = scope.client("stepfunctions")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["activityArn"]

        def call() -> dict[str, str]:
            return tag_map(client.list_tags_for_resource(resourceArn=arn).get("tags"), key="key", value="value")

        yield from tagged(scope, "aws_sfn_activity", arn, {}, arn, call, *_GONE)

    yield from each(scope.pages("stepfunctions", "list_activities", "activities"), one)


def read_schedule_groups(scope: Scope) -> Iterator[Finding]:
    """List schedule groups; every account has the one named `default`."""
    client = scope.client("scheduler")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["Arn"]

        def call() -> dict[str, str]:
            return tag_map(client.list_tags_for_resource(ResourceArn=arn).get("Tags"))

        yield from tagged(
            scope, "aws_scheduler_schedule_group", arn, {}, arn, call, *_GONE, cloud_made=item["Name"] == "default"
        )

    yield from each(scope.pages("scheduler", "list_schedule_groups", "ScheduleGroups"), one)


def read_schedules(scope: Scope) -> Iterator[Finding]:
    """List schedules; each takes a call."""
    client, kind = scope.client("scheduler"), "aws_scheduler_schedule"

    def one(item: Item) -> Iterator[Finding]:
        place = {"Name": item["Name"], "GroupName": item["GroupName"]}
        arn = item.get("Arn") or scope.arn("scheduler", f"schedule/{item['GroupName']}/{item['Name']}")
        found = attempt("scheduler", lambda: client.get_schedule(**place), *_GONE)
        if isinstance(found, Gap):
            yield found.unread(kind, arn)
        elif found:
            dates = {name: found[member].strftime("%Y-%m-%dT%H:%M:%SZ") if found.get(member) else None
                     for name, member in (("start_date", "StartDate"), ("end_date", "EndDate"))}  # fmt: skip
            attributes: dict[str, object] = {
                **in_snake(
                    found, "Description", "KmsKeyArn", "ScheduleExpression", "ScheduleExpressionTimezone", "State"
                ),
                **dates,
                "flexible_time_window": blocks(found.get("FlexibleTimeWindow")),
                "target": blocks(found.get("Target")),
            }
            yield LiveResource(kind, arn, scope.region, attributes, arn)

    yield from each(scope.pages("scheduler", "list_schedules", "Schedules"), one)


def read_projects(scope: Scope) -> Iterator[Finding]:
    """List build projects; one call describes many."""
    client = scope.client("codebuild")
    names = list(scope.pages("codebuild", "list_projects", "projects"))
    for start in range(0, len(names), _CALL_SIZE):
        reply = client.batch_get_projects(names=names[start : start + _CALL_SIZE])
        for item in reply.get("projects") or ():
            tags = tag_map(item.get("tags"), key="key", value="value")
            yield _own_tags(scope, "aws_codebuild_project", item["arn"], _project(item), tags)


def _project(item: Item) -> dict[str, object]:
    environment, source = item.get("environment") or {}, item.get("source") or {}
    network = item.get("vpcConfig") or {}
    logs = item.get("logsConfig") or {}
    return {
        **in_snake(item, "concurrentBuildLimit", "description", "encryptionKey", "serviceRole", "sourceVersion"),
        "artifacts": [in_snake(item.get("artifacts") or {}, "encryptionDisabled", "location", "name", "path", "type")],
        "badge_enabled": (item.get("badge") or {}).get("badgeEnabled"),
        "build_timeout": item.get("timeoutInMinutes"),
        "cache": blocks(item.get("cache")),
        "environment": [
            {
                **in_snake(environment, "certificate", "computeType", "image", "imagePullCredentialsType", "privilegedMode", "type"),
                "environment_variable": environment.get("environmentVariables"),
            }
        ],
        "logs_config": [
            {
                "cloudwatch_logs": blocks(logs.get("cloudWatchLogs")),
                "s3_logs": blocks(logs.get("s3Logs")),
            }
        ],
        "queued_timeout": item.get("queuedTimeoutInMinutes"),
        "source": [in_snake(source, "buildspec", "gitCloneDepth", "insecureSsl", "location", "reportBuildStatus", "type")],
        "vpc_config": [in_snake(network, "securityGroupIds", "subnets", "vpcId")] if network.get("vpcId") else [],
    }  # fmt: skip


SERVICE = Service(
    "runtime",
    (
        Listing(("aws_batch_compute_environment",), read_compute_environments, ("batch:DescribeComputeEnvironments",)),
        Listing(("aws_batch_job_queue",), read_queues, ("batch:DescribeJobQueues",)),
        Listing(("aws_batch_job_definition",), read_job_definitions, ("batch:DescribeJobDefinitions",)),
        Listing(
            ("aws_batch_scheduling_policy",),
            read_policies,
            ("batch:ListSchedulingPolicies", "batch:DescribeSchedulingPolicies"),
        ),
        Listing(("aws_sfn_activity",), read_activities, ("states:ListActivities", "states:ListTagsForResource")),
        Listing(
            ("aws_scheduler_schedule_group",),
            read_schedule_groups,
            ("scheduler:ListScheduleGroups", "scheduler:ListTagsForResource"),
        ),
        Listing(("aws_scheduler_schedule",), read_schedules, ("scheduler:ListSchedules", "scheduler:GetSchedule")),
        Listing(("aws_codebuild_project",), read_projects, ("codebuild:ListProjects", "codebuild:BatchGetProjects")),
    ),
)
