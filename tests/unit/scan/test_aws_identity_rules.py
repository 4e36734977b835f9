"""Rules for S3, IAM, KMS, Secrets Manager, SSM and Lambda: what each folds, and the real change it must still show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Declared, Parent
from functions.scan.domain.shapes import default_is, keyed, number, text
from functions.scan.readers.aws.base import Gap, attempt
from functions.scan.readers.aws.lambda_shapes import function_attributes, mapping_attributes, permission_attributes
from functions.scan.readers.aws.s3_settings import SETTINGS, Setting
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.iam import (
    expand_group_membership,
    expand_policy_attachment,
    expand_user_group_membership,
    inline_policies,
)
from functions.scan.types.aws.kms import key_id
from functions.scan.types.aws.lambda_ import permission_key, principal
from functions.scan.types.aws.s3 import day, json_list, keep_acl_or_grants, lifecycle_rules
from functions.scan.types.aws.ssm import keep_one_evidence

ROLE = "arn:aws:lambda:eu-west-1:123456789012:function:orders"


def paths(kind: str, state: dict[str, Any], live: dict[str, Any]) -> list[str]:
    return [change.path for change in changes(SPECS[kind], state, live)]


def setting(operation: str) -> Setting:
    return next(item for item in SETTINGS if item.operation == operation)


# --- shapes that all may use ---------------------------------------------------------------------------------------


def test_default_spelled_out_equals_default_left_out_and_nothing_else() -> None:
    shape = default_is(3600, number)
    assert shape(None) == shape("3600") == shape(3600)
    assert shape(3600) != shape(7200)


def test_named_blocks_compare_by_name_not_by_position() -> None:
    shape = keyed("id", {"status": text})
    one, two = {"id": "a", "status": "on"}, {"id": "b", "status": "off"}
    assert shape([one, two]) == shape([two, one])
    assert shape([one, two]) != shape([{**one, "status": "off"}, two])
    assert shape([one, two]) != shape([one])


# --- S3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        {"filter": [{"prefix": "logs/"}]},
        {"prefix": "logs/", "filter": []},
        {"filter": [{"prefix": "logs/", "and": [], "tag": []}]},
        {"filter": [{"and": [{"prefix": "logs/", "tags": {}}]}]},
    ],
)
def test_lifecycle_filter_spellings_are_one(rule: dict[str, object]) -> None:
    plain = lifecycle_rules([{"id": "x", "status": "Enabled", "filter": [{"prefix": "logs/"}]}])
    assert lifecycle_rules([{"id": "x", "status": "Enabled", **rule}]) == plain


@pytest.mark.parametrize(
    "rule",
    [
        {"filter": [{"prefix": ""}]},
        {"filter": [{"prefix": "log/"}]},
        {"filter": [{"tag": [{"key": "kind", "value": "log"}]}]},
        {"filter": [{"and": [{"prefix": "logs/", "tags": {"kind": "log"}}]}]},
        {"filter": [{"and": [{"prefix": "logs/", "object_size_greater_than": 1}]}]},
    ],
)
def test_lifecycle_filter_that_selects_other_objects_is_a_change(rule: dict[str, object]) -> None:
    plain = lifecycle_rules([{"id": "x", "status": "Enabled", "filter": [{"prefix": "logs/"}]}])
    assert lifecycle_rules([{"id": "x", "status": "Enabled", **rule}]) != plain


def test_lifecycle_filter_read_from_aws_equals_the_one_in_the_state() -> None:
    reply = {
        "Rules": [
            {
                "ID": "x",
                "Status": "Enabled",
                "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeLessThan": 9}},
                "Expiration": {"Date": datetime(2031, 1, 1, tzinfo=UTC)},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
            }
        ]
    }
    state = {
        "bucket": "b",
        "rule": [
            {
                "id": "x",
                "status": "Enabled",
                "filter": [{"and": [{"prefix": "a/", "tags": {"k": "v"}, "object_size_less_than": 9}]}],
                "expiration": [{"date": "2031-01-01T00:00:00Z", "days": 0, "expired_object_delete_marker": False}],
                "noncurrent_version_expiration": [{"noncurrent_days": 3, "newer_noncurrent_versions": 2}],
            }
        ],
    }
    kind = "aws_s3_bucket_lifecycle_configuration"
    live = setting("get_bucket_lifecycle_configuration").alone(reply)
    assert live is not None
    assert paths(kind, state, live) == []
    reply["Rules"][0]["NoncurrentVersionExpiration"] = {"NoncurrentDays": 3, "NewerNoncurrentVersions": 1}
    live = setting("get_bucket_lifecycle_configuration").alone(reply)
    assert live is not None
    assert paths(kind, state, live) == ["rule.x.noncurrent_version_expiration.newer_noncurrent_versions"]


def test_a_date_equals_its_midnight_and_no_other_day() -> None:
    assert day("2030-01-01") == day("2030-01-01T00:00:00Z")
    assert day("2030-01-01") != day("2030-01-02T00:00:00Z")


def test_routing_rules_ignore_empty_members_only() -> None:
    assert json_list('[{"Redirect": {"HostName": "a", "Protocol": ""}}]') == json_list(
        [{"Redirect": {"HostName": "a"}}]
    )
    assert json_list('[{"Redirect": {"HostName": "a"}}]') != json_list([{"Redirect": {"HostName": "b"}}])


def test_bucket_never_versioned_is_default_and_suspended_is_not() -> None:
    versioning = setting("get_bucket_versioning")
    assert versioning.is_default({})
    assert not versioning.is_default({"Status": "Suspended"})
    state = {"versioning_configuration": [{"status": "Enabled", "mfa_delete": ""}]}
    assert paths("aws_s3_bucket_versioning", state, versioning.alone({}) or {}) == ["versioning_configuration.status"]
    stricter = versioning.alone({"Status": "Enabled", "MFADelete": "Enabled"}) or {}
    assert paths("aws_s3_bucket_versioning", state, stricter) == ["versioning_configuration.mfa_delete"]


def test_public_access_block_is_quiet_only_when_all_four_agree() -> None:
    block = setting("get_public_access_block")
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    assert block.is_default({"PublicAccessBlockConfiguration": dict.fromkeys(names, True)})
    half = {**dict.fromkeys(names, True), "BlockPublicPolicy": False}
    assert not block.is_default({"PublicAccessBlockConfiguration": half})


def test_acl_of_the_owner_alone_is_default_and_one_more_grant_is_not() -> None:
    acl = setting("get_bucket_acl")
    owner = {"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "FULL_CONTROL"}
    everybody = {
        "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "READ",
    }
    assert acl.is_default({"Owner": {"ID": "o"}, "Grants": [owner]})
    assert not acl.is_default({"Owner": {"ID": "o"}, "Grants": [owner, everybody]})
    assert not acl.is_default({"Owner": {"ID": "other"}, "Grants": [owner]})


@pytest.mark.parametrize(
    ("granted", "name"),
    [
        (set(), "private"),
        ({"READ"}, "public-read"),
        ({"READ", "WRITE"}, "public-read-write"),
        ({"READ", "READ_ACP"}, "custom"),
        ({"WRITE"}, "custom"),
    ],
)
def test_canned_acl_is_named_by_exactly_what_it_grants(granted: set[str], name: str) -> None:
    owner = {"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "FULL_CONTROL"}
    everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    grants = [owner, *({"Grantee": everybody, "Permission": word} for word in granted)]
    read = setting("get_bucket_acl").inline["acl"]
    assert read({"Owner": {"ID": "o"}, "Grants": grants}) == name
    assert read({"Owner": {"ID": "other"}, "Grants": grants}) == "custom"


def test_access_list_is_compared_where_the_state_holds_it() -> None:
    def kept(acl: str | None, grant: list[object]) -> set[str]:
        (item,) = keep_acl_or_grants(Declared("b", "aws_s3_bucket", "b", {"acl": acl, "grant": grant}))
        return set(item.attributes)

    assert kept(None, [{"id": "o"}]) == kept("public-read", [{"id": "o"}]) == {"grant"}
    assert kept("public-read", []) == kept("private", []) == {"acl"}
    assert kept(None, []) == set()


def test_state_that_holds_only_a_canned_acl_shows_a_wider_one() -> None:
    assert paths("aws_s3_bucket", {"acl": "private"}, {"acl": "private"}) == []
    assert paths("aws_s3_bucket", {"acl": "bucket-owner-read"}, {"acl": "private"}) == []
    assert paths("aws_s3_bucket", {"acl": "public-read"}, {"acl": "public-read-write"}) == ["acl"]


def test_encryption_is_default_only_as_aws_sets_it() -> None:
    encryption = setting("get_bucket_encryption")

    def reply(**applied: str) -> dict[str, object]:
        return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": applied}]}}

    assert encryption.is_default(reply(SSEAlgorithm="AES256"))
    assert not encryption.is_default(reply(SSEAlgorithm="aws:kms", KMSMasterKeyID="arn:aws:kms:x"))


def test_eventbridge_delivery_shows_in_notifications() -> None:
    notification = setting("get_bucket_notification_configuration")
    assert notification.alone({}) is None
    assert (notification.alone({"EventBridgeConfiguration": {}}) or {})["eventbridge"] is True


# --- IAM -----------------------------------------------------------------------------------------------------------


def test_the_empty_inline_policy_block_means_none() -> None:
    assert inline_policies([{"name": "", "policy": ""}]) == inline_policies([]) == inline_policies(None)
    assert inline_policies([{"name": "", "policy": ""}]) != inline_policies([{"name": "a", "policy": "{}"}])


def test_policy_attachment_stands_for_each_principal_by_kind() -> None:
    entry = Declared(
        "aws_iam_policy_attachment.x",
        "aws_iam_policy_attachment",
        "x",
        {"policy_arn": "arn:p", "roles": ["same"], "users": ["same"], "groups": None},
    )
    found = list(expand_policy_attachment(entry))
    assert [(item.type, item.key) for item in found] == [
        ("aws_iam_role_policy_attachment", "same|arn:p"),
        ("aws_iam_user_policy_attachment", "same|arn:p"),
    ]
    assert found[0].parent == Parent("aws_iam_role", "same", "managed_policy_arns")
    assert all(item.address == entry.address for item in found)


def test_both_forms_of_membership_meet_on_user_and_group() -> None:
    by_group = Declared("a", "aws_iam_group_membership", "a", {"group": "ops", "users": ["ann", "bob"]})
    by_user = Declared("b", "aws_iam_user_group_membership", "b", {"user": "ann", "groups": ["ops"]})
    assert [item.key for item in expand_group_membership(by_group)] == ["ann|ops", "bob|ops"]
    assert [item.key for item in expand_user_group_membership(by_user)] == ["ann|ops"]


# --- KMS, SSM ------------------------------------------------------------------------------------------------------


def test_key_id_and_its_arn_are_one_key() -> None:
    assert key_id("arn:aws:kms:us-east-1:123456789012:key/1234") == key_id("1234")
    assert key_id("arn:aws:kms:us-east-1:123456789012:key/1234") != key_id("5678")


def evidence(**attributes: object) -> set[str]:
    entry = Declared("p", "aws_ssm_parameter", "p", {"version": 1, "value": "", "insecure_value": None, **attributes})
    (kept,) = keep_one_evidence(entry)
    return {"value", "insecure_value", "version"} & set(kept.attributes)


def test_parameter_value_is_compared_where_the_state_holds_it_else_the_version() -> None:
    assert evidence(type="String", value="a") == {"value"}
    assert evidence(type="String", insecure_value="a") == {"insecure_value"}
    assert evidence(type="SecureString", value="a") == {"version"}
    assert evidence(type="String", value=None) == {"version"}  # write-only


def test_white_space_in_a_parameter_counts() -> None:
    assert paths("aws_ssm_parameter", {"value": "a"}, {"value": "a "}) == ["value"]


# --- Lambda --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "qualifier", "key"),
    [
        ("orders", None, "orders||s"),
        ("orders", "live", "orders|live|s"),
        ("orders:live", None, "orders|live|s"),
        ("123456789012:function:orders", "", "orders||s"),
        (ROLE, None, f"{ROLE}||s"),
        (f"{ROLE}:live", None, f"{ROLE}|live|s"),
        (ROLE, "live", f"{ROLE}|live|s"),
    ],
)
def test_permission_key_knows_every_way_to_name_a_function(function: str, qualifier: str | None, key: str) -> None:
    assert permission_key({"function_name": function, "qualifier": qualifier, "statement_id": "s"}) == key


def test_permission_principal_account_equals_its_root_and_nothing_wider() -> None:
    assert principal("123456789012") == principal("arn:aws:iam::123456789012:root")
    assert principal("123456789012") != principal("*")
    assert principal("123456789012") != principal("arn:aws:iam::123456789012:role/x")


def test_permission_conditions_come_out_by_name_whatever_their_case() -> None:
    found = permission_attributes(
        {
            "Action": "lambda:InvokeFunctionUrl",
            "Principal": {"AWS": "*"},
            "Condition": {
                "StringEquals": {
                    "lambda:FunctionUrlAuthType": "NONE",
                    "AWS:SourceAccount": "1",
                    "aws:PrincipalOrgID": "o-1",
                    "lambda:EventSourceToken": "t",
                },
                "ArnLike": {"AWS:SourceArn": "arn:x"},
            },
        }
    )
    assert found == {
        "action": "lambda:InvokeFunctionUrl",
        "principal": "*",
        "source_arn": "arn:x",
        "source_account": "1",
        "principal_org_id": "o-1",
        "event_source_token": "t",
        "function_url_auth_type": "NONE",
    }


def test_no_reserved_concurrency_is_not_a_reservation_of_zero() -> None:
    kind = "aws_lambda_function"
    assert paths(kind, {"reserved_concurrent_executions": -1}, {"reserved_concurrent_executions": -1}) == []
    assert paths(kind, {"reserved_concurrent_executions": -1}, {"reserved_concurrent_executions": 0}) == [
        "reserved_concurrent_executions"
    ]


def test_function_settings_that_moto_keeps_to_itself_are_read() -> None:
    found = function_attributes(
        {
            "DeadLetterConfig": {"TargetArn": "arn:q"},
            "FileSystemConfigs": [{"Arn": "arn:f", "LocalMountPath": "/mnt/x"}],
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "g", "ApplicationLogLevel": "INFO"},
            "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"},
        }
    )
    state = {
        "dead_letter_config": [{"target_arn": "arn:q"}],
        "file_system_config": [{"arn": "arn:f", "local_mount_path": "/mnt/x"}],
        "logging_config": [
            {"log_format": "JSON", "log_group": "g", "application_log_level": "INFO", "system_log_level": ""}
        ],
        "snap_start": [{"apply_on": "PublishedVersions", "optimization_status": "On"}],
    }
    assert paths("aws_lambda_function", state, found) == []
    assert paths("aws_lambda_function", state, function_attributes({})) == sorted(state)


def test_a_mapping_in_between_two_states_says_nothing_of_its_switch() -> None:
    assert mapping_attributes({"State": "Disabling"})["enabled"] is False
    assert mapping_attributes({"State": "Enabled"})["enabled"] is True
    assert "enabled" not in mapping_attributes({"State": "Updating"})


# --- calls about one resource --------------------------------------------------------------------------------------


def failing(error: Exception) -> dict[str, object] | Gap:
    def call() -> dict[str, object]:
        raise error

    return attempt("s3", call, "NoSuchBucketPolicy")


def test_there_is_none_is_an_answer_and_a_denial_is_a_gap_with_its_permission() -> None:
    def error(code: str) -> ClientError:
        return ClientError({"Error": {"Code": code}}, "GetBucketEncryption")

    assert failing(error("NoSuchBucketPolicy")) == {}
    denied = failing(error("AccessDenied"))
    assert isinstance(denied, Gap)
    gap = denied.unread("aws_s3_bucket", "b", "policy")
    assert (gap.reason, gap.permission) == ("access_denied", "s3:GetEncryptionConfiguration")
    assert gap.attributes == ("policy",)
    lost = failing(EndpointConnectionError(endpoint_url="https://s3.example"))
    assert isinstance(lost, Gap)
    assert lost.reason == "unavailable"
