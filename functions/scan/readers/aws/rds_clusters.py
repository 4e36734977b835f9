"""Reads RDS clusters and what surrounds them. Describe calls bring the tags of clusters and snapshots along.

Source: Amazon RDS API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import inside, named, tagged

_OTHER_ENGINES = ("docdb", "neptune")  # served by the same API, managed by Terraform types of their own
_CLUSTER = {
    "backtrack_window": "BacktrackWindow",
    "backup_retention_period": "BackupRetentionPeriod",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "database_name": "DatabaseName",
    "db_cluster_parameter_group_name": "DBClusterParameterGroup",
    "db_subnet_group_name": "DBSubnetGroup",
    "deletion_protection": "DeletionProtection",
    "enable_http_endpoint": "HttpEndpointEnabled",
    "enabled_cloudwatch_logs_exports": "EnabledCloudwatchLogsExports",
    "engine": "Engine",
    "engine_mode": "EngineMode",
    "engine_version_actual": "EngineVersion",
    "iam_database_authentication_enabled": "IAMDatabaseAuthenticationEnabled",
    "kms_key_id": "KmsKeyId",
    "master_username": "MasterUsername",
    "network_type": "NetworkType",
    "port": "Port",
    "preferred_backup_window": "PreferredBackupWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
    "replication_source_identifier": "ReplicationSourceIdentifier",
    "storage_encrypted": "StorageEncrypted",
}
_SUBSCRIPTION = {
    "enabled": "Enabled",
    "event_categories": "EventCategoriesList",
    "sns_topic": "SnsTopicArn",
    "source_ids": "SourceIdsList",
    "source_type": "SourceType",
}
_PROXY = {
    "debug_logging": "DebugLogging",
    "engine_family": "EngineFamily",
    "idle_client_timeout": "IdleClientTimeout",
    "require_tls": "RequireTLS",
    "role_arn": "RoleArn",
    "vpc_security_group_ids": "VpcSecurityGroupIds",
    "vpc_subnet_ids": "VpcSubnetIds",
}
_GLOBAL = {
    "database_name": "DatabaseName",
    "deletion_protection": "DeletionProtection",
    "engine": "Engine",
    "engine_version_actual": "EngineVersion",
    "storage_encrypted": "StorageEncrypted",
}


def read_clusters(scope: Scope) -> Iterator[Finding]:
    """List clusters."""
    for item in scope.pages("rds", "describe_db_clusters", "DBClusters"):
        if item.get("Engine") in _OTHER_ENGINES or item.get("Status") == "deleting":
            continue
        groups = [group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups") or ()]
        capacity = item.get("ServerlessV2ScalingConfiguration")
        attributes: dict[str, object] = {
            **named(item, _CLUSTER),
            "ca_certificate_identifier": (item.get("CertificateDetails") or {}).get("CAIdentifier"),
            "serverlessv2_scaling_configuration": [inside(capacity)] if capacity else [],
            "vpc_security_group_ids": groups,
        }
        yield _with_tags(scope, "aws_rds_cluster", item["DBClusterArn"], attributes, item)


def read_snapshots(scope: Scope) -> Iterator[Finding]:
    """List the snapshots that people took; automated ones come and go."""
    for item in scope.pages("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots", SnapshotType="manual"):
        kind, arn = "aws_db_cluster_snapshot", item["DBClusterSnapshotArn"]
        yield _with_tags(
            scope,
            kind,
            arn,
            {"storage_encrypted": item.get("StorageEncrypted"), "kms_key_id": item.get("KmsKeyId")},
            item,
        )


def _with_tags(scope: Scope, kind: str, arn: str, attributes: dict[str, object], item: Item) -> LiveResource:
    tags = tag_map(item.get("TagList"))
    return LiveResource(kind, arn, scope.region, {**attributes, "tags": tags}, arn, tags=tags)


def read_cluster_groups(scope: Scope) -> Iterator[Finding]:
    """List cluster parameter groups with the parameters that users set, and their tags."""
    client, kind = scope.client("rds"), "aws_rds_cluster_parameter_group"

    def one(item: Item) -> Iterator[Finding]:
        name, arn = item["DBClusterParameterGroupName"], item["DBClusterParameterGroupArn"]
        attributes: dict[str, object] = {
            "family": item.get("DBParameterGroupFamily"),
            "description": item.get("Description"),
        }
        if name.startswith("default."):
            yield LiveResource(kind, arn, scope.region, attributes, arn, cloud_made=True)
            return
        found = attempt("rds", lambda: _parameters(client, name), "DBParameterGroupNotFound")
        if isinstance(found, Gap):
            yield found.unread(kind, arn, "parameter")
        else:
            attributes["parameter"] = found.get("Parameters")
        yield from tagged(scope, kind, arn, attributes, arn, lambda: _tags(client, arn))

    yield from each(scope.pages("rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups"), one)


def _parameters(client: Any, group: str) -> Item:
    pages = client.get_paginator("describe_db_cluster_parameters").paginate(
        DBClusterParameterGroupName=group, Source="user"
    )
    found = (item for page in pages for item in page.get("Parameters") or () if item.get("ParameterValue") is not None)
    return {"Parameters": [{"name": item["ParameterName"], "value": item["ParameterValue"]} for item in found]}


def _tags(client: Any, arn: str) -> dict[str, str]:
    return tag_map(client.list_tags_for_resource(ResourceName=arn).get("TagList"))


def read_subscriptions(scope: Scope) -> Iterator[Finding]:
    """List event subscriptions."""
    client = scope.client("rds")

    def one(item: Item) -> Iterator[Finding]:
        arn = item.get("EventSubscriptionArn") or scope.arn("rds", f"es:{item['CustSubscriptionId']}")
        attributes = named(item, _SUBSCRIPTION)
        yield from tagged(scope, "aws_db_event_subscription", arn, attributes, arn, lambda: _tags(client, arn))

    yield from each(scope.pages("rds", "describe_event_subscriptions", "EventSubscriptionsList"), one)


def read_proxies(scope: Scope) -> Iterator[Finding]:
    """List proxies."""
    client = scope.client("rds")

    def one(item: Item) -> Iterator[Finding]:
        arn = item["DBProxyArn"]
        auth = [
            {**inside(entry), "username": entry.get("UserName"), "iam_auth": entry.get("IAMAuth")}
            for entry in item.get("Auth") or ()
        ]
        attributes: dict[str, object] = {**named(item, _PROXY), "auth": auth}
        yield from tagged(scope, "aws_db_proxy", arn, attributes, arn, lambda: _tags(client, arn))

    yield from each(scope.pages("rds", "describe_db_proxies", "DBProxies"), one)


def read_global_clusters(scope: Scope) -> Iterator[Finding]:
    """List global clusters, once per account."""
    for item in scope.pages("rds", "describe_global_clusters", "GlobalClusters"):
        yield _with_tags(scope, "aws_rds_global_cluster", item["GlobalClusterArn"], named(item, _GLOBAL), item)


SERVICE = Service(
    "rds_clusters",
    (
        Listing(("aws_rds_cluster",), read_clusters, ("rds:DescribeDBClusters",)),
        Listing(
            ("aws_db_cluster_snapshot",),
            read_snapshots,
            ("rds:DescribeDBClusterSnapshots",),
        ),
        Listing(
            ("aws_rds_cluster_parameter_group",),
            read_cluster_groups,
            ("rds:DescribeDBClusterParameterGroups", "rds:DescribeDBClusterParameters", "rds:ListTagsForResource"),
        ),
        Listing(
            ("aws_db_event_subscription",),
            read_subscriptions,
            ("rds:DescribeEventSubscriptions", "rds:ListTagsForResource"),
        ),
        Listing(("aws_db_proxy",), read_proxies, ("rds:DescribeDBProxies", "rds:ListTagsForResource")),
        Listing(("aws_rds_global_cluster",), read_global_clusters, ("rds:DescribeGlobalClusters",), is_global=True),
    ),
)
