"""Reads EFS, Kinesis and Firehose.

Source: API References of these services, the actions named in each listing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map
from .forms import blocks, in_snake, inside, named, tagged

_FILE_SYSTEM = {
    "availability_zone_name": "AvailabilityZoneName",
    "encrypted": "Encrypted",
    "kms_key_id": "KmsKeyId",
    "performance_mode": "PerformanceMode",
    "provisioned_throughput_in_mibps": "ProvisionedThroughputInMibps",
    "throughput_mode": "ThroughputMode",
}
_EXTENDED_S3 = ("BucketARN", "RoleARN", "Prefix", "ErrorOutputPrefix", "CompressionFormat", "S3BackupMode", "FileExtension", "CustomTimeZone")  # fmt: skip
_GONE = (
    "FileSystemNotFound",
    "PolicyNotFound",
    "AccessPointNotFound",
    "MountTargetNotFound",
    "ResourceNotFoundException",
)


def read_file_systems(scope: Scope) -> Iterator[Finding]:
    """List file systems; lifecycle and policy take a call each."""
    client = scope.client("efs")

    def one(item: Item) -> Iterator[Finding]:
        kind, identifier = "aws_efs_file_system", item["FileSystemId"]
        arn = item.get("FileSystemArn") or scope.arn("elasticfilesystem", f"file-system/{identifier}")
        place = {"FileSystemId": identifier}
        attributes: dict[str, object] = {
            **named(item, _FILE_SYSTEM),
            "protection": _protection(item),
            "tags": tag_map(item.get("Tags")),
        }
        found = attempt("elasticfilesystem", lambda: client.describe_lifecycle_configuration(**place), *_GONE)
        if isinstance(found, Gap):
            yield found.unread(kind, arn, "lifecycle_policy")
        else:
            policies = found.get("LifecyclePolicies") or ()
            attributes["lifecycle_policy"] = [
                {_transition(name): value for name, value in policy.items()} for policy in policies
            ]
        yield LiveResource(kind, arn, scope.region, attributes, arn, tags=tag_map(item.get("Tags")))
        policy = attempt("elasticfilesystem", lambda: client.describe_file_system_policy(**place), *_GONE)
        if isinstance(policy, Gap):
            yield policy.unread("aws_efs_file_system_policy", identifier)
        elif policy.get("Policy"):
            yield LiveResource(
                "aws_efs_file_system_policy", identifier, scope.region, {"policy": policy["Policy"]}, arn
            )

    yield from each(scope.pages("efs", "describe_file_systems", "FileSystems"), one)


def _protection(item: Item) -> object:
    """The protection of a file system against being overwritten; it is on when nothing is said."""
    found = (item.get("FileSystemProtection") or {}).get("ReplicationOverwriteProtection")
    return [{"replication_overwrite": found}] if found else []


def _transition(member: str) -> str:
    return {"TransitionToIA": "transition_to_ia", "TransitionToArchive": "transition_to_archive"}.get(
        member, "transition_to_primary_storage_class"
    )


def read_mount_targets(scope: Scope) -> Iterator[Finding]:
    """List the mount targets of all file systems; their security groups take a call each."""
    client = scope.client("efs")

    def one(system: Item) -> Iterator[Finding]:
        pages = scope.pages("efs", "describe_mount_targets", "MountTargets", FileSystemId=system["FileSystemId"])
        for item in pages:
            identifier = item["MountTargetId"]
            attributes = in_snake(item, "FileSystemId", "IpAddress", "SubnetId")
            found = attempt(
                "elasticfilesystem",
                partial(client.describe_mount_target_security_groups, MountTargetId=identifier),
                *_GONE,
            )
            if isinstance(found, Gap):
                yield found.unread("aws_efs_mount_target", identifier, "security_groups")
            else:
                attributes["security_groups"] = found.get("SecurityGroups")
            yield LiveResource("aws_efs_mount_target", identifier, scope.region, attributes, identifier)

    yield from each(scope.pages("efs", "describe_file_systems", "FileSystems"), one)


def read_access_points(scope: Scope) -> Iterator[Finding]:
    """List access points."""
    for item in scope.pages("efs", "describe_access_points", "AccessPoints"):
        arn, tags = item["AccessPointArn"], tag_map(item.get("Tags"))
        attributes: dict[str, object] = {
            "file_system_id": item.get("FileSystemId"),
            "posix_user": blocks(item.get("PosixUser")),
            "root_directory": blocks(item.get("RootDirectory")),
            "tags": tags,
        }
        yield LiveResource("aws_efs_access_point", arn, scope.region, attributes, arn, tags=tags)


def read_streams(scope: Scope) -> Iterator[Finding]:
    """List streams, each with its consumers."""
    client = scope.client("kinesis")
    kind, consumer = "aws_kinesis_stream", "aws_kinesis_stream_consumer"

    def one(item: Item) -> Iterator[Finding]:
        name = item["StreamName"]
        reply = attempt("kinesis", lambda: client.describe_stream_summary(StreamName=name), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, item.get("StreamARN") or scope.arn("kinesis", f"stream/{name}"))
            return
        if not reply:
            return
        found = reply["StreamDescriptionSummary"]
        arn, mode = found["StreamARN"], (found.get("StreamModeDetails") or {}).get("StreamMode")
        metrics = [
            name for entry in found.get("EnhancedMonitoring") or () for name in entry.get("ShardLevelMetrics") or ()
        ]
        attributes: dict[str, object] = {
            "encryption_type": found.get("EncryptionType"),
            "kms_key_id": found.get("KeyId"),
            "retention_period": found.get("RetentionPeriodHours"),
            "shard_level_metrics": metrics,
            "stream_mode_details": [{"stream_mode": mode}],
        }
        if mode != "ON_DEMAND":  # otherwise the service opens and closes shards as it needs them
            attributes["shard_count"] = found.get("OpenShardCount")
        yield from tagged(
            scope, kind, arn, attributes, arn, lambda: tag_map(client.list_tags_for_stream(StreamName=name).get("Tags"))
        )
        for reader in scope.pages("kinesis", "list_stream_consumers", "Consumers", StreamARN=arn):
            key = reader["ConsumerARN"]
            yield LiveResource(consumer, key, scope.region, {"stream_arn": arn}, key)

    yield from each(({"StreamName": name} for name in scope.pages("kinesis", "list_streams", "StreamNames")), one)


def read_delivery_streams(scope: Scope) -> Iterator[Finding]:
    """List delivery streams; only the settings of S3 destinations are read."""
    client, kind = scope.client("firehose"), "aws_kinesis_firehose_delivery_stream"

    def one(item: Item) -> Iterator[Finding]:
        name = item["Name"]
        reply = attempt("firehose", lambda: client.describe_delivery_stream(DeliveryStreamName=name), *_GONE)
        if isinstance(reply, Gap):
            yield reply.unread(kind, scope.arn("firehose", f"deliverystream/{name}"))
            return
        if not reply:
            return
        found = reply["DeliveryStreamDescription"]
        arn = found["DeliveryStreamARN"]
        yield from tagged(
            scope,
            kind,
            arn,
            _delivery(found),
            arn,
            lambda: tag_map(client.list_tags_for_delivery_stream(DeliveryStreamName=name).get("Tags")),
        )

    yield from each(({"Name": name} for name in _delivery_names(scope)), one)


def _delivery_names(scope: Scope) -> Iterator[str]:
    """List all names; the call has no paginator. Source: Amazon Data Firehose API Reference, ListDeliveryStreams."""
    client = scope.client("firehose")
    start: dict[str, str] = {}
    while True:
        reply = client.list_delivery_streams(Limit=100, **start)
        names = reply["DeliveryStreamNames"]
        yield from names
        if not reply.get("HasMoreDeliveryStreams") or not names:
            return
        start = {"ExclusiveStartDeliveryStreamName": names[-1]}


def _delivery(found: Item) -> dict[str, object]:
    destination = (found.get("Destinations") or [{}])[0]
    encryption = found.get("DeliveryStreamEncryptionConfiguration") or {}
    source = (found.get("Source") or {}).get("KinesisStreamSourceDescription")
    attributes: dict[str, object] = {
        "kinesis_source_configuration": [
            {"kinesis_stream_arn": source.get("KinesisStreamARN"), "role_arn": source.get("RoleARN")}
        ] if source else [],
        "server_side_encryption": [
            {
                "enabled": encryption.get("Status") in {"ENABLED", "ENABLING"},
                "key_arn": encryption.get("KeyARN"),
                "key_type": encryption.get("KeyType"),
            }
        ],
    }  # fmt: skip
    extended = destination.get("ExtendedS3DestinationDescription")
    if extended:
        attributes["destination"] = "extended_s3"
        attributes["extended_s3_configuration"] = [_extended_s3(extended)]
    return attributes


def _extended_s3(item: Item) -> dict[str, object]:
    hints = item.get("BufferingHints") or {}
    encryption = (item.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}
    return {
        **in_snake(item, *_EXTENDED_S3),
        "buffering_interval": hints.get("IntervalInSeconds"),
        "buffering_size": hints.get("SizeInMBs"),
        "cloudwatch_logging_options": [inside_logging(item.get("CloudWatchLoggingOptions") or {})],
        "kms_key_arn": encryption.get("AWSKMSKeyARN"),
    }


def inside_logging(item: Item) -> dict[str, object]:
    """Write CloudWatch options as the provider does."""
    return inside(
        {
            "Enabled": item.get("Enabled"),
            "LogGroupName": item.get("LogGroupName"),
            "LogStreamName": item.get("LogStreamName"),
        }
    )


SERVICE = Service(
    "stores",
    (
        Listing(
            ("aws_efs_file_system", "aws_efs_file_system_policy"),
            read_file_systems,
            (
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeLifecycleConfiguration",
                "elasticfilesystem:DescribeFileSystemPolicy",
            ),
        ),
        Listing(
            ("aws_efs_mount_target",),
            read_mount_targets,
            (
                "elasticfilesystem:DescribeMountTargets",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeMountTargetSecurityGroups",
            ),
        ),
        Listing(("aws_efs_access_point",), read_access_points, ("elasticfilesystem:DescribeAccessPoints",)),
        Listing(
            ("aws_kinesis_stream", "aws_kinesis_stream_consumer"),
            read_streams,
            (
                "kinesis:ListStreams",
                "kinesis:DescribeStreamSummary",
                "kinesis:ListTagsForStream",
                "kinesis:ListStreamConsumers",
            ),
        ),
        Listing(
            ("aws_kinesis_firehose_delivery_stream",),
            read_delivery_streams,
            ("firehose:ListDeliveryStreams", "firehose:DescribeDeliveryStream", "firehose:ListTagsForDeliveryStream"),
        ),
    ),
)
