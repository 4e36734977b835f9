"""ElastiCache and MemoryDB.

The engine of a cache writes its version in full (`7.1.0`) where people write a part of it: the full one is compared.
Source: Terraform AWS provider 5.100, resource documentation of each type.
"""

from __future__ import annotations

from ...domain.shapes import boolean, default_is, folded_text, keyed, number, number_or_zero, set_of, tags, text
from ...domain.specs import TypeSpec, by

_LOGS = keyed("log_type", {"destination": text, "destination_type": text, "log_format": text})
_CACHE = {
    "auto_minor_version_upgrade": boolean,
    "engine": text,
    "engine_version_actual": text,
    "ip_discovery": default_is("ipv4", text),
    "log_delivery_configuration": _LOGS,
    "maintenance_window": folded_text,
    "network_type": default_is("ipv4", text),
    "node_type": text,
    "notification_topic_arn": text,
    "parameter_group_name": text,
    "port": number_or_zero,
    "security_group_ids": set_of(text),
    "snapshot_retention_limit": number_or_zero,
    "snapshot_window": folded_text,
    "subnet_group_name": text,
    "tags": tags,
    "transit_encryption_enabled": boolean,
}

SPECS = (
    TypeSpec("aws_elasticache_cluster", {**_CACHE, "num_cache_nodes": number}, key=by("arn")),
    TypeSpec(
        "aws_elasticache_subnet_group", {"description": text, "subnet_ids": set_of(text), "tags": tags}, key=by("arn")
    ),
    TypeSpec(
        "aws_elasticache_user",
        {"access_string": text, "engine": folded_text, "tags": tags, "user_name": text},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_memorydb_cluster",
        {
            "acl_name": text,
            "auto_minor_version_upgrade": boolean,
            "data_tiering": boolean,
            "description": default_is("Managed by Terraform", text),
            "engine": default_is("redis", text),
            "kms_key_arn": text,
            "maintenance_window": folded_text,
            "node_type": text,
            "num_shards": number,
            "parameter_group_name": text,
            "security_group_ids": set_of(text),
            "snapshot_retention_limit": number_or_zero,
            "snapshot_window": folded_text,
            "sns_topic_arn": text,
            "subnet_group_name": text,
            "tags": tags,
            "tls_enabled": boolean,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_memorydb_subnet_group", {"description": text, "subnet_ids": set_of(text), "tags": tags}, key=by("arn")
    ),
    TypeSpec("aws_memorydb_user", {"access_string": text, "tags": tags}, key=by("arn")),
)
