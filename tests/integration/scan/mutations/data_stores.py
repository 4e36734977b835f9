"""Changes to file systems, streams, warehouses, brokers and backups."""

from __future__ import annotations

import json
from typing import Any

from tests.support.aws_account import Clients, Mutation

from ._again import fixed, unchanged_by_moto
from .calls import Apply, call, changed, create, missing, unmanaged

_TAG = [{"Key": "Extra", "Value": "1"}]
_ROLE = "arn:aws:iam::123456789012:role/other"
_OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)
_SYSTEM = "aws_efs_file_system.main"


def _new_access_point(clients: Clients, _target: dict[str, Any]) -> str:
    system = clients("efs").describe_file_systems()["FileSystems"][0]["FileSystemId"]
    return str(clients("efs").create_access_point(ClientToken="extra", FileSystemId=system)["AccessPointArn"])


def _new_mount_target(clients: Clients, target: dict[str, Any]) -> str:
    subnets = clients("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.30.1.0/24"]}])["Subnets"]
    reply = clients("efs").create_mount_target(FileSystemId=target["file_system_id"], SubnetId=subnets[0]["SubnetId"])
    return str(reply["MountTargetId"])


_FILES: tuple[Mutation, ...] = (
    changed(
        _SYSTEM,
        "lifecycle_policy.transition_to_ia",
        call("efs", "put_lifecycle_configuration", "FileSystemId=id", LifecyclePolicies=[{"TransitionToIA": "AFTER_7_DAYS"}]),
    ),
    changed(_SYSTEM, "tags.Extra", call("efs", "tag_resource", "ResourceId=id", Tags=_TAG)),
    unmanaged("aws_efs_file_system", create("efs", "create_file_system", "FileSystemArn", CreationToken="extra")),
    changed(
        "aws_efs_file_system_policy.main",
        "policy.Statement",
        call("efs", "put_file_system_policy", "FileSystemId=file_system_id", Policy=_OPEN),
    ),
    changed(
        "aws_efs_mount_target.main",
        "security_groups",
        lambda clients, target: clients("efs").modify_mount_target_security_groups(
            MountTargetId=target["id"],
            SecurityGroups=[group["GroupId"] for group in clients("ec2").describe_security_groups()["SecurityGroups"]][:2],
        ),
    ),
    Mutation(
        "aws_efs_mount_target.main", {("unmanaged", "<created>", "")}, _new_mount_target, also=("aws_efs_mount_target",)
    ),
    missing("aws_efs_mount_target.main", call("efs", "delete_mount_target", "MountTargetId=id")),
    changed("aws_efs_access_point.main", "tags.Extra", call("efs", "tag_resource", "ResourceId=id", Tags=_TAG)),
    unmanaged("aws_efs_access_point", _new_access_point),
    missing("aws_efs_access_point.main", call("efs", "delete_access_point", "AccessPointId=id")),
)  # fmt: skip

_STREAM = "aws_kinesis_stream.main"


def stream(operation: str, **arguments: Any) -> Apply:
    """Make a call about the target stream."""
    return call("kinesis", operation, "StreamName=name", **arguments)


_STREAMS: tuple[Mutation, ...] = (
    changed(_STREAM, "retention_period", stream("increase_stream_retention_period", RetentionPeriodHours=72)),
    changed(_STREAM, "shard_count", stream("update_shard_count", TargetShardCount=4, ScalingType="UNIFORM_SCALING")),
    changed(_STREAM, "shard_level_metrics", stream("disable_enhanced_monitoring", ShardLevelMetrics=["IncomingBytes"])),
    changed(_STREAM, "kms_key_id", stream("start_stream_encryption", EncryptionType="KMS", KeyId="alias/other")),
    Mutation(
        _STREAM,
        {("changed", _STREAM, "encryption_type"), ("changed", _STREAM, "kms_key_id")},
        stream("stop_stream_encryption", EncryptionType="KMS", KeyId="alias/other"),
    ),
    changed(_STREAM, "tags.Extra", stream("add_tags_to_stream", Tags={"Extra": "1"})),
    Mutation(
        "aws_kinesis_stream.demand",
        {
            ("changed", "aws_kinesis_stream.demand", "stream_mode_details"),
            ("changed", "aws_kinesis_stream.demand", "shard_count"),
        },
        call("kinesis", "update_stream_mode", "StreamARN=arn", StreamModeDetails={"StreamMode": "PROVISIONED"}),
    ),
    unmanaged(
        "aws_kinesis_stream",
        call("kinesis", "create_stream", StreamName="extra", ShardCount=1),
        "arn:aws:kinesis:us-east-1:123456789012:stream/extra",
    ),
    unmanaged(
        "aws_kinesis_stream_consumer",
        create(
            "kinesis", "register_stream_consumer", "Consumer.ConsumerARN",
            StreamARN="arn:aws:kinesis:us-east-1:123456789012:stream/clicks", ConsumerName="extra",
        ),
    ),
    missing("aws_kinesis_stream_consumer.main", call("kinesis", "deregister_stream_consumer", "ConsumerARN=arn")),
    missing("aws_kinesis_stream.demand", stream("delete_stream")),
)  # fmt: skip

