"""Capacity and availability: fewer copies, smaller machines, fewer zones, interruptions now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from ..plan import Change, Plan
from ..rule import Match, Rule, seen
from ..switches import lowering, off, on, rule_of, switch, word, zero
from ..values import first, truth

_switch = partial(switch, flag="capacity-reduction", family="capacity")
_lowering = partial(lowering, flag="capacity-reduction", family="capacity")
_ZONES = "It no longer survives the loss of a zone"
_LESS = "Fewer copies run"
_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
_SIZE = re.compile(r"(\d*)(nano|micro|small|medium|large|xlarge)|metal(?:-(\d+)xl)?")
_METAL = 1_000


def _aws_size(name: object) -> tuple[str, float] | None:
    """Return the family of an instance class and a number that grows with its size."""
    if not isinstance(name, str) or "." not in name:
        return None
    family, _, size = name.rpartition(".")
    found = _SIZE.fullmatch(size)
    if found is None:
        return None
    if found[2] is None:
        return family, _METAL
    return family, _SIZES.index(found[2]) + (int(found[1] or 1) if found[2] == "xlarge" else 0)


def _smaller(path: str) -> Callable[[Change, Plan], Iterator[Match]]:
    def judge(change: Change, _plan: Plan) -> Iterator[Match]:
        was, will = first(change.before, path), first(change.after, path)
        old, new = _aws_size(was), _aws_size(will)
        if old and new and old[0] == new[0] and new[1] < old[1]:
            yield Match((seen(path, was, will),))

    return judge


def _interrupted(change: Change, _plan: Plan) -> Iterator[Match]:
    """A change that restarts the database, at once instead of in its window."""
    if not change.is_update or truth(first(change.after, "apply_immediately")) is not True:
        return
    names = ("instance_class", "engine_version", "parameter_group_name", "multi_az", "allocated_storage", "node_type")
    moved = [name for name in names if first(change.before, name) != first(change.after, name)]
    if moved:
        yield Match(tuple(seen(name, first(change.before, name), first(change.after, name)) for name in moved))


def _major(change: Change, _plan: Plan) -> Iterator[Match]:
    """Another major version: of Kubernetes, MySQL, MariaDB and old PostgreSQL it is told by two numbers, of others by one."""
    for path in _VERSIONS:
        was, will = first(change.before, path), first(change.after, path)
        if not isinstance(was, str) or not isinstance(will, str):
            continue
        old, new = _release(change, was), _release(change, will)
        if old and new and old != new:
            yield Match((seen(path, was, will),), note="It cannot be undone.")


def _release(change: Change, version: str) -> tuple[str, ...]:
    numbers = _NUMBER.findall(version[:_MOST_VERSION])
    words = f"{first(change.before, 'engine')} {change.type} {version}".lower()
    is_by_two = change.type in _KUBERNETES or "mysql" in words or "mariadb" in words or numbers[:1] == ["9"]
    return tuple(numbers[: 2 if is_by_two else 1])


_NUMBER = re.compile(r"\d+")
_MOST_VERSION = 100
_VERSIONS = (
    "engine_version",
    "database_version",
    "version",
    "kubernetes_version",
    "min_master_version",
    "redis_version",
    "kafka_version",
    "elasticsearch_version",
)
_KUBERNETES = ("aws_eks_cluster", "google_container_cluster", "azurerm_kubernetes_cluster")
_ENGINES = ("google_sql_database_instance", "google_alloydb_cluster", "google_redis_instance", "azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server",
            "aws_opensearch_domain", "aws_elasticsearch_domain", "aws_rds_global_cluster", "aws_msk_cluster", "aws_mq_broker")  # fmt: skip
_DATABASES = (
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_docdb_cluster",
    "aws_neptune_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticache_cluster",
    "aws_redshift_cluster",
    "aws_memorydb_cluster",
)


def _smaller_rule(name: str, types: tuple[str, ...], path: str) -> Rule:
    return rule_of(
        name,
        "capacity",
        "capacity-reduction",
        "medium",
        "A smaller machine is used",
        types,
        _smaller(path),
        paths=(path,),
    )


RULES: tuple[Rule, ...] = (
    _switch("aws-multi-az", severity="high", title=_ZONES, types=("aws_db_instance",), path="multi_az", bad=off, refs=("CKV_AWS_157",)),
    _switch("aws-cache-multi-az", severity="high", title=_ZONES, types=("aws_elasticache_replication_group",), path="multi_az_enabled", bad=off),
    _switch("aws-cache-failover", severity="high", title=_ZONES, types=("aws_elasticache_replication_group",), path="automatic_failover_enabled", bad=off),
    _smaller_rule("aws-database-smaller", ("aws_db_instance", "aws_rds_cluster_instance", "aws_docdb_cluster_instance", "aws_neptune_cluster_instance"), "instance_class"),
    _smaller_rule("aws-instance-smaller", ("aws_instance", "aws_launch_template"), "instance_type"),
    _smaller_rule("aws-node-smaller", ("aws_elasticache_replication_group", "aws_elasticache_cluster", "aws_redshift_cluster", "aws_memorydb_cluster"), "node_type"),
    *(_lowering(f"aws-{name}", severity="medium", title=_LESS, types=types, path=path, to_zero="high") for name, types, path in (
        ("group-min-size", ("aws_autoscaling_group",), "min_size"), ("group-max-size", ("aws_autoscaling_group",), "max_size"), ("group-desired", ("aws_autoscaling_group",), "desired_capacity"),
        ("service-desired", ("aws_ecs_service",), "desired_count"), ("nodes-min-size", ("aws_eks_node_group",), "scaling_config.min_size"), ("nodes-max-size", ("aws_eks_node_group",), "scaling_config.max_size"),
        ("nodes-desired", ("aws_eks_node_group",), "scaling_config.desired_size"), ("cache-replicas", ("aws_elasticache_replication_group",), "num_cache_clusters"), ("search-nodes", ("aws_opensearch_domain",), "cluster_config.instance_count"),
        ("table-reads", ("aws_dynamodb_table",), "read_capacity"), ("table-writes", ("aws_dynamodb_table",), "write_capacity"), ("stream-shards", ("aws_kinesis_stream",), "shard_count"),
        ("target-min", ("aws_appautoscaling_target",), "min_capacity"), ("broker-nodes", ("aws_msk_cluster",), "number_of_broker_nodes"), ("redshift-nodes", ("aws_redshift_cluster",), "number_of_nodes"))),
    _switch("aws-function-stopped", severity="high", title="The function no longer runs at all", types=("aws_lambda_function",), path="reserved_concurrent_executions", bad=zero),
    rule_of("database-interrupted", "capacity", "capacity-reduction", "medium", "The database restarts at once, not in its window", _DATABASES, _interrupted),
    rule_of("engine-major", "capacity", "capacity-reduction", "medium", "The engine goes to another major version", (*_DATABASES, *_ENGINES, *_KUBERNETES), _major),
    _switch("google-sql-zones", severity="medium", title=_ZONES, types=("google_sql_database_instance",), path="settings.availability_type", bad=word("ZONAL"), refs=("CKV_GCP_79",)),
    _switch("google-redis-tier", severity="medium", title=_ZONES, types=("google_redis_instance",), path="tier", bad=word("BASIC")),
    *(_lowering(f"google-{name}", severity="medium", title=_LESS, types=types, path=path, to_zero="high") for name, types, path in (
        ("nodes", ("google_container_node_pool",), "node_count"), ("nodes-min", ("google_container_node_pool",), "autoscaling.min_node_count"), ("nodes-max", ("google_container_node_pool",), "autoscaling.max_node_count"),
        ("group-size", ("google_compute_instance_group_manager", "google_compute_region_instance_group_manager"), "target_size"), ("run-min", ("google_cloud_run_v2_service",), "template.scaling.min_instance_count"),
        ("run-max", ("google_cloud_run_v2_service",), "template.scaling.max_instance_count"), ("spanner-nodes", ("google_spanner_instance",), "num_nodes"), ("spanner-units", ("google_spanner_instance",), "processing_units"),
        ("redis-replicas", ("google_redis_instance",), "replica_count"))),
    _switch("azure-zones", severity="medium", title=_ZONES, types=("azurerm_mssql_database", "azurerm_eventhub_namespace"), path="zone_redundant", bad=off),
    _switch("azure-high-availability", severity="medium", title=_ZONES, types=("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server"), path="high_availability.mode", bad=word("Disabled"), absent=True),
    *(_lowering(f"azure-{name}", severity="medium", title=_LESS, types=types, path=path, to_zero="high") for name, types, path in (
        ("nodes", ("azurerm_kubernetes_cluster",), "default_node_pool.node_count"), ("nodes-min", ("azurerm_kubernetes_cluster",), "default_node_pool.min_count"), ("pool", ("azurerm_kubernetes_cluster_node_pool",), "node_count"),
        ("pool-min", ("azurerm_kubernetes_cluster_node_pool",), "min_count"), ("scale-set", ("azurerm_linux_virtual_machine_scale_set", "azurerm_windows_virtual_machine_scale_set"), "instances"),
        ("plan-workers", ("azurerm_service_plan",), "worker_count"), ("app-replicas", ("azurerm_container_app",), "template.min_replicas"))),
    _switch("azure-app-stopped", severity="high", title="The app no longer runs", types=("azurerm_linux_web_app", "azurerm_windows_web_app", "azurerm_linux_function_app"), path="enabled", bad=off),
    _switch("google-run-paused", severity="medium", title="Scheduled jobs no longer run", types=("google_cloud_scheduler_job",), path="paused", bad=on),
)  # fmt: skip
