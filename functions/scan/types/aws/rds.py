"""RDS instances, subnet groups and parameter groups.

`engine_version_actual` is compared, not `engine_version`: that one may be a prefix (`8.0`) of what runs. A parameter's
`apply_method` is not: it tells how its last change was made, and RDS answers with its own word for it.
Source: Terraform AWS provider 5.100, resource documentation of each type; Amazon RDS API Reference, DBInstance.
"""

from __future__ import annotations

from ...domain.shapes import (
    Canonical,
    Shape,
    boolean,
    default_is,
    folded_text,
    keyed,
    number,
    number_or_zero,
    set_of,
    tags,
    text,
)
from ...domain.specs import TypeSpec, by


def short_name(value: object) -> Canonical:
    """The identifier of a source instance, which may be spelled as its ARN."""
    found = text(value)
    return found.rsplit(":", 1)[-1] if isinstance(found, str) else found


def parameters(value: object) -> Canonical:
    """Parameters by name; RDS keeps names in lower case."""
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return keyed("name", {"value": text})([{**item, "name": str(item.get("name")).lower()} for item in items])


_SHARED: dict[str, Shape] = {
    "auto_minor_version_upgrade": boolean,
    "availability_zone": text,
    "ca_cert_identifier": text,
    "copy_tags_to_snapshot": boolean,
    "engine": text,
    "engine_version_actual": text,
    "instance_class": text,
    "monitoring_interval": number_or_zero,
    "monitoring_role_arn": text,
    "performance_insights_enabled": boolean,
    "performance_insights_kms_key_id": text,
    "performance_insights_retention_period": number_or_zero,
    "publicly_accessible": boolean,
    "tags": tags,
}

SPECS = (
    TypeSpec(
        "aws_db_instance",
        {
            **_SHARED,
            "allocated_storage": number,
            "backup_retention_period": number_or_zero,
            "backup_target": default_is("region", text),
            "backup_window": folded_text,
            "character_set_name": text,
            "customer_owned_ip_enabled": boolean,
            "database_insights_mode": default_is("standard", text),
            "db_name": text,
            "db_subnet_group_name": folded_text,
            "dedicated_log_volume": boolean,
            "deletion_protection": boolean,
            "domain": text,
            "enabled_cloudwatch_logs_exports": set_of(text),
            "engine_lifecycle_support": default_is("open-source-rds-extended-support", text),
            "iam_database_authentication_enabled": boolean,
            "iops": number_or_zero,
            "kms_key_id": text,
            "license_model": text,
            "maintenance_window": folded_text,
            "manage_master_user_password": boolean,
            "master_user_secret_kms_key_id": text,
            "max_allocated_storage": number_or_zero,
            "multi_az": boolean,
            "network_type": default_is("IPV4", text),
            "option_group_name": text,
            "parameter_group_name": text,
            "port": number,
            "replica_mode": text,
            "replicate_source_db": short_name,
            "storage_encrypted": boolean,
            "storage_throughput": number_or_zero,
            "storage_type": text,
            "timezone": text,
            "username": text,
            "vpc_security_group_ids": set_of(text),
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_rds_cluster_instance",
        {**_SHARED, "cluster_identifier": text, "promotion_tier": number_or_zero},
        key=by("arn"),
    ),
    TypeSpec("aws_db_subnet_group", {"description": text, "subnet_ids": set_of(text), "tags": tags}, key=by("arn")),
    TypeSpec(
        "aws_db_parameter_group",
        {"description": text, "family": text, "parameter": parameters, "tags": tags},
        key=by("arn"),
    ),
)
