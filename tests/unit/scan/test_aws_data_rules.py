"""What the shapes of data and management types make equal, and beside each the real change that it must not hide."""

from __future__ import annotations

from typing import Any

import pytest

from functions.scan.readers.aws.base import Scope
from functions.scan.readers.aws.brokers import read_configurations
from functions.scan.readers.aws.ecs import read_clusters
from functions.scan.readers.aws.forms import blocks, snake
from functions.scan.types.aws import SPECS

_ALL_EVENTS = {"read_write_type": "All", "include_management_events": True}
_RECORDS_ALL = {"all_supported": True, "include_global_resource_types": True}
_S3 = {"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}

# (attribute, one spelling, another spelling of the same, a real change)
RULES: list[tuple[str, Any, Any, Any]] = [
    ("aws_cloudtrail.event_selector", [], [_ALL_EVENTS], [{**_ALL_EVENTS, "read_write_type": "WriteOnly"}]),
    ("aws_cloudtrail.event_selector", None, [_ALL_EVENTS], [{**_ALL_EVENTS, "include_management_events": False}]),
    ("aws_cloudtrail.event_selector", None, [_ALL_EVENTS], [{**_ALL_EVENTS, "data_resource": [_S3]}]),
    ("aws_cloudtrail.event_selector", None, [_ALL_EVENTS], [{**_ALL_EVENTS, "exclude_management_event_sources": ["kms.amazonaws.com"]}]),
    ("aws_cloudtrail.cloud_watch_logs_group_arn", "arn:x:log-group:a", "arn:x:log-group:a:*", "arn:x:log-group:b:*"),
    (
        "aws_config_configuration_recorder.recording_group", [_RECORDS_ALL],
        [{**_RECORDS_ALL, "recording_strategy": [{"use_only": "ALL_SUPPORTED_RESOURCE_TYPES"}]}],
        [{**_RECORDS_ALL, "recording_strategy": [{"use_only": "EXCLUSION_BY_RESOURCE_TYPES"}]}],
    ),
    ("aws_config_config_rule.input_parameters", '{"a": "1"}', '{ "a":"1" }', '{"a": "2"}'),
    (
        "aws_efs_file_system.lifecycle_policy", [{"transition_to_ia": "AFTER_7_DAYS", "transition_to_archive": "AFTER_90_DAYS"}],
        [{"transition_to_archive": "AFTER_90_DAYS"}, {"transition_to_ia": "AFTER_7_DAYS"}], [{"transition_to_ia": "AFTER_7_DAYS"}],
    ),
    (
        "aws_efs_access_point.root_directory", [{"path": "/", "creation_info": [{"owner_uid": 1, "owner_gid": 1, "permissions": "755"}]}],
        [{"path": "/", "creation_info": [{"owner_uid": 1, "owner_gid": 1, "permissions": "0755"}]}],
        [{"path": "/", "creation_info": [{"owner_uid": 1, "owner_gid": 1, "permissions": "0777"}]}],
    ),
    ("aws_kinesis_stream.kms_key_id", "alias/aws/kinesis", "arn:aws:kms:us-east-1:1:alias/aws/kinesis", "arn:aws:kms:us-east-1:1:alias/other"),
    ("aws_kinesis_stream.retention_period", 24, None, 8760),
    ("aws_eks_cluster.vpc_config", [{"public_access_cidrs": []}], [{"public_access_cidrs": ["0.0.0.0/0"]}], [{"public_access_cidrs": ["10.0.0.0/8"]}]),
    ("aws_eks_cluster.enabled_cluster_log_types", ["api", "audit"], ["audit", "api"], ["api"]),
    ("aws_scheduler_schedule.target", [{"input": '{"a":1}'}], [{"input": '{ "a": 1 }'}], [{"input": '{"a":2}'}]),
    ("aws_scheduler_schedule.target", [{"arn": "a"}], [{"arn": "a", "retry_policy": [{"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185}]}],
     [{"arn": "a", "retry_policy": [{"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 0}]}]),
    ("aws_glue_catalog_table.parameters", {"a": "1"}, {"a": "1", "recordCount": "9"}, {"a": "1", "EXTERNAL": "TRUE"}),
    ("aws_glue_crawler.role", "service", "arn:aws:iam::123456789012:role/service", "arn:aws:iam::123456789012:role/other"),
    ("aws_glue_catalog_database.location_uri", "s3://lake/a", "s3://lake/a/", "s3://evil/a/"),
    ("aws_glue_connection.connection_properties", {"USERNAME": "a", "PASSWORD": "b"}, {"USERNAME": "a"}, {"USERNAME": "c"}),
    ("aws_mq_broker.engine_type", "ActiveMQ", "ACTIVEMQ", "RABBITMQ"),
    ("aws_rds_cluster.preferred_maintenance_window", "Sun:05:00-Sun:06:00", "sun:05:00-sun:06:00", "mon:05:00-mon:06:00"),
    ("aws_rds_cluster.engine_mode", "provisioned", "", "serverless"),
    ("aws_backup_plan.rule", [{"rule_name": "a", "start_window": 60, "completion_window": 180}], [{"rule_name": "a"}], [{"rule_name": "a", "lifecycle": [{"delete_after": 1}]}]),
    ("aws_cognito_user_pool_client.callback_urls", ["https://a", "https://b"], ["https://b", "https://a"], ["https://a", "https://evil"]),
    ("aws_cognito_user_pool.deletion_protection", "INACTIVE", None, "ACTIVE"),
    ("aws_organizations_policy.content", '{"Statement": [{"Effect": "Deny", "Action": "A:B"}]}', {"Statement": {"Effect": "Deny", "Action": ["a:b"]}}, '{"Statement": []}'),
    ("aws_ecr_registry_scanning_configuration.scan_type", "BASIC", None, "ENHANCED"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "one", "other", "changed"), RULES)
def test_another_spelling_is_no_drift_and_a_change_is(name: str, one: Any, other: Any, changed: Any) -> None:
    kind, _, attribute = name.partition(".")
    shape = SPECS[kind].shapes[attribute]
    assert shape(one) == shape(other)
    assert shape(changed) != shape(one)


class _Client:
    """A client that answers with what the test gives it."""

    def __init__(self, **replies: Any) -> None:
        self._replies = replies

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Any:
        return lambda **_arguments: self._replies[operation]


def _scope(client: _Client) -> Scope:
    return Scope("123456789012", "us-east-1", "aws", lambda _service: client)


@pytest.mark.parametrize(
    ("name", "is_made"),
    [
        ("AWSBatch-main-1c8f5e7a-0e4b-4f4e-9c2a-000000000001", True),
        ("main_Batch_1c8f5e7a-0e4b-4f4e-9c2a-000000000001", True),
        ("nightly_Batch_jobs", False),
        ("AWSBatch-main", False),
        ("1c8f5e7a-0e4b-4f4e-9c2a-000000000001", False),
    ],
)
def test_a_cluster_that_batch_keeps_is_nobodys_surprise_and_any_other_is(name: str, is_made: bool) -> None:
    cluster = {"clusterName": name, "clusterArn": f"arn:x:cluster/{name}", "status": "ACTIVE"}
    client = _Client(list_clusters={"clusterArns": ["a"]}, describe_clusters={"clusters": [cluster]})
    (found,) = read_clusters(_scope(client))
    assert getattr(found, "cloud_made") is is_made  # noqa: B009


@pytest.mark.parametrize(
    ("name", "description", "is_made"),
    [
        ("orders-configuration", "Auto-generated default for orders-configuration on ActiveMQ 5.17.6", True),
        ("orders-configuration", "Opened for everybody", False),
        ("orders", "Auto-generated default for orders on ActiveMQ 5.17.6", False),
    ],
)
def test_a_configuration_that_came_with_its_broker_is_told_from_one_that_somebody_wrote(
    name: str, description: str, is_made: bool
) -> None:
    item = {"Arn": "arn:x", "Name": name, "LatestRevision": {"Description": description}}
    (found,) = read_configurations(_scope(_Client(list_configurations={"Configurations": [item]})))
    assert getattr(found, "cloud_made") is is_made  # noqa: B009


def test_members_are_written_as_the_provider_does() -> None:
    assert [snake(name) for name in ("KmsKeyId", "kmsKeyId", "BucketARN", "S3BackupMode", "endpointPublicAccess")] == [
        "kms_key_id", "kms_key_id", "bucket_arn", "s3_backup_mode", "endpoint_public_access",
    ]  # fmt: skip
    assert blocks({"A": {"BC": 1}, "Parameters": {"Free": {"x": 1}}}, frozenset({"Parameters"})) == [
        {"a": [{"bc": 1}], "parameters": {"Free": {"x": 1}}}
    ]
