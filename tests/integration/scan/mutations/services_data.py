"""Changes to tables, databases, log groups and alarms."""

from __future__ import annotations

from typing import Any

from functions.scan.types.aws import SPECS
from tests.support.aws_account import Clients, Mutation

from .calls import Apply, call, changed, create, missing, unmanaged

CLUSTER_INSTANCE = SPECS["aws_rds_cluster_instance"]
_TAG = [{"Key": "Extra", "Value": "1"}]
_TOPIC = "arn:aws:sns:us-east-1:123456789012:orders"
_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"


def table(**changes: Any) -> Apply:
    """Update the target table."""
    return call("dynamodb", "update_table", "TableName=name", **changes)


_ADD_INDEX = {
    "IndexName": "by-created",
    "KeySchema": [{"AttributeName": "created", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
}
_NEW_TABLE: dict[str, Any] = {
    "TableName": "extra",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


def _throughput(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def _no_ttl(clients: Clients, target: dict[str, Any]) -> None:
    clients("dynamodb").update_time_to_live(
        TableName=target["name"], TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"}
    )


_TABLES: tuple[Mutation, ...] = (
    changed("aws_dynamodb_table.orders", "read_capacity", table(ProvisionedThroughput=_throughput(6, 4))),
    changed("aws_dynamodb_table.orders", "write_capacity", table(ProvisionedThroughput=_throughput(6, 7))),
    changed(
        "aws_dynamodb_table.orders",
        "global_secondary_index.by-status.read_capacity",
        table(
            GlobalSecondaryIndexUpdates=[
                {"Update": {"IndexName": "by-status", "ProvisionedThroughput": _throughput(9, 1)}}
            ]
        ),
    ),
    changed(
        "aws_dynamodb_table.orders",
        "global_secondary_index.by-created",
        table(GlobalSecondaryIndexUpdates=[{"Create": _ADD_INDEX}]),
    ),
    changed(
        "aws_dynamodb_table.orders",
        "global_secondary_index.by-status",
        table(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-status"}}]),
    ),
    changed("aws_dynamodb_table.orders", "deletion_protection_enabled", table(DeletionProtectionEnabled=False)),
    Mutation(
        "aws_dynamodb_table.orders",
        {
            ("changed", "aws_dynamodb_table.orders", "stream_enabled"),
            ("changed", "aws_dynamodb_table.orders", "stream_view_type"),
        },
        table(StreamSpecification={"StreamEnabled": False}),
    ),
    changed("aws_dynamodb_table.orders", "ttl", _no_ttl),
    changed(
        "aws_dynamodb_table.orders",
        "point_in_time_recovery",
        call(
            "dynamodb",
            "update_continuous_backups",
            "TableName=name",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        ),
    ),
    changed("aws_dynamodb_table.orders", "tags.Extra", call("dynamodb", "tag_resource", "ResourceArn=arn", Tags=_TAG)),
    changed(
        "aws_dynamodb_table.orders",
        "tags.Data",
        call("dynamodb", "untag_resource", "ResourceArn=arn", TagKeys=["Data"]),
    ),
    Mutation(
        "aws_dynamodb_table.sessions",
        {
            ("changed", "aws_dynamodb_table.sessions", "billing_mode"),
            ("changed", "aws_dynamodb_table.sessions", "read_capacity"),
            ("changed", "aws_dynamodb_table.sessions", "write_capacity"),
        },
        table(BillingMode="PROVISIONED", ProvisionedThroughput=_throughput(1, 1)),
    ),
    unmanaged("aws_dynamodb_table", create("dynamodb", "create_table", "TableDescription.TableArn", **_NEW_TABLE)),
    missing("aws_dynamodb_table.sessions", call("dynamodb", "delete_table", "TableName=name")),
)


def database(**changes: Any) -> Apply:
    """Modify the target instance at once."""
    return call("rds", "modify_db_instance", "DBInstanceIdentifier=identifier", ApplyImmediately=True, **changes)


def _instance(path: str, **changes: Any) -> Mutation:
    return changed("aws_db_instance.main", path, database(**changes))


def _other_group(clients: Clients, target: dict[str, Any]) -> None:
    clients("rds").create_db_parameter_group(
        DBParameterGroupName="other", DBParameterGroupFamily="postgres16", Description="Other"
    )
    database(DBParameterGroupName="other")(clients, target)


def _parameter(name: str, value: str) -> Apply:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
    return call("rds", "modify_db_parameter_group", "DBParameterGroupName=name", Parameters=[parameter])


def _copy_subnet_group(clients: Clients, target: dict[str, Any]) -> str:
    reply = clients("rds").create_db_subnet_group(
        DBSubnetGroupName="extra", DBSubnetGroupDescription="Extra", SubnetIds=target["subnet_ids"]
    )
    return str(reply["DBSubnetGroup"]["DBSubnetGroupArn"])


def _create_cluster_instance(clients: Clients, _target: dict[str, Any]) -> str:
    login = {"MasterUsername": "extra", "MasterUserPassword": "not-a-real-password"}
    clients("rds").create_db_cluster(DBClusterIdentifier="aurora", Engine="aurora-mysql", **login)
    reply = clients("rds").create_db_instance(
        DBInstanceIdentifier="aurora-1",
        DBClusterIdentifier="aurora",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )
    return str(reply["DBInstance"]["DBInstanceArn"])


_DATABASES: tuple[Mutation, ...] = (
    _instance("allocated_storage", AllocatedStorage=60),
    _instance("auto_minor_version_upgrade", AutoMinorVersionUpgrade=True),
    _instance("backup_retention_period", BackupRetentionPeriod=1),
    _instance("backup_window", PreferredBackupWindow="01:00-02:00"),
    _instance("ca_cert_identifier", CACertificateIdentifier="rds-ca-ecc384-g1"),
    _instance("copy_tags_to_snapshot", CopyTagsToSnapshot=False),
    _instance("deletion_protection", DeletionProtection=False),
    _instance("engine_version_actual", EngineVersion="16.4"),
    _instance("iam_database_authentication_enabled", EnableIAMDatabaseAuthentication=True),
    _instance("instance_class", DBInstanceClass="db.r5.large"),
    _instance("iops", Iops=4000),
    _instance("license_model", LicenseModel="bring-your-own-license"),
    _instance("maintenance_window", PreferredMaintenanceWindow="mon:07:00-mon:08:00"),
    _instance("max_allocated_storage", MaxAllocatedStorage=500),
    _instance("multi_az", MultiAZ=False),
    _instance("network_type", NetworkType="DUAL"),
    _instance("option_group_name", OptionGroupName="other"),
    _instance("publicly_accessible", PubliclyAccessible=True),
    _instance("storage_throughput", StorageThroughput=500),
    _instance("storage_type", StorageType="io1"),
    _instance("vpc_security_group_ids", VpcSecurityGroupIds=["sg-12345678"]),
    _instance(
        "enabled_cloudwatch_logs_exports", CloudwatchLogsExportConfiguration={"DisableLogTypes": ["upgrade"]}
    ),
    _instance("performance_insights_kms_key_id", PerformanceInsightsKMSKeyId=_KEY),
    _instance("performance_insights_retention_period", PerformanceInsightsRetentionPeriod=731),
    _instance("monitoring_interval", MonitoringInterval=30),
    _instance("monitoring_role_arn", MonitoringRoleArn="arn:aws:iam::123456789012:role/other"),
    _instance("database_insights_mode", DatabaseInsightsMode="advanced"),
    _instance("dedicated_log_volume", DedicatedLogVolume=True),
    Mutation(
        "aws_db_instance.main",
        {
            ("changed", "aws_db_instance.main", "manage_master_user_password"),
            ("changed", "aws_db_instance.main", "master_user_secret_kms_key_id"),
        },
        database(ManageMasterUserPassword=True),
    ),
    Mutation(
        "aws_db_instance.main",
        {
            ("changed", "aws_db_instance.main", "parameter_group_name"),
            ("unmanaged", "arn:aws:rds:us-east-1:123456789012:pg:other", ""),
        },
        _other_group,
        also=("aws_db_parameter_group",),
    ),
    changed("aws_db_instance.main", "tags.Extra", call("rds", "add_tags_to_resource", "ResourceName=arn", Tags=_TAG)),
    changed("aws_db_subnet_group.main", "tags.Extra", call("rds", "add_tags_to_resource", "ResourceName=arn", Tags=_TAG)),
    changed("aws_db_parameter_group.main", "parameter.log_connections.value", _parameter("log_connections", "0")),
    changed("aws_db_parameter_group.main", "parameter.work_mem", _parameter("work_mem", "65536")),
    changed("aws_db_parameter_group.main", "tags.Extra", call("rds", "add_tags_to_resource", "ResourceName=arn", Tags=_TAG)),
    Mutation("aws_db_subnet_group.main", {("unmanaged", "<created>", "")}, _copy_subnet_group),
    unmanaged(
        "aws_db_instance",
        create(
            "rds", "create_db_instance", "DBInstance.DBInstanceArn",
            DBInstanceIdentifier="extra", DBInstanceClass="db.t3.micro", Engine="mysql", MasterUsername="extra",
            MasterUserPassword="not-a-real-password", AllocatedStorage=20,
        ),
    ),
    missing(
        "aws_db_instance.main",
        call("rds", "delete_db_instance", "DBInstanceIdentifier=identifier", SkipFinalSnapshot=True),
    ),
    unmanaged("aws_rds_cluster_instance", _create_cluster_instance),
    missing("aws_db_subnet_group.main", call("rds", "delete_db_subnet_group", "DBSubnetGroupName=name")),
    missing("aws_db_parameter_group.main", call("rds", "delete_db_parameter_group", "DBParameterGroupName=name")),
)  # fmt: skip


def _filter(**changes: Any) -> Apply:
    """Put the target filter again with one member changed; moto would keep both, so the old one goes first."""
    found: dict[str, Any] = {
        "filterPattern": '{ $.level = "error" }',
        "metricTransformations": [{"metricName": "Errors", "metricNamespace": "App", "metricValue": "1"}],
    }

    def apply(clients: Clients, target: dict[str, Any]) -> None:
        names = {"logGroupName": target["log_group_name"], "filterName": target["name"]}
        clients("logs").delete_metric_filter(**names)
        clients("logs").put_metric_filter(**names, **{**found, **changes})

    return apply


_API = 'aws_cloudwatch_log_group.app["api"]'
_LOGS: tuple[Mutation, ...] = (
    changed(_API, "retention_in_days", call("logs", "put_retention_policy", "logGroupName=name", retentionInDays=1)),
    changed(
        'aws_cloudwatch_log_group.app["worker"]',
        "retention_in_days",
        call("logs", "delete_retention_policy", "logGroupName=name"),
    ),
    changed(_API, "tags.Extra", call("logs", "tag_resource", "resourceArn=arn", tags={"Extra": "1"})),
    changed("aws_cloudwatch_log_metric_filter.errors", "pattern", _filter(filterPattern="error")),
    changed(
        "aws_cloudwatch_log_metric_filter.errors",
        "metric_transformation.value",
        _filter(metricTransformations=[{"metricName": "Errors", "metricNamespace": "App", "metricValue": "2"}]),
    ),
    unmanaged(
        "aws_cloudwatch_log_metric_filter",
        call(
            "logs", "put_metric_filter",
            logGroupName="/app/api", filterName="extra", filterPattern="x",
            metricTransformations=[{"metricName": "Extra", "metricNamespace": "App", "metricValue": "1"}],
        ),
        "us-east-1|/app/api|extra",
    ),
    missing(
        "aws_cloudwatch_log_metric_filter.errors",
        call("logs", "delete_metric_filter", "logGroupName=log_group_name", "filterName=name"),
    ),
    unmanaged(
        "aws_cloudwatch_log_group",
        call("logs", "create_log_group", logGroupName="/app/extra"),
        "arn:aws:logs:us-east-1:123456789012:log-group:/app/extra",
    ),
    missing("aws_cloudwatch_log_group.forever", call("logs", "delete_log_group", "logGroupName=name")),
)  # fmt: skip

_CPU: dict[str, Any] = {
    "AlarmName": "orders-cpu",
    "AlarmDescription": "The database is busy",
    "Namespace": "AWS/RDS",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders"}],
    "Statistic": "Average",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 80.5,
    "Period": 300,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Unit": "Percent",
    "TreatMissingData": "breaching",
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:plain"],
    "OKActions": ["arn:aws:sns:us-east-1:123456789012:plain"],
    "InsufficientDataActions": ["arn:aws:sns:us-east-1:123456789012:plain"],
    "Tags": [{"Key": "Team", "Value": "data"}],
}
_LATENCY: dict[str, Any] = {
    "AlarmName": "latency",
    "Namespace": "AWS/ApplicationELB",
    "MetricName": "TargetResponseTime",
    "ExtendedStatistic": "p99",
    "EvaluateLowSampleCountPercentile": "ignore",
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 1.0,
    "Period": 60,
    "EvaluationPeriods": 5,
    "TreatMissingData": "missing",
}
_ALARM_CHANGES: tuple[tuple[str, str, object], ...] = (
    ("alarm_description", "AlarmDescription", "Other"),
    ("namespace", "Namespace", "Other"),
    ("metric_name", "MetricName", "Other"),
    ("dimensions.DBInstanceIdentifier", "Dimensions", [{"Name": "DBInstanceIdentifier", "Value": "other"}]),
    ("statistic", "Statistic", "Sum"),
    ("comparison_operator", "ComparisonOperator", "LessThanThreshold"),
    ("threshold", "Threshold", 99.0),
    ("period", "Period", 60),
    ("evaluation_periods", "EvaluationPeriods", 9),
    ("datapoints_to_alarm", "DatapointsToAlarm", 1),
    ("unit", "Unit", "Count"),
    ("treat_missing_data", "TreatMissingData", "notBreaching"),
    ("alarm_actions", "AlarmActions", [_TOPIC]),
    ("ok_actions", "OKActions", []),
    ("insufficient_data_actions", "InsufficientDataActions", [_TOPIC]),
)


def _ratio(clients: Clients, _target: dict[str, Any]) -> None:
    queries = [
        {"Id": "ratio", "Expression": "errors / requests * 10", "Label": "Error ratio", "ReturnData": True},
        *(
            {"Id": name, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", **unit}}
            for name, metric, unit in (
                (
                    "errors",
                    {"Namespace": "App", "MetricName": "Errors", "Dimensions": [{"Name": "Service", "Value": "api"}]},
                    {},
                ),
                ("requests", {"Namespace": "App", "MetricName": "Requests"}, {"Unit": "Count"}),
            )
        ),
    ]
    clients("cloudwatch").put_metric_alarm(
        AlarmName="error-ratio",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=5.0,
        EvaluationPeriods=2,
        TreatMissingData="missing",
        Metrics=queries,
    )


_ALARMS: tuple[Mutation, ...] = (
    *(
        changed(
            "aws_cloudwatch_metric_alarm.cpu", path, call("cloudwatch", "put_metric_alarm", **{**_CPU, member: value})
        )
        for path, member, value in _ALARM_CHANGES
    ),
    changed(
        "aws_cloudwatch_metric_alarm.latency",
        "extended_statistic",
        call("cloudwatch", "put_metric_alarm", **{**_LATENCY, "ExtendedStatistic": "p50"}),
    ),
    changed(
        "aws_cloudwatch_metric_alarm.latency",
        "evaluate_low_sample_count_percentiles",
        call("cloudwatch", "put_metric_alarm", **{**_LATENCY, "EvaluateLowSampleCountPercentile": "evaluate"}),
    ),
    changed(
        "aws_cloudwatch_metric_alarm.latency",
        "threshold_metric_id",
        call("cloudwatch", "put_metric_alarm", **{**_LATENCY, "ThresholdMetricId": "other"}),
    ),
    changed("aws_cloudwatch_metric_alarm.ratio", "metric_query.ratio.expression", _ratio),
    changed(
        "aws_cloudwatch_metric_alarm.cpu",
        "actions_enabled",
        call("cloudwatch", "disable_alarm_actions", AlarmNames=["orders-cpu"]),
    ),
    changed(
        "aws_cloudwatch_metric_alarm.cpu",
        "tags.Extra",
        call("cloudwatch", "tag_resource", "ResourceARN=arn", Tags=_TAG),
    ),
    unmanaged(
        "aws_cloudwatch_metric_alarm",
        call("cloudwatch", "put_metric_alarm", **{**_LATENCY, "AlarmName": "extra"}),
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:extra",
    ),
    missing("aws_cloudwatch_metric_alarm.latency", call("cloudwatch", "delete_alarms", AlarmNames=["latency"])),
)

MUTATIONS = (*_TABLES, *_DATABASES, *_LOGS, *_ALARMS)

EXCEPTIONS: dict[str, str] = {
    "aws_dynamodb_table.attribute": "follows from the keys of table and indexes",
    "aws_dynamodb_table.hash_key": "fixed at creation",
    "aws_dynamodb_table.range_key": "fixed at creation",
    "aws_dynamodb_table.local_secondary_index": "fixed at creation",
    "aws_dynamodb_table.on_demand_throughput": "moto does not keep OnDemandThroughput",
    "aws_dynamodb_table.replica": "replicas live in other regions",
    "aws_dynamodb_table.server_side_encryption": "moto does not change it",
    "aws_dynamodb_table.table_class": "moto does not keep TableClass",
    **{
        f"aws_db_instance.{name}": "fixed at creation"
        for name in (
            "backup_target", "character_set_name", "db_name", "engine", "kms_key_id", "replica_mode",
            "replicate_source_db", "storage_encrypted", "timezone", "username",
        )
    },
    **{
        f"aws_db_instance.{name}": "moto does not change it"
        for name in (
            "customer_owned_ip_enabled", "db_subnet_group_name", "domain", "engine_lifecycle_support",
            "performance_insights_enabled", "port",
        )
    },
    "aws_db_instance.availability_zone": "fixed at creation; not compared for an instance that may fail over",
    "aws_db_parameter_group.description": "fixed at creation",
    "aws_db_parameter_group.family": "fixed at creation",
    "aws_db_subnet_group.description": "moto loses a subnet group that is modified",
    "aws_db_subnet_group.subnet_ids": "moto loses a subnet group that is modified",
    "aws_cloudwatch_log_group.kms_key_id": "moto has neither AssociateKmsKey nor DisassociateKmsKey",
    **{
        f"aws_rds_cluster_instance.{name}": "the fixture declares no Aurora cluster; shapes are those of aws_db_instance"
        for name in (*CLUSTER_INSTANCE.shapes, "missing")
    },
    "aws_cloudwatch_log_group.log_group_class": "fixed at creation",
}  # fmt: skip