_ARCHIVE = "aws_kinesis_firehose_delivery_stream.main"


def _archive(**changes: Any) -> Apply:
    def apply(clients: Clients, target: dict[str, Any]) -> None:
        name = target["name"]
        found = clients("firehose").describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        clients("firehose").update_destination(
            DeliveryStreamName=name, CurrentDeliveryStreamVersionId=found["VersionId"],
            DestinationId=found["Destinations"][0]["DestinationId"], ExtendedS3DestinationUpdate=changes,
        )  # fmt: skip

    return apply


def _in_s3(name: str, **changes: Any) -> Mutation:
    return changed(_ARCHIVE, f"extended_s3_configuration.{name}", _archive(**changes))


_DELIVERY: tuple[Mutation, ...] = (
    _in_s3("prefix", Prefix="other/"),
    _in_s3("error_output_prefix", ErrorOutputPrefix="other-errors/"),
    _in_s3("compression_format", CompressionFormat="UNCOMPRESSED"),
    _in_s3("buffering_size", BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 400}),
    _in_s3("role_arn", RoleARN=_ROLE),
    Mutation(
        _ARCHIVE,
        {("changed", _ARCHIVE, "server_side_encryption")},
        call(
            "firehose", "start_delivery_stream_encryption", "DeliveryStreamName=name",
            DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"},
        ),
    ),
    changed(_ARCHIVE, "tags.Extra", call("firehose", "tag_delivery_stream", "DeliveryStreamName=name", Tags=_TAG)),
    unmanaged(
        "aws_kinesis_firehose_delivery_stream",
        create(
            "firehose", "create_delivery_stream", "DeliveryStreamARN", DeliveryStreamName="extra",
            ExtendedS3DestinationConfiguration={"RoleARN": _ROLE, "BucketARN": "arn:aws:s3:::lake-123456789012"},
        ),
    ),
    missing(_ARCHIVE, call("firehose", "delete_delivery_stream", "DeliveryStreamName=name")),
)  # fmt: skip


def _warehouse_group(clients: Clients, _target: dict[str, Any]) -> None:
    subnets = [item["SubnetId"] for item in clients("ec2").describe_subnets()["Subnets"]][:1]
    clients("redshift").create_cluster_subnet_group(
        ClusterSubnetGroupName="extra", Description="Extra", SubnetIds=subnets
    )


_PLACE = "arn:aws:redshift:us-east-1:123456789012"
_WAREHOUSE: tuple[Mutation, ...] = (
    *(
        changed(address, "tags.Extra", call("redshift", "create_tags", "ResourceName=arn", Tags=_TAG))
        for address in ("aws_redshift_subnet_group.main", "aws_redshift_parameter_group.main")
    ),
    unmanaged("aws_redshift_subnet_group", _warehouse_group, f"{_PLACE}:subnetgroup:extra"),
    missing(
        "aws_redshift_subnet_group.main",
        call("redshift", "delete_cluster_subnet_group", "ClusterSubnetGroupName=name"),
    ),
    unmanaged(
        "aws_redshift_parameter_group",
        call("redshift", "create_cluster_parameter_group", ParameterGroupName="extra", ParameterGroupFamily="redshift-1.0", Description="Extra"),
        f"{_PLACE}:parametergroup:extra",
    ),
    missing(
        "aws_redshift_parameter_group.main",
        call("redshift", "delete_cluster_parameter_group", "ParameterGroupName=name"),
    ),
)  # fmt: skip

_BROKER = "aws_mq_broker.main"


def broker(**changes: Any) -> Apply:
    """Update the target broker."""
    return call("mq", "update_broker", "BrokerId=id", **changes)


_BROKERS: tuple[Mutation, ...] = (
    changed(_BROKER, "auto_minor_version_upgrade", broker(AutoMinorVersionUpgrade=False)),
    changed(_BROKER, "engine_version", broker(EngineVersion="5.18.4")),
    changed(_BROKER, "host_instance_type", broker(HostInstanceType="mq.m5.large")),
    changed(_BROKER, "logs", broker(Logs={"General": True, "Audit": False})),
    changed(_BROKER, "security_groups", broker(SecurityGroups=["sg-0123456789abcdef0"])),
    changed(_BROKER, "authentication_strategy", broker(AuthenticationStrategy="LDAP")),
    changed(_BROKER, "tags.Extra", call("mq", "create_tags", "ResourceArn=arn", Tags={"Extra": "1"})),
    unmanaged(
        "aws_mq_broker",
        create(
            "mq", "create_broker", "BrokerArn", BrokerName="extra", EngineType="ACTIVEMQ", EngineVersion="5.17.6",
            HostInstanceType="mq.t3.micro", DeploymentMode="SINGLE_INSTANCE", AutoMinorVersionUpgrade=True,
            PubliclyAccessible=True, Users=[{"Username": "app", "Password": "correct-horse-battery"}],
        ),
    ),
    missing(_BROKER, call("mq", "delete_broker", "BrokerId=id")),
    changed(
        "aws_mq_configuration.main",
        "description",
        call("mq", "update_configuration", "ConfigurationId=id", Data="PGJyb2tlcj48L2Jyb2tlcj4=", Description="Other"),
    ),
    unmanaged(
        "aws_mq_configuration",
        create("mq", "create_configuration", "Arn", Name="extra", EngineType="ACTIVEMQ", EngineVersion="5.17.6"),
    ),
    missing("aws_mq_configuration.main", call("mq", "delete_configuration", "ConfigurationId=id")),
)  # fmt: skip

