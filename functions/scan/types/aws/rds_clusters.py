"""RDS clusters, their parameter groups, snapshots, proxies and event subscriptions.

As for instances, `engine_version_actual` is compared. What Aurora decides by itself (its storage type and size, its zones) is not.
Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon RDS API Reference, DBCluster.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    default_is,
    folded_text,
    members,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by
from .rds import parameters, short_name


def serverless(value: object) -> Canonical:
    """Capacity of a serverless cluster; the provider fills in numbers where the cluster has none."""
    return block({"max_capacity": number, "min_capacity": number, "seconds_until_auto_pause": number_or_zero})(value)


_AUTH: dict[str, Shape] = {
    "auth_scheme": text,
    "client_password_auth_type": default_is("MYSQL_NATIVE_PASSWORD", text),
    "description": text,
    "iam_auth": default_is("DISABLED", text),
    "secret_arn": text,
    "username": text,
}

SPECS = (
    TypeSpec(
        "aws_rds_cluster",
        {
            "backtrack_window": number_or_zero,
            "backup_retention_period": number_or_zero,
            "ca_certificate_identifier": text,
            "copy_tags_to_snapshot": boolean,
            "database_name": text,
            "db_cluster_parameter_group_name": text,
            "db_subnet_group_name": folded_text,
            "deletion_protection": boolean,
            "enable_http_endpoint": boolean,
            "enabled_cloudwatch_logs_exports": set_of(text),
            "engine": text,
            "engine_mode": default_is("provisioned", text),
            "engine_version_actual": text,
            "iam_database_authentication_enabled": boolean,
            "kms_key_id": text,
            "master_username": text,
            "network_type": default_is("IPV4", text),
            "port": number,
            "preferred_backup_window": folded_text,
            "preferred_maintenance_window": folded_text,
            "replication_source_identifier": short_name,
            "serverlessv2_scaling_configuration": serverless,
            "storage_encrypted": boolean,
            "tags": tags,
            "vpc_security_group_ids": set_of(text),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_rds_cluster_parameter_group",
        {"description": text, "family": text, "parameter": parameters, "tags": tags},
        key=by("arn"),
    ),
    TypeSpec("aws_db_cluster_snapshot", {"kms_key_id": text, "storage_encrypted": boolean, "tags": tags}, key=by("db_cluster_snapshot_arn")),
    TypeSpec(
        "aws_db_event_subscription",
        {
            "enabled": boolean,
            "event_categories": set_of(text),
            "sns_topic": text,
            "source_ids": set_of(text),
            "source_type": text,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_db_proxy",
        {
            "auth": set_of(members(_AUTH)),
            "debug_logging": boolean,
            "engine_family": text,
            "idle_client_timeout": default_is(1800, number),
            "require_tls": boolean,
            "role_arn": text,
            "tags": tags,
            "vpc_security_group_ids": set_of(text),
            "vpc_subnet_ids": set_of(text),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_rds_global_cluster",
        {
            "database_name": text,
            "deletion_protection": boolean,
            "engine": text,
            "engine_version_actual": text,
            "storage_encrypted": boolean,
            "tags": tags,
        },
        key=by("arn"),
        is_global=True,
    ),
)  # fmt: skip
