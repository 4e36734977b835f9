"""Reads ElastiCache and MemoryDB; tags take a call per resource.

Source: Amazon ElastiCache and MemoryDB API References, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .base import Finding, Item, Listing, Scope, Service, each, tag_map
from .forms import in_snake, named, tagged

_CACHE = {
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "engine": "Engine",
    "engine_version_actual": "EngineVersion",
    "ip_discovery": "IpDiscovery",
    "maintenance_window": "PreferredMaintenanceWindow",
    "network_type": "NetworkType",
    "node_type": "CacheNodeType",
    "num_cache_nodes": "NumCacheNodes",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "subnet_group_name": "CacheSubnetGroupName",
    "transit_encryption_enabled": "TransitEncryptionEnabled",
}
_MEMORY = {
    "acl_name": "ACLName",
    "engine": "Engine",
    "kms_key_arn": "KmsKeyId",
    "maintenance_window": "MaintenanceWindow",
    "num_shards": "NumberOfShards",
    "sns_topic_arn": "SnsTopicArn",
    "tls_enabled": "TLSEnabled",
}


def read_clusters(scope: Scope) -> Iterator[Finding]:
    """List clusters that stand for themselves; members of a replication group are described by the group."""
    client = scope.client("elasticache")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["ARN"]
        attributes: dict[str, object] = {
            **named(item, _CACHE),
            "log_delivery_configuration": [_log(log) for log in item.get("LogDeliveryConfigurations") or ()],
            "notification_topic_arn": (item.get("NotificationConfiguration") or {}).get("TopicArn"),
        }
        attributes.update(_told(item))
        yield from tagged(scope, "aws_elasticache_cluster", arn, attributes, arn, lambda: _tags(client, arn))

    items = scope.pages("elasticache", "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True)
    alive = (item for item in items if item.get("CacheClusterStatus") != "deleting")
    yield from each((item for item in alive if not item.get("ReplicationGroupId")), one)


def _told(item: Item) -> dict[str, object]:
    """Read what a cluster that is still being made does not tell yet; what it does not tell is not compared."""
    found: dict[str, object] = {}
    nodes = [node["Endpoint"] for node in item.get("CacheNodes") or () if node.get("Endpoint")]
    endpoint = item.get("ConfigurationEndpoint") or (nodes[0] if nodes else None)
    if endpoint:
        found["port"] = endpoint.get("Port")
    if item.get("CacheParameterGroup"):
        found["parameter_group_name"] = item["CacheParameterGroup"].get("CacheParameterGroupName")
    if item.get("SecurityGroups") is not None:
        found["security_group_ids"] = [group["SecurityGroupId"] for group in item["SecurityGroups"]]
    return found


def _log(item: Item) -> dict[str, object]:
    details = item.get("DestinationDetails") or {}
    stream = (details.get("KinesisFirehoseDetails") or {}).get("DeliveryStream")
    group = (details.get("CloudWatchLogsDetails") or {}).get("LogGroup")
    return {**in_snake(item, "LogType", "DestinationType", "LogFormat"), "destination": group or stream}


def read_subnet_groups(scope: Scope) -> Iterator[Finding]:
    """List subnet groups; every account has one named `default`."""
    client = scope.client("elasticache")

    def one(item: Item) -> Iterator[Finding]:
        arn, is_made = item["ARN"], item["CacheSubnetGroupName"] == "default"
        attributes: dict[str, object] = {
            "description": item.get("CacheSubnetGroupDescription"),
            "subnet_ids": [subnet["SubnetIdentifier"] for subnet in item.get("Subnets") or ()],
        }
        yield from tagged(
            scope, "aws_elasticache_subnet_group", arn, attributes, arn, lambda: _tags(client, arn), cloud_made=is_made
        )

    yield from each(scope.pages("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"), one)


def read_users(scope: Scope) -> Iterator[Finding]:
    """List users; every account has one named `default`. Passwords are never told by AWS."""
    client = scope.client("elasticache")

    def one(item: Item) -> Iterator[Finding]:
        arn, is_made = item["ARN"], item["UserId"] == "default"
        attributes = in_snake(item, "AccessString", "Engine", "UserName")
        yield from tagged(
            scope, "aws_elasticache_user", arn, attributes, arn, lambda: _tags(client, arn), cloud_made=is_made
        )

    items = scope.pages("elasticache", "describe_users", "Users")
    yield from each((item for item in items if item.get("Status") != "deleting"), one)


def _tags(client: Any, arn: str) -> dict[str, str]:
    return tag_map(client.list_tags_for_resource(ResourceName=arn).get("TagList"))


def read_memory_clusters(scope: Scope) -> Iterator[Finding]:
    """List MemoryDB clusters."""
    client = scope.client("memorydb")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["ARN"]
        attributes: dict[str, object] = {
            **named(item, _MEMORY),
            **in_snake(
                item, "AutoMinorVersionUpgrade", "Description", "NodeType", "ParameterGroupName", "SnapshotRetentionLimit",
                "SnapshotWindow", "SubnetGroupName",
            ),
            "data_tiering": str(item.get("DataTiering")).lower() == "true",
            "security_group_ids": [group["SecurityGroupId"] for group in item.get("SecurityGroups") or ()],
        }  # fmt: skip
        yield from tagged(scope, "aws_memorydb_cluster", arn, attributes, arn, lambda: _memory_tags(client, arn))

    yield from each(scope.pages("memorydb", "describe_clusters", "Clusters"), one)


def read_memory_subnet_groups(scope: Scope) -> Iterator[Finding]:
    """List MemoryDB subnet groups; every account has one named `default`."""
    client = scope.client("memorydb")

    def one(item: Item) -> Iterator[Finding]:
        arn, is_made = item["ARN"], item["Name"] == "default"
        attributes: dict[str, object] = {
            "description": item.get("Description"),
            "subnet_ids": [subnet["Identifier"] for subnet in item.get("Subnets") or ()],
        }
        yield from tagged(
            scope,
            "aws_memorydb_subnet_group",
            arn,
            attributes,
            arn,
            lambda: _memory_tags(client, arn),
            cloud_made=is_made,
        )

    yield from each(scope.pages("memorydb", "describe_subnet_groups", "SubnetGroups"), one)


def read_memory_users(scope: Scope) -> Iterator[Finding]:
    """List MemoryDB users; every account has one named `default`. Passwords are never told by AWS."""
    client = scope.client("memorydb")

    def one(item: Item) -> Iterator[Finding]:
        arn, is_made = item["ARN"], item["Name"] == "default"
        attributes = in_snake(item, "AccessString")
        yield from tagged(
            scope, "aws_memorydb_user", arn, attributes, arn, lambda: _memory_tags(client, arn), cloud_made=is_made
        )

    yield from each(scope.pages("memorydb", "describe_users", "Users"), one)


def _memory_tags(client: Any, arn: str) -> dict[str, str]:
    return tag_map(client.list_tags(ResourceArn=arn).get("TagList"))


SERVICE = Service(
    "caches",
    (
        Listing(
            ("aws_elasticache_cluster",),
            read_clusters,
            ("elasticache:DescribeCacheClusters", "elasticache:ListTagsForResource"),
        ),
        Listing(
            ("aws_elasticache_subnet_group",),
            read_subnet_groups,
            ("elasticache:DescribeCacheSubnetGroups", "elasticache:ListTagsForResource"),
        ),
        Listing(
            ("aws_elasticache_user",), read_users, ("elasticache:DescribeUsers", "elasticache:ListTagsForResource")
        ),
        Listing(("aws_memorydb_cluster",), read_memory_clusters, ("memorydb:DescribeClusters", "memorydb:ListTags")),
        Listing(
            ("aws_memorydb_subnet_group",),
            read_memory_subnet_groups,
            ("memorydb:DescribeSubnetGroups", "memorydb:ListTags"),
        ),
        Listing(("aws_memorydb_user",), read_memory_users, ("memorydb:DescribeUsers", "memorydb:ListTags")),
    ),
)
