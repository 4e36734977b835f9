"""EKS, Batch, Step Functions activities, EventBridge Scheduler and CodeBuild.

What the services change by themselves is not compared: platform versions, the wanted number of Batch's processors.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    document,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by


def networks(value: object) -> Canonical:
    """Networks that reach an endpoint; leaving them out means everybody."""
    return set_of(text)(value) or ("0.0.0.0/0",)


def input_of(value: object) -> Canonical:
    """What a schedule sends: text, compared as JSON where it is JSON."""
    return document(value)


def retries(value: object) -> Canonical:
    """How often a target is tried again. Zero is no default here: it means never."""
    items = value if isinstance(value, list) else []
    found = members(_RETRY)(items[0]) if items else None
    return found if isinstance(found, dict) and any(item is not None for item in found.values()) else None


_BUILD_LOGS = {
    "cloudwatch_logs": block({"group_name": text, "status": default_is("ENABLED", text), "stream_name": text}),
    "s3_logs": block(
        {
            "bucket_owner_access": text,
            "encryption_disabled": boolean,
            "location": text,
            "status": default_is("DISABLED", text),
        }
    ),
}
_BUILD_ENVIRONMENT = {
    "certificate": text,
    "compute_type": text,
    "environment_variable": keyed("name", {"type": default_is("PLAINTEXT", text), "value": text}),
    "image": text,
    "image_pull_credentials_type": default_is("CODEBUILD", text),
    "privileged_mode": boolean,
    "type": text,
}
_COMPUTE = {
    "allocation_strategy": text,
    "bid_percentage": number_or_zero,
    "ec2_key_pair": text,
    "image_id": text,
    "instance_role": text,
    "instance_type": set_of(text),
    "max_vcpus": number_or_zero,
    "min_vcpus": number_or_zero,
    "placement_group": text,
    "security_group_ids": set_of(text),
    "spot_iam_fleet_role": text,
    "subnets": set_of(text),
    "type": text,
}
_RETRY = {
    "maximum_event_age_in_seconds": default_is(86400, number),
    "maximum_retry_attempts": default_is(185, number),
}

SPECS = (
    TypeSpec(
        "aws_eks_cluster",
        {
            "access_config": block({"authentication_mode": default_is("CONFIG_MAP", text)}),
            "enabled_cluster_log_types": set_of(text),
            "encryption_config": list_of(members({"provider": block({"key_arn": text}), "resources": set_of(text)})),
            "role_arn": text,
            "tags": tags,
            "upgrade_policy": block({"support_type": default_is("EXTENDED", text)}),
            "version": text,
            "vpc_config": block(
                {
                    "endpoint_private_access": boolean,
                    "endpoint_public_access": boolean,
                    "public_access_cidrs": networks,
                    "security_group_ids": set_of(text),
                    "subnet_ids": set_of(text),
                }
            ),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_eks_node_group",
        {
            "ami_type": text,
            "capacity_type": text,
            "disk_size": number_or_zero,
            "instance_types": list_of(text),
            "labels": string_map,
            "launch_template": block({"id": text, "version": text}),
            "node_role_arn": text,
            "release_version": text,
            "remote_access": block({"ec2_ssh_key": text, "source_security_group_ids": set_of(text)}),
            "scaling_config": block(
                {"desired_size": number_or_zero, "max_size": number_or_zero, "min_size": number_or_zero}
            ),
            "subnet_ids": set_of(text),
            "tags": tags,
            "taint": set_of(members({"effect": text, "key": text, "value": text})),
            "version": text,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_eks_fargate_profile",
        {
            "pod_execution_role_arn": text,
            "selector": set_of(members({"labels": string_map, "namespace": text})),
            "subnet_ids": set_of(text),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_batch_compute_environment",
        {
            "compute_resources": block(_COMPUTE),
            "service_role": text,
            "state": default_is("ENABLED", text),
            "tags": tags,
            "type": text,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_batch_job_queue",
        {
            "compute_environment_order": keyed("compute_environment", {"order": number}),
            "priority": number,
            "scheduling_policy_arn": text,
            "state": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_batch_job_definition", {"tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_batch_scheduling_policy",
        {
            "fair_share_policy": block(
                {
                    "compute_reservation": number_or_zero,
                    "share_decay_seconds": number_or_zero,
                    "share_distribution": keyed("share_identifier", {"weight_factor": number_or_zero}),
                }
            ),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_sfn_activity", {"tags": tags}),
    TypeSpec("aws_scheduler_schedule_group", {"tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_scheduler_schedule",
        {
            "description": text,
            "end_date": text,
            "flexible_time_window": block({"maximum_window_in_minutes": number_or_zero, "mode": text}),
            "kms_key_arn": text,
            "schedule_expression": text,
            "schedule_expression_timezone": default_is("UTC", text),
            "start_date": text,
            "state": default_is("ENABLED", text),
            "target": block(
                {
                    "arn": text,
                    "dead_letter_config": block({"arn": text}),
                    "input": input_of,
                    "retry_policy": retries,
                    "role_arn": text,
                    "sqs_parameters": block({"message_group_id": text}),
                }
            ),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_codebuild_project",
        {
            "artifacts": block({"encryption_disabled": boolean, "location": text, "name": text, "path": text, "type": text}),
            "badge_enabled": boolean,
            "build_timeout": default_is(60, number),
            "cache": block({"location": text, "modes": list_of(text), "type": default_is("NO_CACHE", text)}),
            "concurrent_build_limit": number_or_zero,
            "description": text,
            "encryption_key": text,
            "environment": block(_BUILD_ENVIRONMENT),
            "logs_config": block(_BUILD_LOGS),
            "queued_timeout": default_is(480, number),
            "service_role": text,
            "source": block(
                {
                    "buildspec": text,
                    "git_clone_depth": number_or_zero,
                    "insecure_ssl": boolean,
                    "location": text,
                    "report_build_status": boolean,
                    "type": text,
                }
            ),
            "source_version": text,
            "tags": tags,
            "vpc_config": block({"security_group_ids": set_of(text), "subnets": set_of(text), "vpc_id": text}),
        },
        key=by("arn"),
        sensitive=frozenset({"environment"}),  # people put passwords into plain variables
    ),
)  # fmt: skip
