"""Auto Scaling groups and what steers them: launch configurations, policies, schedules, lifecycle hooks, attachments.

Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.resources import Attributes, Parent
from ...domain.shapes import block, boolean, default_is, list_of, members, number, set_of, text
from ...domain.specs import TypeSpec, by, unless_arn
from .ec2_compute import user_data

_size = default_is(-1, number)  # the provider writes -1 for "leave as it is"


def group_key(region: str, name: str) -> str:
    """Key of a group: names are unique in a region."""
    return f"{region}|{name}"


def _group(attributes: Attributes) -> str | None:
    arn, name = str(attributes.get("arn") or ""), attributes.get("name")
    return group_key(arn.split(":")[3], str(name)) if arn.count(":") > 4 and name else None


def _target_region(attributes: Attributes) -> str:
    """Read the region out of a target group's ARN; the state of an attachment names no other."""
    parts = str(attributes.get("lb_target_group_arn") or "").split(":")
    return parts[3] if len(parts) > 4 else ""


def _attachment(attributes: Attributes) -> str | None:
    group, target = attributes.get("autoscaling_group_name"), attributes.get("lb_target_group_arn")
    return f"{group_key(_target_region(attributes), str(group))}|{target}" if group and target else None


def _attached_to(attributes: Attributes) -> Parent | None:
    group = group_key(_target_region(attributes), str(attributes.get("autoscaling_group_name")))
    return Parent("aws_autoscaling_group", group, "target_group_arns")


_STEP = members(
    {"scaling_adjustment": number, "metric_interval_lower_bound": number, "metric_interval_upper_bound": number}
)
_TRACKING = block(
    {
        "target_value": number,
        "disable_scale_in": boolean,
        "predefined_metric_specification": block({"predefined_metric_type": text, "resource_label": text}),
        "customized_metric_specification": block(
            {"metric_name": text, "namespace": text, "statistic": text, "unit": text}
        ),
    }
)

SPECS = (
    TypeSpec(
        "aws_autoscaling_group",
        {
            "min_size": number,
            "max_size": number,
            "desired_capacity": number,
            "availability_zones": set_of(text),
            "capacity_rebalance": boolean,
            "default_cooldown": number,
            "default_instance_warmup": default_is(0, number),
            "enabled_metrics": set_of(text),
            "health_check_grace_period": number,
            "health_check_type": text,
            "launch_configuration": text,
            "launch_template": block({"id": text, "version": text}),
            "load_balancers": set_of(text),
            "max_instance_lifetime": default_is(0, number),
            "placement_group": text,
            "protect_from_scale_in": boolean,
            "service_linked_role_arn": text,
            "suspended_processes": set_of(text),
            "tag": set_of(members({"key": text, "value": text, "propagate_at_launch": boolean})),
            "target_group_arns": set_of(text),
            "termination_policies": default_is(["Default"], list_of(text)),
            "vpc_zone_identifier": set_of(text),
        },
        key=_group,
        inline={"target_group_arns": ("aws_autoscaling_attachment",)},
    ),
    TypeSpec("aws_autoscaling_attachment", {}, key=_attachment, parent=_attached_to),
    TypeSpec(
        "aws_launch_configuration",
        {
            "image_id": text,
            "instance_type": text,
            "key_name": text,
            "iam_instance_profile": text,
            "associate_public_ip_address": boolean,
            "ebs_optimized": boolean,
            "enable_monitoring": boolean,
            "placement_tenancy": text,
            "security_groups": set_of(text),
            "spot_price": text,
            "user_data": user_data,
        },
        key=by("arn"),
        sensitive=frozenset({"user_data"}),
    ),
    TypeSpec(
        "aws_autoscaling_policy",
        {
            "adjustment_type": text,
            "policy_type": default_is("SimpleScaling", text),
            "cooldown": default_is(0, number),
            "enabled": boolean,
            "estimated_instance_warmup": default_is(0, number),
            "metric_aggregation_type": default_is("Average", text),
            "min_adjustment_magnitude": default_is(0, number),
            "scaling_adjustment": default_is(0, number),
            "step_adjustment": set_of(_STEP),
            "target_tracking_configuration": _TRACKING,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_autoscaling_schedule",
        {
            "min_size": _size,
            "max_size": _size,
            "desired_capacity": _size,
            "recurrence": text,
            "time_zone": text,
            "end_time": text,
        },
        key=by("autoscaling_group_name", "scheduled_action_name"),
        repeats=unless_arn,
    ),
    TypeSpec(
        "aws_autoscaling_lifecycle_hook",
        {
            "default_result": text,
            "heartbeat_timeout": number,
            "lifecycle_transition": text,
            "notification_metadata": text,
            "notification_target_arn": text,
            "role_arn": text,
        },
        key=by("autoscaling_group_name", "name"),
        repeats=unless_arn,
    ),
)
