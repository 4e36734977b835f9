"""The store of Terraform's state, the lock on it and the role of its pipeline are known, and nothing else is taken for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.rules.engine import judge_change, judge_plan
from shared.rules.plan import Change, Plan

FLAG = "delivery-chain-change"


def _touch(kind: str, before: Any, after: Any) -> str | None:
    actions = ("create",) if before is None else ("delete",) if after is None else ("update",)
    change = Change(f"{kind}.x", kind, actions, before, after)
    return next((item.severity for item in judge_change(change, Plan((change,))) if item.flag == FLAG), None)


@pytest.mark.parametrize(
    ("kind", "name", "is_state"),
    [
        ("aws_s3_bucket", "shop-terraform-state", True), ("aws_s3_bucket", "tfstate-123456789012", True), ("aws_s3_bucket", "tf-state", True),
        ("aws_s3_bucket", "shop.tf-remote-state.eu", True), ("google_storage_bucket", "shop-tofu-state", True), ("azurerm_storage_container", "tfstate", True),
        ("aws_s3_bucket", "state-of-the-art", False), ("aws_s3_bucket", "real-estate", False), ("aws_s3_bucket", "shop-orders", False), ("aws_s3_bucket", "statements", False),
        ("google_storage_bucket", "platform-statistics", False),
    ],
)  # fmt: skip
def test_a_store_of_state_is_known_by_its_name(kind: str, name: str, is_state: bool) -> None:
    before = {"bucket": name, "name": name, "acl": "private"}
    assert _touch(kind, before, {**before, "acl": "x"}) == ("medium" if is_state else None)
    assert _touch(kind, before, None) == ("high" if is_state else None)
    assert _touch(kind, before, {**before, "tags": {"a": "b"}}) == ("low" if is_state else None)
    assert _touch(kind, None, before) is None, "a new one is nobody's yet"


def test_a_table_locks_states_when_its_key_says_so() -> None:
    lock, other = {"name": "x", "hash_key": "LockID"}, {"name": "terraform", "hash_key": "id"}
    assert _touch("aws_dynamodb_table", lock, None) == "high"
    assert _touch("aws_dynamodb_table", other, None) is None


def _role(principal: dict[str, str], **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": principal}
    return {"name": "x", "assume_role_policy": json.dumps({"Statement": [statement]}), **more}


GITHUB = {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}


def test_a_role_is_a_pipelines_when_it_trusts_one_and_its_rights_belong_to_it() -> None:
    pipeline, machine = _role(GITHUB), _role({"Service": "ec2.amazonaws.com"})
    assert _touch("aws_iam_role", pipeline, {**pipeline, "max_session_duration": 7200}) == "medium"
    assert _touch("aws_iam_role", machine, {**machine, "max_session_duration": 7200}) is None
    rights = Change("aws_iam_role_policy.p", "aws_iam_role_policy", ("delete",), {"policy": "{}"}, None)
    references = {rights.address: {"role": frozenset({"aws_iam_role.r"})}}
    for document, expected in ((pipeline, "high"), (machine, None)):
        role = Change("aws_iam_role.r", "aws_iam_role", ("no-op",), document, document)
        found = judge_plan(Plan((role, rights), references=references)).findings
        assert next((item.severity for item in found if item.flag == FLAG), None) == expected


@pytest.mark.parametrize(
    ("kind", "before", "after", "is_major"),
    [
        ("aws_db_instance", {"engine": "postgres", "engine_version": "14.10"}, {"engine_version": "16.3"}, True),
        ("aws_db_instance", {"engine": "postgres", "engine_version": "14.9"}, {"engine_version": "14.10"}, False),
        ("aws_db_instance", {"engine": "postgres", "engine_version": "9.5"}, {"engine_version": "9.6"}, True),
        ("aws_db_instance", {"engine": "mysql", "engine_version": "8.0.35"}, {"engine_version": "8.4.3"}, True),
        ("aws_db_instance", {"engine": "mysql", "engine_version": "8.0.35"}, {"engine_version": "8.0.36"}, False),
        ("aws_rds_cluster", {"engine": "aurora-mysql", "engine_version": "5.7.mysql_aurora.2.11"}, {"engine_version": "8.0.mysql_aurora.3.04"}, True),
        ("google_sql_database_instance", {"database_version": "POSTGRES_14"}, {"database_version": "POSTGRES_15"}, True),
        ("google_sql_database_instance", {"database_version": "MYSQL_8_0_35"}, {"database_version": "MYSQL_8_0_36"}, False),
        ("azurerm_mysql_flexible_server", {"version": "5.7"}, {"version": "8.0.21"}, True),
        ("azurerm_postgresql_flexible_server", {"version": "15"}, {"version": "16"}, True),
        ("aws_eks_cluster", {"version": "1.29"}, {"version": "1.30"}, True),
        ("azurerm_kubernetes_cluster", {"kubernetes_version": "1.29.2"}, {"kubernetes_version": "1.29.4"}, False),
        ("google_container_cluster", {"min_master_version": "1.29"}, {"min_master_version": "latest"}, False),
        ("aws_opensearch_domain", {"engine_version": "OpenSearch_1.3"}, {"engine_version": "OpenSearch_2.11"}, True),
    ],
)  # fmt: skip
def test_another_major_version_is_told_by_what_the_engine_calls_one(
    kind: str, before: Any, after: Any, is_major: bool
) -> None:
    change = Change(f"{kind}.x", kind, ("update",), before, {**before, **after})
    assert ("engine-major" in {item.rule for item in judge_change(change, Plan((change,)))}) is is_major
