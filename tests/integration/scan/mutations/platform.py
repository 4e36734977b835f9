"""What can be changed behind Terraform's back in the `platform` group: scaling groups, service discovery, images."""

from __future__ import annotations

import json
from typing import Any

from functions.scan.types.aws import autoscaling, discovery, ec2_images
from tests.support.aws_account import Clients, Mutation

from ._changes import ec2_tag
from .calls import Apply, call, changed, create, missing, unmanaged
from .links_vpc import fixed, still

SPECS = (*autoscaling.SPECS, *discovery.SPECS, *ec2_images.SPECS)

_NAME = "AutoScalingGroupName=name"
_OF_GROUP = "AutoScalingGroupName=autoscaling_group_name"


def group(name: str, path: str, **arguments: Any) -> Mutation:
    """Update one member of a scaling group."""
    return changed(
        f"aws_autoscaling_group.{name}", path, call("autoscaling", "update_auto_scaling_group", _NAME, **arguments)
    )


def _tag(clients: Clients, target: dict[str, Any]) -> None:
    more = {"ResourceId": target["name"], "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    clients("autoscaling").create_or_update_tags(Tags=[{**more, "Key": "Extra", "Value": "1"}])


def _targets(operation: str) -> Apply:
    """Attach or detach the target group, whose ARN only the account knows."""

    def apply(clients: Clients, target: dict[str, Any]) -> str:
        name = target.get("autoscaling_group_name") or target["name"]
        arn = clients("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
        getattr(clients("autoscaling"), operation)(AutoScalingGroupName=name, TargetGroupARNs=[arn])
        return f"us-east-1|{name}|{arn}"

    return apply


def _other_template(clients: Clients, target: dict[str, Any]) -> None:
    made = clients("ec2").create_launch_template(
        LaunchTemplateName="other", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    clients("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=target["name"],
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"},
    )


def _one_zone(clients: Clients, target: dict[str, Any]) -> None:
    clients("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=target["name"], VPCZoneIdentifier=target["vpc_zone_identifier"][0]
    )


def _create_group(clients: Clients, _target: dict[str, Any]) -> str:
    clients("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="more",
        MinSize=0,
        MaxSize=1,
        LaunchConfigurationName="old",
        AvailabilityZones=["us-east-1a"],
    )
    return "us-east-1|more"


def _create_configuration(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("autoscaling")
    client.create_launch_configuration(LaunchConfigurationName="more", ImageId="ami-12c6146b", InstanceType="t3.micro")
    found = client.describe_launch_configurations(LaunchConfigurationNames=["more"])["LaunchConfigurations"]
    return str(found[0]["LaunchConfigurationARN"])


_SIMPLE: dict[str, Any] = {
    "PolicyName": "simple",
    "AdjustmentType": "ChangeInCapacity",
    "ScalingAdjustment": 1,
    "Cooldown": 100,
}
_STEP = {"ScalingAdjustment": 1, "MetricIntervalLowerBound": 0}
_STEPS: dict[str, Any] = {
    "PolicyName": "steps", "PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity", "MetricAggregationType": "Average",
    "EstimatedInstanceWarmup": 60, "StepAdjustments": [_STEP],
}  # fmt: skip
_CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
_NIGHT: dict[str, Any] = {
    "ScheduledActionName": "night", "MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0, "Recurrence": "0 22 * * *",
    "TimeZone": "Etc/UTC", "EndTime": "2041-01-01T22:00:00Z",
}  # fmt: skip


def policy(name: str, path: str, written: dict[str, Any], **changes: Any) -> Mutation:
    """Write a policy again with one member changed."""
    apply = call("autoscaling", "put_scaling_policy", _OF_GROUP, **{**written, **changes})
    return changed(f"aws_autoscaling_policy.{name}", path, apply)


def schedule(path: str, **changes: Any) -> Mutation:
    """Write the schedule again with one member changed."""
    apply = call("autoscaling", "put_scheduled_update_group_action", _OF_GROUP, **{**_NIGHT, **changes})
    return changed("aws_autoscaling_schedule.night", path, apply)


_HOOK: dict[str, Any] = {
    "LifecycleHookName": "drain", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "DefaultResult": "CONTINUE",
    "HeartbeatTimeout": 300,
}  # fmt: skip


def hook(path: str, **changes: Any) -> Mutation:
    """Write the lifecycle hook again with one member changed."""
    apply = call("autoscaling", "put_lifecycle_hook", _OF_GROUP, **{**_HOOK, **changes})
    return changed("aws_autoscaling_lifecycle_hook.drain", path, apply)


def _more(operation: str, key: str, **arguments: Any) -> Apply:
    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        getattr(clients("autoscaling"), operation)(AutoScalingGroupName="web", **arguments)
        return key

    return apply


def _create_policy(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("autoscaling")
    client.put_scaling_policy(AutoScalingGroupName="web", **{**_SIMPLE, "PolicyName": "more"})
    found = client.describe_policies(AutoScalingGroupName="web", PolicyNames=["more"])["ScalingPolicies"]
    return str(found[0]["PolicyARN"])


_SCALING = (
    group("web", "max_size", MaxSize=3),
    group("old", "desired_capacity", DesiredCapacity=1),
    group("old", "min_size", MinSize=1),
    group("web", "health_check_type", HealthCheckType="ELB"),
    group("web", "health_check_grace_period", HealthCheckGracePeriod=10),
    group("web", "protect_from_scale_in", NewInstancesProtectedFromScaleIn=False),
    changed("aws_autoscaling_group.web", "tag", _tag),
    changed("aws_autoscaling_group.web", "suspended_processes", call("autoscaling", "suspend_processes", _NAME, ScalingProcesses=["Launch"])),
    changed("aws_autoscaling_group.web", "launch_template.id", _other_template),
    Mutation("aws_autoscaling_group.web", {
        ("changed", "aws_autoscaling_group.web", name) for name in ("availability_zones", "vpc_zone_identifier")},
        _one_zone),
    changed("aws_autoscaling_group.web", "target_group_arns", lambda clients, target: _drop(_targets("detach_load_balancer_target_groups")(clients, target))),
    missing("aws_autoscaling_attachment.old", lambda clients, target: _drop(_targets("detach_load_balancer_target_groups")(clients, target))),
    unmanaged("aws_autoscaling_group", _create_group),
    unmanaged("aws_launch_configuration", _create_configuration),
    policy("simple", "scaling_adjustment", _SIMPLE, ScalingAdjustment=2),
    policy("simple", "cooldown", {**_SIMPLE, "ScalingAdjustment": 2}, Cooldown=7),
    policy("simple", "adjustment_type", {**_SIMPLE, "ScalingAdjustment": 2, "Cooldown": 7}, AdjustmentType="ExactCapacity"),
    policy("steps", "estimated_instance_warmup", _STEPS, EstimatedInstanceWarmup=9),
    policy("steps", "metric_aggregation_type", {**_STEPS, "EstimatedInstanceWarmup": 9}, MetricAggregationType="Maximum"),
    policy("steps", "step_adjustment", {**_STEPS, "EstimatedInstanceWarmup": 9, "MetricAggregationType": "Maximum"},
           StepAdjustments=[{**_STEP, "ScalingAdjustment": 9}]),
    policy("target", "target_tracking_configuration.target_value", {
        "PolicyName": "target", "PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {**_CPU, "TargetValue": 70.0}}),
    unmanaged("aws_autoscaling_policy", _create_policy),
    missing("aws_autoscaling_policy.simple", call("autoscaling", "delete_policy", _OF_GROUP, "PolicyName=name")),
    schedule("max_size", MaxSize=2),
    schedule("min_size", MaxSize=2, MinSize=1, DesiredCapacity=0),
    schedule("desired_capacity", MaxSize=2, MinSize=1, DesiredCapacity=1),
    schedule("recurrence", MaxSize=2, MinSize=1, DesiredCapacity=1, Recurrence="0 23 * * *"),
    schedule("end_time", MaxSize=2, MinSize=1, DesiredCapacity=1, Recurrence="0 23 * * *", EndTime="2042-01-01T22:00:00Z"),
    schedule("time_zone", MaxSize=2, MinSize=1, DesiredCapacity=1, Recurrence="0 23 * * *", EndTime="2042-01-01T22:00:00Z", TimeZone="Europe/Berlin"),
    unmanaged("aws_autoscaling_schedule", _more("put_scheduled_update_group_action", "us-east-1|web|more", ScheduledActionName="more", MaxSize=2)),
    missing("aws_autoscaling_schedule.night", call(
        "autoscaling", "delete_scheduled_action", _OF_GROUP, "ScheduledActionName=scheduled_action_name")),
    hook("default_result", DefaultResult="ABANDON"),
    hook("heartbeat_timeout", DefaultResult="ABANDON", HeartbeatTimeout=30),
    hook("lifecycle_transition", DefaultResult="ABANDON", HeartbeatTimeout=30, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING"),
    unmanaged("aws_autoscaling_lifecycle_hook", _more("put_lifecycle_hook", "us-east-1|web|more", **{**_HOOK, "LifecycleHookName": "more"})),
    missing("aws_autoscaling_lifecycle_hook.drain", call(
        "autoscaling", "delete_lifecycle_hook", _OF_GROUP, "LifecycleHookName=name")),
)  # fmt: skip


def _drop(_reply: object) -> None:
    return None


def _namespace(kind: str, operation: str, name: str, **more: Any) -> tuple[Mutation, ...]:
    address = f"aws_service_discovery_{kind}_namespace.{name}"
    update = operation.replace("create", "update")
    return (
        changed(address, "description", call("servicediscovery", update, "Id=id", Namespace={"Description": "other"}, UpdaterRequestId="1")),
        changed(address, "tags.Extra", call(
            "servicediscovery", "tag_resource", "ResourceARN=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
        unmanaged(f"aws_service_discovery_{kind}_namespace", _create_namespace(operation, f"more.{name}.example", more)),
    )  # fmt: skip


def _create_namespace(operation: str, name: str, more: dict[str, Any]) -> Apply:
    def apply(clients: Clients, _target: dict[str, Any]) -> str:
        client = clients("servicediscovery")
        if "Vpc" in more:
            more["Vpc"] = clients("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        getattr(client, operation)(Name=name, CreatorRequestId=name, **more)
        return next(str(item["Arn"]) for item in client.list_namespaces()["Namespaces"] if item["Name"] == name)

    return apply


def _service(**changes: Any) -> Apply:
    return call("servicediscovery", "update_service", "Id=id", Service=changes)


def _records(*, ttl: int) -> dict[str, Any]:
    return {"DnsRecords": [{"Type": "A", "TTL": ttl}]}


def _create_service(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("servicediscovery")
    space = next(item["Id"] for item in client.list_namespaces()["Namespaces"] if item["Name"] == "calls")
    return str(client.create_service(Name="more", NamespaceId=space)["Service"]["Arn"])


_FOUND = (
    *_namespace("private_dns", "create_private_dns_namespace", "inside", Vpc=""),
    *_namespace("public_dns", "create_public_dns_namespace", "outside"),
    *_namespace("http", "create_http_namespace", "calls"),
    changed("aws_service_discovery_service.web", "description", _service(Description="other", DnsConfig=_records(ttl=10))),
    changed("aws_service_discovery_service.web", "dns_config.dns_records.A.ttl", _service(Description="other", DnsConfig=_records(ttl=99))),
    changed("aws_service_discovery_service.web", "tags.Extra", call(
        "servicediscovery", "tag_resource", "ResourceARN=arn", Tags=[{"Key": "Extra", "Value": "1"}])),
    unmanaged("aws_service_discovery_service", _create_service),
    missing("aws_service_discovery_service.web", call("servicediscovery", "delete_service", "Id=id")),
    missing("aws_service_discovery_public_dns_namespace.outside", call("servicediscovery", "delete_namespace", "Id=id")),
    missing("aws_service_discovery_private_dns_namespace.inside", call("servicediscovery", "delete_namespace", "Id=id")),
    changed("aws_resourcegroups_group.team", "description", call("resource-groups", "update_group", "GroupName=name", Description="other")),
    changed("aws_resourcegroups_group.team", "resource_query.query.TagFilters[0].Values[0]", call(
        "resource-groups", "update_group_query", "GroupName=name", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(
            {"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Team", "Values": ["other"]}]})})),
    changed("aws_resourcegroups_group.team", "tags.Extra", call("resource-groups", "tag", "Arn=arn", Tags={"Extra": "1"})),
    unmanaged("aws_resourcegroups_group", create("resource-groups", "create_group", "Group.GroupArn", Name="more", ResourceQuery={
        "Type": "TAG_FILTERS_1_0", "Query": json.dumps({"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "Team", "Values": ["more"]}]})})),
    missing("aws_resourcegroups_group.team", call("resource-groups", "delete_group", "GroupName=name")),
)  # fmt: skip


def _share(clients: Clients, _target: dict[str, Any]) -> str:
    client = clients("ec2")
    image = next(
        item["ImageId"] for item in client.describe_images(Owners=["self"])["Images"] if item["Name"] == "golden"
    )
    client.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    return f"{image}|all"


def _unshare(clients: Clients, target: dict[str, Any]) -> None:
    clients("ec2").modify_image_attribute(
        ImageId=target["image_id"], LaunchPermission={"Remove": [{"UserId": target["account_id"]}]}
    )


_IMAGES = (
    ec2_tag("aws_ami.golden"),
    unmanaged("aws_ami", create("ec2", "register_image", "ImageId", Name="more", RootDeviceName="/dev/xvda")),
    unmanaged("aws_ami_launch_permission", _share),
    missing("aws_ami_launch_permission.golden", _unshare),
    Mutation("aws_ami.golden", {("missing", "aws_ami.golden", "")},
             lambda clients, target: _drop(clients("ec2").deregister_image(ImageId=target["id"]))),
)  # fmt: skip

_GROUPS_GONE = (
    missing("aws_launch_configuration.old", call("autoscaling", "delete_launch_configuration", "LaunchConfigurationName=name")),
    Mutation("aws_autoscaling_group.old", {("missing", "aws_autoscaling_group.old", "")},
             call("autoscaling", "delete_auto_scaling_group", _NAME, ForceDelete=True)),
)  # fmt: skip

MUTATIONS: tuple[Mutation, ...] = (*_SCALING, *_FOUND, *_IMAGES, *_GROUPS_GONE)

EXCEPTIONS: dict[str, str] = {
    **still(
        "aws_autoscaling_group", "capacity_rebalance", "default_cooldown", "default_instance_warmup", "enabled_metrics", "launch_configuration",
        "load_balancers", "max_instance_lifetime", "placement_group", "service_linked_role_arn", "termination_policies",
    ),
    "aws_autoscaling_attachment.unmanaged": "an undeclared attachment shows on its group",
    **fixed(
        "aws_launch_configuration", "image_id", "instance_type", "key_name", "iam_instance_profile", "associate_public_ip_address",
        "ebs_optimized", "enable_monitoring", "placement_tenancy", "security_groups", "spot_price", "user_data",
    ),
    **fixed("aws_autoscaling_policy", "policy_type"),
    **still("aws_autoscaling_policy", "enabled", "min_adjustment_magnitude"),
    **still("aws_autoscaling_lifecycle_hook", "notification_metadata", "notification_target_arn", "role_arn"),
    **{name: reason for kind in discovery.NAMESPACES.values() for name, reason in fixed(kind, "name").items()},
    "aws_service_discovery_http_namespace.missing": "shown by the other two kinds, which are read alike",
    **fixed("aws_service_discovery_service", "name"),
    **still("aws_service_discovery_service", "health_check_config", "health_check_custom_config"),
    **fixed("aws_resourcegroups_group", "name"),
    **fixed("aws_ami", "name", "boot_mode", "ena_support", "root_device_name", "tpm_support"),
    **still("aws_ami", "description", "deprecation_time", "imds_support"),
}  # fmt: skip
