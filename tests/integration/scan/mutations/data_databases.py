"""Changes to RDS clusters, caches and MemoryDB."""

from __future__ import annotations

from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import again, fixed, unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_TAG = [{"Key": "Extra", "Value": "1"}]
_ROLE = "arn:aws:iam::123456789012:role/other"


def _subnets(clients: Clients) -> list[str]:
    found = clients("ec2").describe_subnets(
        Filters=[{"Name": "cidr-block", "Values": ["10.30.0.0/24", "10.30.1.0/24"]}]
    )
    return [item["SubnetId"] for item in found["Subnets"]]


def cluster(**changes: Any) -> Apply:
    """Modify the target cluster at once."""
    return call("rds", "modify_db_cluster", "DBClusterIdentifier=id", ApplyImmediately=True, **changes)


def _tagged(address: str, service: str, operation: str, argument: str, attribute: str = "arn") -> Mutation:
    return changed(address, "tags.Extra", call(service, operation, f"{argument}={attribute}", Tags=_TAG))


def _other_cluster_group(clients: Clients, target: dict[str, Any]) -> None:
    clients("rds").create_db_cluster_parameter_group(
        DBClusterParameterGroupName="aurora-other", DBParameterGroupFamily="aurora-mysql8.0", Description="Other"
    )
    cluster(DBClusterParameterGroupName="aurora-other")(clients, target)


_MAIN = "aws_rds_cluster.main"
_CLUSTERS: tuple[Mutation, ...] = (
    changed(_MAIN, "backup_retention_period", cluster(BackupRetentionPeriod=1)),
    changed(_MAIN, "copy_tags_to_snapshot", cluster(CopyTagsToSnapshot=False)),
    changed(_MAIN, "deletion_protection", cluster(DeletionProtection=False)),
    changed(_MAIN, "engine_version_actual", cluster(EngineVersion="8.0.mysql_aurora.3.06.0")),
    changed(_MAIN, "port", cluster(Port=3307)),
    changed(_MAIN, "preferred_backup_window", cluster(PreferredBackupWindow="04:00-05:00")),
    changed(_MAIN, "preferred_maintenance_window", cluster(PreferredMaintenanceWindow="mon:05:00-mon:06:00")),
    changed(_MAIN, "network_type", cluster(NetworkType="DUAL")),
    changed(_MAIN, "vpc_security_group_ids", cluster(VpcSecurityGroupIds=["sg-0123456789abcdef0"])),
    changed(
        _MAIN,
        "serverlessv2_scaling_configuration",
        cluster(ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4}),
    ),
    changed(_MAIN, "backtrack_window", cluster(BacktrackWindow=3600)),
    Mutation(
        _MAIN,
        {("changed", _MAIN, "db_cluster_parameter_group_name"), ("unmanaged", "arn:aws:rds:us-east-1:123456789012:cluster-pg:aurora-other", "")},
        _other_cluster_group,
        also=("aws_rds_cluster_parameter_group",),
    ),
    _tagged(_MAIN, "rds", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_rds_cluster",
        create(
            "rds", "create_db_cluster", "DBCluster.DBClusterArn", DBClusterIdentifier="extra", Engine="aurora-mysql",
            MasterUsername="admin", MasterUserPassword="correct-horse-battery",
        ),
    ),
    missing(
        "aws_rds_cluster.spare",
        call("rds", "delete_db_cluster", "DBClusterIdentifier=id", SkipFinalSnapshot=True),
    ),
)  # fmt: skip

_GROUP = "aws_rds_cluster_parameter_group.main"


def _parameter(name: str, value: str) -> Apply:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
    return call("rds", "modify_db_cluster_parameter_group", "DBClusterParameterGroupName=name", Parameters=[parameter])


