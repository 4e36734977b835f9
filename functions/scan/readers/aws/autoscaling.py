"""Reads Auto Scaling groups and what steers them.

How many instances a group wants is what its policies and schedules make of it; only of a group without any is it told.
Source: Amazon EC2 Auto Scaling API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from ...domain.resources import LiveResource, Parent
from ...types.aws.autoscaling import group_key
from ...types.aws.ec2_compute import user_data_hash
from .base import Finding, Item, Listing, Scope, Service
from .ec2_compute import snake

_GROUP = "aws_autoscaling_group"


def read_groups(scope: Scope) -> Iterator[Finding]:
    """Yield groups and what is attached to them."""
    steered = {
        item["AutoScalingGroupName"]
        for operation, member in (
            ("describe_policies", "ScalingPolicies"),
            ("describe_scheduled_actions", "ScheduledUpdateGroupActions"),
        )
        for item in scope.pages("autoscaling", operation, member)
    }
    for item in scope.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
        if item.get("Status"):  # it only says "Delete in progress"
            continue
        name = item["AutoScalingGroupName"]
        key = group_key(scope.region, name)
        tags = [tag for tag in item.get("Tags") or () if not tag["Key"].startswith("aws:")]
        attributes = _group(item, tags)
        if name not in steered:
            attributes["desired_capacity"] = item.get("DesiredCapacity")
        yield LiveResource(
            type=_GROUP,
            key=key,
            region=scope.region,
            cloud_id=item["AutoScalingGroupARN"],
            # Elastic Beanstalk and CloudFormation tag theirs; only AWS can write such tags.
            cloud_made=any(tag["Key"].startswith("aws:elasticbeanstalk:") for tag in item.get("Tags") or ()),
            tags={tag["Key"]: tag.get("Value") or "" for tag in tags},
            attributes=attributes,
        )
        for target in item.get("TargetGroupARNs") or ():
            place, parent = f"{key}|{target}", Parent(_GROUP, key, "target_group_arns")
            yield LiveResource("aws_autoscaling_attachment", place, scope.region, {}, f"{name}-{target}", parent=parent)


def _group(item: Item, tags: list[Item]) -> dict[str, object]:
    template = item.get("LaunchTemplate") or {}
    return {
        "min_size": item.get("MinSize"),
        "max_size": item.get("MaxSize"),
        "availability_zones": item.get("AvailabilityZones"),
        "capacity_rebalance": item.get("CapacityRebalance"),
        "default_cooldown": item.get("DefaultCooldown"),
        "default_instance_warmup": item.get("DefaultInstanceWarmup"),
        "enabled_metrics": [one["Metric"] for one in item.get("EnabledMetrics") or ()],
        "health_check_grace_period": item.get("HealthCheckGracePeriod"),
        "health_check_type": item.get("HealthCheckType"),
        "launch_configuration": item.get("LaunchConfigurationName"),
        "launch_template": [{"id": template.get("LaunchTemplateId"), "version": template.get("Version")}],
        "load_balancers": item.get("LoadBalancerNames"),
        "max_instance_lifetime": item.get("MaxInstanceLifetime"),
        "placement_group": item.get("PlacementGroup"),
        "protect_from_scale_in": item.get("NewInstancesProtectedFromScaleIn"),
        "service_linked_role_arn": item.get("ServiceLinkedRoleARN"),
        "suspended_processes": [one["ProcessName"] for one in item.get("SuspendedProcesses") or ()],
        "tag": [
            {"key": tag["Key"], "value": tag.get("Value"), "propagate_at_launch": tag.get("PropagateAtLaunch")}
            for tag in tags
        ],
        "target_group_arns": item.get("TargetGroupARNs"),
        "termination_policies": item.get("TerminationPolicies"),
        "vpc_zone_identifier": [name for name in str(item.get("VPCZoneIdentifier") or "").split(",") if name],
    }


def read_launch_configurations(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("autoscaling", "describe_launch_configurations", "LaunchConfigurations"):
        key, content = item["LaunchConfigurationARN"], item.get("UserData")
        yield LiveResource(
            type="aws_launch_configuration",
            key=key,
            region=scope.region,
            cloud_id=key,
            attributes={
                "image_id": item.get("ImageId"),
                "instance_type": item.get("InstanceType"),
                "key_name": item.get("KeyName"),
                "iam_instance_profile": item.get("IamInstanceProfile"),
                "associate_public_ip_address": item.get("AssociatePublicIpAddress"),
                "ebs_optimized": item.get("EbsOptimized"),
                "enable_monitoring": (item.get("InstanceMonitoring") or {}).get("Enabled"),
                "placement_tenancy": item.get("PlacementTenancy"),
                "security_groups": item.get("SecurityGroups"),
                "spot_price": item.get("SpotPrice"),
                "user_data": user_data_hash(str(content)) if content else None,
            },
        )


def read_policies(scope: Scope) -> Iterator[Finding]:
    for item in scope.pages("autoscaling", "describe_policies", "ScalingPolicies"):
        key = item["PolicyARN"]
        yield LiveResource(
            type="aws_autoscaling_policy",
            key=key,
            region=scope.region,
            cloud_id=key,
            attributes={
                "adjustment_type": item.get("AdjustmentType"),
                "policy_type": item.get("PolicyType"),
                "cooldown": item.get("Cooldown"),
                **({"enabled": item["Enabled"]} if "Enabled" in item else {}),
                "estimated_instance_warmup": item.get("EstimatedInstanceWarmup"),
                "metric_aggregation_type": item.get("MetricAggregationType"),
                "min_adjustment_magnitude": item.get("MinAdjustmentMagnitude"),
                "scaling_adjustment": item.get("ScalingAdjustment"),
                "step_adjustment": snake(item.get("StepAdjustments") or []),
                "target_tracking_configuration": _tracking(item.get("TargetTrackingConfiguration") or {}),
            },
        )


def _tracking(found: Mapping[str, object]) -> list[object]:
    """Spell the configuration as Terraform does: every nested object is a list of one."""
    spelled = snake(found)
    names = ("predefined_metric_specification", "customized_metric_specification")
    parts: Mapping[str, object] = spelled if isinstance(spelled, Mapping) else {}
    return [{**parts, **{name: [parts[name]] for name in names if parts.get(name)}}] if parts else []


def read_schedules(scope: Scope) -> Iterator[Finding]:
    """Yield scheduled actions; when one starts next is no part of them, AWS moves it with every run."""
    for item in scope.pages("autoscaling", "describe_scheduled_actions", "ScheduledUpdateGroupActions"):
        end = item.get("EndTime")
        yield LiveResource(
            type="aws_autoscaling_schedule",
            key=f"{item['AutoScalingGroupName']}|{item['ScheduledActionName']}",
            region=scope.region,
            cloud_id=item.get("ScheduledActionARN") or item["ScheduledActionName"],
            attributes={
                "min_size": item.get("MinSize"),
                "max_size": item.get("MaxSize"),
                "desired_capacity": item.get("DesiredCapacity"),
                "recurrence": item.get("Recurrence"),
                "time_zone": item.get("TimeZone"),
                "end_time": end.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(end, datetime) else end,
            },
        )


def read_hooks(scope: Scope) -> Iterator[Finding]:
    """Yield lifecycle hooks; AWS tells them group by group."""
    client = scope.client("autoscaling")
    for group in scope.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
        name = group["AutoScalingGroupName"]
        for item in client.describe_lifecycle_hooks(AutoScalingGroupName=name).get("LifecycleHooks", ()):
            yield LiveResource(
                type="aws_autoscaling_lifecycle_hook",
                key=f"{name}|{item['LifecycleHookName']}",
                region=scope.region,
                cloud_id=f"{name}/{item['LifecycleHookName']}",
                attributes={
                    "default_result": item.get("DefaultResult"),
                    "heartbeat_timeout": item.get("HeartbeatTimeout"),
                    "lifecycle_transition": item.get("LifecycleTransition"),
                    "notification_metadata": item.get("NotificationMetadata"),
                    "notification_target_arn": item.get("NotificationTargetARN"),
                    "role_arn": item.get("RoleARN"),
                },
            )


SERVICE = Service(
    "autoscaling",
    (
        Listing(
            types=(_GROUP, "aws_autoscaling_attachment"),
            read=read_groups,
            permissions=(
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribePolicies",
                "autoscaling:DescribeScheduledActions",
            ),
        ),
        Listing(
            types=("aws_launch_configuration",),
            read=read_launch_configurations,
            permissions=("autoscaling:DescribeLaunchConfigurations",),
        ),
        Listing(types=("aws_autoscaling_policy",), read=read_policies, permissions=("autoscaling:DescribePolicies",)),
        Listing(
            types=("aws_autoscaling_schedule",),
            read=read_schedules,
            permissions=("autoscaling:DescribeScheduledActions",),
        ),
        Listing(
            types=("aws_autoscaling_lifecycle_hook",),
            read=read_hooks,
            permissions=("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLifecycleHooks"),
        ),
    ),
)