_VAULT = "aws_backup_vault.main"
_LOCK = "aws_backup_vault_lock_configuration.main"


def lock(**days: int) -> Apply:
    """Lock the target's vault with other bounds."""
    return call(
        "backup", "put_backup_vault_lock_configuration", "BackupVaultName=backup_vault_name",
        **{"MinRetentionDays": 7, "MaxRetentionDays": 365, "ChangeableForDays": 3, **days},
    )  # fmt: skip


_BACKUPS: tuple[Mutation, ...] = (
    changed(_LOCK, "min_retention_days", lock(MinRetentionDays=1)),
    changed(_LOCK, "max_retention_days", lock(MaxRetentionDays=30)),
    missing(_LOCK, call("backup", "delete_backup_vault_lock_configuration", "BackupVaultName=backup_vault_name")),
    changed(_VAULT, "tags.Extra", call("backup", "tag_resource", "ResourceArn=arn", Tags={"Extra": "1"})),
    unmanaged("aws_backup_vault", create("backup", "create_backup_vault", "BackupVaultArn", BackupVaultName="extra")),
    missing(_VAULT, call("backup", "delete_backup_vault", "BackupVaultName=name")),
    changed(
        "aws_backup_plan.main",
        "tags.Extra",
        call("backup", "tag_resource", "ResourceArn=arn", Tags={"Extra": "1"}),
    ),
    unmanaged(
        "aws_backup_plan",
        create(
            "backup", "create_backup_plan", "BackupPlanArn",
            BackupPlan={"BackupPlanName": "extra", "Rules": [{"RuleName": "extra", "TargetBackupVaultName": "extra"}]},
        ),
    ),
    missing("aws_backup_plan.main", call("backup", "delete_backup_plan", "BackupPlanId=id")),
    # What hangs on the file system goes with it.
    Mutation(
        _SYSTEM,
        {("missing", _SYSTEM, ""), ("missing", "aws_efs_file_system_policy.main", "")},
        lambda clients, target: _remove_file_system(clients, target["id"]),
    ),
)  # fmt: skip


def _remove_file_system(clients: Clients, identifier: str) -> None:
    for target in clients("efs").describe_mount_targets(FileSystemId=identifier)["MountTargets"]:
        clients("efs").delete_mount_target(MountTargetId=target["MountTargetId"])
    for point in clients("efs").describe_access_points(FileSystemId=identifier)["AccessPoints"]:
        clients("efs").delete_access_point(AccessPointId=point["AccessPointId"])
    clients("efs").delete_file_system(FileSystemId=identifier)


MUTATIONS = (*_FILES, *_STREAMS, *_DELIVERY, *_WAREHOUSE, *_BROKERS, *_BACKUPS)

EXCEPTIONS: dict[str, str] = {
    **fixed("aws_efs_file_system", "availability_zone_name", "encrypted", "kms_key_id", "performance_mode"),
    **unchanged_by_moto("aws_efs_file_system", "protection", "provisioned_throughput_in_mibps", "throughput_mode"),
    **fixed("aws_efs_mount_target", "file_system_id", "ip_address", "subnet_id"),
    **fixed("aws_efs_access_point", "file_system_id", "posix_user", "root_directory"),
    "aws_efs_file_system_policy.unmanaged": "moto gives every file system one that says nothing",
    **fixed("aws_kinesis_stream_consumer", "stream_arn"),
    **fixed("aws_kinesis_firehose_delivery_stream", "destination", "kinesis_source_configuration"),
    **unchanged_by_moto("aws_redshift_subnet_group", "description", "subnet_ids"),
    **fixed("aws_redshift_parameter_group", "description", "family"),
    **unchanged_by_moto("aws_redshift_parameter_group", "parameter"),
    **fixed("aws_mq_broker", "deployment_mode", "engine_type", "publicly_accessible", "storage_type", "subnet_ids"),
    **fixed("aws_mq_configuration", "authentication_strategy", "engine_type", "engine_version"),
    "aws_mq_configuration.tags": "moto leaves tags out of its list of configurations",
    **fixed("aws_backup_vault", "kms_key_arn"),
    **unchanged_by_moto("aws_backup_plan", "advanced_backup_setting", "name", "rule"),
    "aws_backup_vault_lock_configuration.unmanaged": "a lock on another vault shows with that vault",
}
