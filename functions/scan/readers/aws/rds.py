"""Reads RDS instances, subnet groups and parameter groups.

DescribeDBInstances brings the tags along; groups take calls of their own for tags and for the parameters users set.
Source: Amazon RDS API Reference, the Describe actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_OTHER_ENGINES = ("docdb", "neptune")  # served by the same API, managed by Terraform types of their own
_MEMBERS = {
    "allocated_storage": "AllocatedStorage",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "availability_zone": "AvailabilityZone",
    "backup_retention_period": "BackupRetentionPeriod",
    "backup_target": "BackupTarget",
    "backup_window": "PreferredBackupWindow",
    "ca_cert_identifier": "CACertificateIdentifier",
    "character_set_name": "CharacterSetName",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "customer_owned_ip_enabled": "CustomerOwnedIpEnabled",
    "database_insights_mode": "DatabaseInsightsMode",
    "db_name": "DBName",
    "dedicated_log_volume": "DedicatedLogVolume",
    "deletion_protection": "DeletionProtection",
    "enabled_cloudwatch_logs_exports": "EnabledCloudwatchLogsExports",
    "engine": "Engine",
    "engine_version_actual": "EngineVersion",
    "engine_lifecycle_support": "EngineLifecycleSupport",
    "iam_database_authentication_enabled": "IAMDatabaseAuthenticationEnabled",
    "instance_class": "DBInstanceClass",
    "iops": "Iops",
    "kms_key_id": "KmsKeyId",
    "license_model": "LicenseModel",
    "maintenance_window": "PreferredMaintenanceWindow",
    "max_allocated_storage": "MaxAllocatedStorage",
    "monitoring_interval": "MonitoringInterval",
    "monitoring_role_arn": "MonitoringRoleArn",
    "multi_az": "MultiAZ",
    "network_type": "NetworkType",
    "performance_insights_enabled": "PerformanceInsightsEnabled",
    "performance_insights_kms_key_id": "PerformanceInsightsKMSKeyId",
    "performance_insights_retention_period": "PerformanceInsightsRetentionPeriod",
    "promotion_tier": "PromotionTier",
    "publicly_accessible": "PubliclyAccessible",
    "replica_mode": "ReplicaMode",
    "replicate_source_db": "ReadReplicaSourceDBInstanceIdentifier",
    "storage_encrypted": "StorageEncrypted",
    "storage_throughput": "StorageThroughput",
    "storage_type": "StorageType",
    "timezone": "Timezone",
    "username": "MasterUsername",
}


def read_instances(scope: Scope) -> Iterator[Finding]:
    """List instances, those of Aurora clusters under their own type."""
    for item in scope.pages("rds", "describe_db_instances", "DBInstances"):
        if item.get("Engine") in _OTHER_ENGINES or item.get("DBInstanceStatus") == "deleting":
            continue
        tags = tag_map(item.get("TagList"))
        cluster = item.get("DBClusterIdentifier")
        yield LiveResource(
            type="aws_rds_cluster_instance" if cluster else "aws_db_instance",
            document=item,
            key=item["DBInstanceArn"],
            region=scope.region,
            cloud_id=item["DBInstanceArn"],
            tags=tags,
            attributes={**_instance(item), "cluster_identifier": cluster, "tags": tags},
        )


def _instance(item: Item) -> dict[str, object]:
    groups = [group["DBParameterGroupName"] for group in item.get("DBParameterGroups") or ()]
    options = [group["OptionGroupName"] for group in item.get("OptionGroupMemberships") or ()]
    domains = [domain["Domain"] for domain in item.get("DomainMemberships") or () if domain.get("Domain")]
    secret = item.get("MasterUserSecret") or {}
    subnets = item.get("DBSubnetGroup") or {}
    members = {name: item.get(member) for name, member in _MEMBERS.items()}
    if item.get("MultiAZ"):  # a failover moves it; the zone of such an instance is nobody's decision
        del members["availability_zone"]
    return {
        **members,
        "db_subnet_group_name": subnets.get("DBSubnetGroupName"),
        "domain": domains[0] if domains else None,
        "manage_master_user_password": bool(secret),
        "master_user_secret_kms_key_id": secret.get("KmsKeyId"),
        "option_group_name": options[0] if options else None,
        "parameter_group_name": groups[0] if groups else None,
        "port": (item.get("Endpoint") or {}).get("Port") or item.get("DbInstancePort"),
        "vpc_security_group_ids": [group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups") or ()],
    }


def read_subnet_groups(scope: Scope) -> Iterator[Finding]:
    """List subnet groups with their tags."""
    client = scope.client("rds")

    def one(item: Item) -> Iterable[Finding]:
        attributes: dict[str, object] = {
            "description": item.get("DBSubnetGroupDescription"),
            "subnet_ids": [subnet["SubnetIdentifier"] for subnet in item.get("Subnets") or ()],
        }
        yield from _group(scope, client, "aws_db_subnet_group", item["DBSubnetGroupArn"], attributes, item)

    yield from each(scope.pages("rds", "describe_db_subnet_groups", "DBSubnetGroups"), one)


def read_parameter_groups(scope: Scope) -> Iterator[Finding]:
    """List parameter groups with the parameters that users set, and their tags."""
    client = scope.client("rds")

    def one(item: Item) -> Iterable[Finding]:
        name, arn = item["DBParameterGroupName"], item["DBParameterGroupArn"]
        attributes: dict[str, object] = {
            "family": item.get("DBParameterGroupFamily"),
            "description": item.get("Description"),
        }
        is_default = name.startswith("default.")
        parameters = {} if is_default else attempt("rds", lambda: _parameters(client, name), "DBParameterGroupNotFound")
        if isinstance(parameters, Gap):
            yield parameters.unread("aws_db_parameter_group", arn, "parameter")
        else:
            attributes["parameter"] = parameters.get("Parameters")
        yield from _group(scope, client, "aws_db_parameter_group", arn, attributes, item, cloud_made=is_default)

    yield from each(scope.pages("rds", "describe_db_parameter_groups", "DBParameterGroups"), one)


def _parameters(client: Any, group: str) -> Item:
    pages = client.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group, Source="user")
    found = (item for page in pages for item in page.get("Parameters") or () if item.get("ParameterValue") is not None)
    return {"Parameters": [{"name": item["ParameterName"], "value": item["ParameterValue"]} for item in found]}


def _group(
    scope: Scope,
    client: Any,
    kind: str,
    arn: str,
    attributes: dict[str, object],
    item: Item,
    *,
    cloud_made: bool = False,
) -> Iterator[Finding]:
    tags: dict[str, str] = {}
    tagged = {} if cloud_made else attempt("rds", lambda: client.list_tags_for_resource(ResourceName=arn))
    if isinstance(tagged, Gap):
        yield tagged.unread(kind, arn, "tags")
    else:
        attributes["tags"] = tags = tag_map(tagged.get("TagList"))
    yield LiveResource(kind, arn, scope.region, attributes, arn, cloud_made=cloud_made, tags=tags, document=item)


SERVICE = Service(
    "rds",
    (
        Listing(
            types=("aws_db_instance", "aws_rds_cluster_instance"),
            read=read_instances,
            permissions=("rds:DescribeDBInstances",),
        ),
        Listing(
            types=("aws_db_subnet_group",),
            read=read_subnet_groups,
            permissions=("rds:DescribeDBSubnetGroups", "rds:ListTagsForResource"),
        ),
        Listing(
            types=("aws_db_parameter_group",),
            read=read_parameter_groups,
            permissions=("rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:ListTagsForResource"),
        ),
    ),
)