_TOPIC = "arn:aws:sns:us-east-1:123456789012:database-events"
_events = again(
    "rds", ("delete_event_subscription", {"SubscriptionName": "events"}), "create_event_subscription",
    {
        "SubscriptionName": "events", "SnsTopicArn": _TOPIC, "SourceType": "db-cluster", "Enabled": True,
        "EventCategories": ["failover", "failure"], "Tags": [{"Key": "Team", "Value": "shop"}],
    },
    "aws_db_event_subscription.main",
)  # fmt: skip
_world = again(
    "rds", ("delete_global_cluster", {"GlobalClusterIdentifier": "world"}), "create_global_cluster",
    {"GlobalClusterIdentifier": "world", "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.05.2"},
    "aws_rds_global_cluster.main",
)  # fmt: skip
_AROUND: tuple[Mutation, ...] = (
    _events("enabled", Enabled=False),
    _events("event_categories", EventCategories=["failover"]),
    _events("source_ids", SourceIds=["orders"]),
    _events("source_type", SourceType="db-instance"),
    _events("sns_topic", SnsTopicArn=f"{_TOPIC}-other"),
    _world("deletion_protection", DeletionProtection=True),
    _world("engine_version_actual", EngineVersion="8.0.mysql_aurora.3.06.0"),
    _world("storage_encrypted", StorageEncrypted=True),
    _world("engine", Engine="aurora-postgresql"),
    changed(_GROUP, "parameter.time_zone.value", _parameter("time_zone", "Europe/Berlin")),
    _tagged(_GROUP, "rds", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_rds_cluster_parameter_group",
        create(
            "rds", "create_db_cluster_parameter_group", "DBClusterParameterGroup.DBClusterParameterGroupArn",
            DBClusterParameterGroupName="extra", DBParameterGroupFamily="aurora-mysql8.0", Description="Extra",
        ),
    ),
    missing(_GROUP, call("rds", "delete_db_cluster_parameter_group", "DBClusterParameterGroupName=name")),
    _tagged(
        "aws_db_cluster_snapshot.main", "rds", "add_tags_to_resource", "ResourceName", "db_cluster_snapshot_arn"
    ),
    unmanaged(
        "aws_db_cluster_snapshot",
        create(
            "rds", "create_db_cluster_snapshot", "DBClusterSnapshot.DBClusterSnapshotArn",
            DBClusterSnapshotIdentifier="extra", DBClusterIdentifier="orders",
        ),
    ),
    missing(
        "aws_db_cluster_snapshot.main",
        call("rds", "delete_db_cluster_snapshot", "DBClusterSnapshotIdentifier=db_cluster_snapshot_identifier"),
    ),
    _tagged("aws_db_event_subscription.main", "rds", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_db_event_subscription",
        call("rds", "create_event_subscription", SubscriptionName="extra", SnsTopicArn="arn:aws:sns:us-east-1:123456789012:database-events"),
        "arn:aws:rds:us-east-1:123456789012:es:extra",
    ),
    missing("aws_db_event_subscription.main", call("rds", "delete_event_subscription", "SubscriptionName=name")),
    _tagged("aws_db_proxy.main", "rds", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_db_proxy",
        lambda clients, _target: clients("rds").create_db_proxy(
            DBProxyName="extra", EngineFamily="MYSQL", RoleArn=_ROLE,
            VpcSubnetIds=_subnets(clients),
            Auth=[{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf", "IAMAuth": "DISABLED"}],
        )["DBProxy"]["DBProxyArn"],
    ),
    missing("aws_db_proxy.main", call("rds", "delete_db_proxy", "DBProxyName=name")),
    unmanaged(
        "aws_rds_global_cluster",
        create("rds", "create_global_cluster", "GlobalCluster.GlobalClusterArn", GlobalClusterIdentifier="extra", Engine="aurora-mysql"),
    ),
    missing("aws_rds_global_cluster.main", call("rds", "delete_global_cluster", "GlobalClusterIdentifier=id")),
)  # fmt: skip


def _copy_cache_group(clients: Clients, _target: dict[str, Any]) -> str:
    subnets = _subnets(clients)
    reply = clients("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="extra", CacheSubnetGroupDescription="Extra", SubnetIds=subnets
    )
    return str(reply["CacheSubnetGroup"]["ARN"])


def _copy_memory_group(clients: Clients, _target: dict[str, Any]) -> str:
    subnets = _subnets(clients)
    return str(
        clients("memorydb").create_subnet_group(SubnetGroupName="extra", SubnetIds=subnets)["SubnetGroup"]["ARN"]
    )


def ledger(**changes: Any) -> Apply:
    """Update the MemoryDB cluster."""
    return call("memorydb", "update_cluster", "ClusterName=name", **changes)


_CACHE = "aws_elasticache_cluster.memcached"
_LEDGER = "aws_memorydb_cluster.main"
_CACHES: tuple[Mutation, ...] = (
    _tagged(_CACHE, "elasticache", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_elasticache_cluster",
        create("elasticache", "create_cache_cluster", "CacheCluster.ARN", CacheClusterId="extra", Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=1),
    ),
    missing(_CACHE, call("elasticache", "delete_cache_cluster", "CacheClusterId=cluster_id")),
    _tagged("aws_elasticache_subnet_group.main", "elasticache", "add_tags_to_resource", "ResourceName"),
    unmanaged("aws_elasticache_subnet_group", _copy_cache_group),
    _tagged("aws_elasticache_user.main", "elasticache", "add_tags_to_resource", "ResourceName"),
    unmanaged(
        "aws_elasticache_user",
        create("elasticache", "create_user", "ARN", UserId="extra", UserName="extra", Engine="redis", AccessString="on ~* +@all", NoPasswordRequired=True),
    ),
    missing("aws_elasticache_user.main", call("elasticache", "delete_user", "UserId=user_id")),
    changed(_LEDGER, "description", ledger(Description="Other")),
    changed(_LEDGER, "maintenance_window", ledger(MaintenanceWindow="mon:08:00-mon:09:00")),
    changed(_LEDGER, "sns_topic_arn", ledger(SnsTopicArn="arn:aws:sns:us-east-1:123456789012:database-events")),
    changed(_LEDGER, "parameter_group_name", ledger(ParameterGroupName="other")),
    changed(_LEDGER, "snapshot_window", ledger(SnapshotWindow="01:00-02:00")),
    changed(_LEDGER, "snapshot_retention_limit", ledger(SnapshotRetentionLimit=0)),
    changed(_LEDGER, "node_type", ledger(NodeType="db.t4g.medium")),
    changed(_LEDGER, "num_shards", ledger(ShardConfiguration={"ShardCount": 3})),
    changed(_LEDGER, "acl_name", ledger(ACLName="other")),
    _tagged(_LEDGER, "memorydb", "tag_resource", "ResourceArn"),
    unmanaged("aws_memorydb_cluster", create("memorydb", "create_cluster", "Cluster.ARN", ClusterName="extra", NodeType="db.t4g.small", ACLName="open-access")),
    missing(_LEDGER, call("memorydb", "delete_cluster", "ClusterName=name")),
    _tagged("aws_memorydb_subnet_group.main", "memorydb", "tag_resource", "ResourceArn"),
    unmanaged("aws_memorydb_subnet_group", _copy_memory_group),
    missing("aws_memorydb_subnet_group.main", call("memorydb", "delete_subnet_group", "SubnetGroupName=name")),
    changed("aws_memorydb_user.main", "access_string", call("memorydb", "update_user", "UserName=user_name", AccessString="on ~* &* +@read")),
    _tagged("aws_memorydb_user.main", "memorydb", "tag_resource", "ResourceArn"),
    unmanaged(
        "aws_memorydb_user",
        create("memorydb", "create_user", "User.ARN", UserName="extra", AccessString="on ~* &* +@all", AuthenticationMode={"Type": "iam"}),
    ),
    missing("aws_memorydb_user.main", call("memorydb", "delete_user", "UserName=user_name")),
)  # fmt: skip

MUTATIONS = (*_CLUSTERS, *_AROUND, *_CACHES)

EXCEPTIONS: dict[str, str] = {
    **fixed(
        "aws_rds_cluster", "database_name", "db_subnet_group_name", "engine", "engine_mode", "kms_key_id",
        "master_username", "replication_source_identifier", "storage_encrypted",
    ),
    **unchanged_by_moto(
        "aws_rds_cluster", "ca_certificate_identifier", "enable_http_endpoint", "enabled_cloudwatch_logs_exports", "iam_database_authentication_enabled"
    ),
    **fixed("aws_rds_cluster_parameter_group", "description", "family"),
    **fixed("aws_db_cluster_snapshot", "kms_key_id", "storage_encrypted"),
    **fixed("aws_db_proxy", "engine_family", "vpc_subnet_ids"),
    **unchanged_by_moto("aws_db_proxy", "auth", "debug_logging", "idle_client_timeout", "require_tls", "role_arn", "vpc_security_group_ids"),
    **fixed("aws_elasticache_cluster", "engine", "ip_discovery", "network_type", "subnet_group_name", "transit_encryption_enabled"),
    **unchanged_by_moto(
        "aws_elasticache_cluster", "auto_minor_version_upgrade", "engine_version_actual", "log_delivery_configuration", "maintenance_window",
        "node_type", "num_cache_nodes", "snapshot_retention_limit", "notification_topic_arn", "parameter_group_name", "port",
        "security_group_ids", "snapshot_window",
    ),
    **unchanged_by_moto("aws_rds_global_cluster", "database_name", "tags"),
    **unchanged_by_moto("aws_elasticache_subnet_group", "description", "missing", "subnet_ids"),
    **unchanged_by_moto("aws_elasticache_user", "access_string", "engine", "user_name"),
    **fixed("aws_memorydb_cluster", "data_tiering", "engine", "kms_key_arn", "subnet_group_name", "tls_enabled"),
    **unchanged_by_moto("aws_memorydb_cluster", "auto_minor_version_upgrade", "security_group_ids"),
    **unchanged_by_moto("aws_memorydb_subnet_group", "description", "subnet_ids"),
}  # fmt: skip
