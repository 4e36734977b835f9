"""File systems, streams, delivery streams, warehouses, brokers and backups.

Sizes and counts that the services change by themselves (shards on demand, the size of a file system) are not compared.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    block,
    boolean,
    default_is,
    folded_text,
    keyed,
    list_of,
    members,
    number,
    number_or_zero,
    policy,
    set_of,
    string_map,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by


def lifecycle(value: object) -> Canonical:
    """Transitions of a file system; each block holds one of them, and their order carries no meaning."""
    names = ("transition_to_archive", "transition_to_ia", "transition_to_primary_storage_class")
    blocks = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    found = {name: text(item[name]) for item in blocks for name in names if item.get(name)}
    return dict(sorted(found.items())) or None


def permissions(value: object) -> Canonical:
    """Permissions of a directory: octal digits, with or without leading zeros."""
    found = text(value)
    return found.lstrip("0") or "0" if isinstance(found, str) else found


def alias_or_id(value: object) -> Canonical:
    """The key of a stream; `alias/aws/kinesis` may be spelled as its ARN, other keys are as they are written."""
    found = text(value)
    return "alias/aws/kinesis" if isinstance(found, str) and found.endswith(":alias/aws/kinesis") else found


_S3 = {
    "bucket_arn": text,
    "buffering_interval": number,
    "buffering_size": number,
    "cloudwatch_logging_options": block({"enabled": boolean, "log_group_name": text, "log_stream_name": text}),
    "compression_format": default_is("UNCOMPRESSED", text),
    "custom_time_zone": default_is("UTC", text),
    "error_output_prefix": text,
    "file_extension": text,
    "kms_key_arn": text,
    "prefix": text,
    "role_arn": text,
    "s3_backup_mode": default_is("Disabled", text),
}
_POSIX = {"gid": number_or_zero, "secondary_gids": set_of(number_or_zero), "uid": number_or_zero}
_OWNER = {"owner_gid": number_or_zero, "owner_uid": number_or_zero, "permissions": permissions}
_LIFECYCLE = block(
    {
        "cold_storage_after": number_or_zero,
        "delete_after": number_or_zero,
        "opt_in_to_archive_for_supported_resources": boolean,
    }
)
_BACKUP_RULE = {
    "completion_window": default_is(180, number),
    "copy_action": keyed("destination_vault_arn", {"lifecycle": _LIFECYCLE}),
    "enable_continuous_backup": boolean,
    "lifecycle": _LIFECYCLE,
    "recovery_point_tags": string_map,
    "schedule": text,
    "schedule_expression_timezone": default_is("Etc/UTC", text),
    "start_window": default_is(60, number),
    "target_vault_name": text,
}

SPECS = (
    TypeSpec(
        "aws_efs_file_system",
        {
            "availability_zone_name": text,
            "encrypted": boolean,
            "kms_key_id": text,
            "lifecycle_policy": lifecycle,
            "performance_mode": text,
            "protection": block({"replication_overwrite": text}),
            "provisioned_throughput_in_mibps": number_or_zero,
            "tags": tags,
            "throughput_mode": text,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_efs_mount_target", {"file_system_id": text, "ip_address": text, "security_groups": set_of(text), "subnet_id": text}),
    TypeSpec(
        "aws_efs_access_point",
        {
            "file_system_id": text,
            "posix_user": list_of(members(_POSIX)),
            "root_directory": block({"creation_info": block(_OWNER), "path": text}),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_efs_file_system_policy", {"policy": policy}, key=by("file_system_id")),
    TypeSpec(
        "aws_kinesis_stream",
        {
            "encryption_type": default_is("NONE", text),
            "kms_key_id": alias_or_id,
            "retention_period": default_is(24, number),
            "shard_count": number_or_zero,
            "shard_level_metrics": set_of(text),
            "stream_mode_details": block({"stream_mode": default_is("PROVISIONED", text)}),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_kinesis_stream_consumer", {"stream_arn": text}, key=by("arn")),
    TypeSpec(
        "aws_kinesis_firehose_delivery_stream",
        {
            "destination": text,
            "extended_s3_configuration": block(_S3),
            "kinesis_source_configuration": block({"kinesis_stream_arn": text, "role_arn": text}),
            "server_side_encryption": block(
                {"enabled": boolean, "key_arn": text, "key_type": default_is("AWS_OWNED_CMK", text)}
            ),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_redshift_subnet_group", {"description": text, "subnet_ids": set_of(text), "tags": tags}, key=by("arn")
    ),
    TypeSpec(
        "aws_redshift_parameter_group",
        {"description": text, "family": text, "parameter": keyed("name", {"value": text}), "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_mq_configuration",
        {
            "authentication_strategy": default_is("simple", folded_text),
            "description": text,
            "engine_type": folded_text,
            "engine_version": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_mq_broker",
        {
            "authentication_strategy": default_is("simple", folded_text),
            "auto_minor_version_upgrade": boolean,
            "deployment_mode": default_is("SINGLE_INSTANCE", text),
            "engine_type": folded_text,
            "engine_version": text,
            "host_instance_type": text,
            "logs": block({"audit": boolean, "general": boolean}),
            "publicly_accessible": boolean,
            "security_groups": set_of(text),
            "storage_type": folded_text,
            "subnet_ids": set_of(text),
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec("aws_backup_vault", {"kms_key_arn": text, "tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_backup_vault_lock_configuration",
        {"max_retention_days": number_or_zero, "min_retention_days": number_or_zero},
        key=by("backup_vault_arn"),
    ),
    TypeSpec(
        "aws_backup_plan",
        {
            "advanced_backup_setting": keyed("resource_type", {"backup_options": string_map}),
            "name": text,
            "rule": keyed("rule_name", _BACKUP_RULE),
            "tags": tags,
        },
        key=by("arn"),
    ),
)  # fmt: skip
