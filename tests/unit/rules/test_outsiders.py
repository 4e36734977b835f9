"""Who is let in from outside of the planner's own accounts and domains, and who is put out by an authoritative grant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import judge_change
from shared.rules.plan import Change, Plan

OWN = frozenset({"example.com"})


def _grant(kind: str, before: Any, after: Any, own: frozenset[str] = frozenset()) -> dict[str, str]:
    actions = ("create",) if before is None else ("delete",) if after is None else ("update",)
    change = Change(f"{kind}.x", kind, actions, before, after)
    return {item.flag: item.severity for item in reversed(judge_change(change, Plan((change,), own=own)))}


def _binding(*members: str) -> dict[str, Any]:
    return {"role": "roles/viewer", "members": list(members)}


@pytest.mark.parametrize(
    ("kind", "member", "own", "severity"),
    [
        ("google_project_iam_member", "user:a@elsewhere.org", OWN, "high"),
        ("google_storage_bucket_iam_member", "user:a@elsewhere.org", OWN, "medium"),
        ("google_storage_bucket_iam_member", "user:a@gmail.com", OWN, "high"),
        ("google_storage_bucket_iam_member", "user:a@gmail.com", frozenset[str](), "medium"),
        ("google_project_iam_member", "domain:elsewhere.org", OWN, "high"),
        ("google_project_iam_member", "user:a@example.com", OWN, None),
        ("google_project_iam_member", "user:a@elsewhere.org", frozenset[str](), None),
        ("google_project_iam_member", "serviceAccount:a@b.iam.gserviceaccount.com", OWN, None),
    ],
)
def test_a_member_of_another_domain_is_told_when_the_plan_shows_ones_own(
    kind: str, member: str, own: frozenset[str], severity: str | None
) -> None:
    assert _grant(kind, None, {"role": "roles/viewer", "member": member}, own).get("cross-account-trust") == severity


def test_a_domain_that_has_the_grant_already_is_ones_own() -> None:
    before = _binding("user:a@example.com")
    kind = "google_project_iam_binding"
    assert "cross-account-trust" not in _grant(kind, before, _binding("user:a@example.com", "user:b@example.com"))
    assert _grant(kind, before, _binding("user:a@example.com", "user:b@elsewhere.org"))["cross-account-trust"] == "high"


def test_an_authoritative_grant_puts_out_whom_it_does_not_name() -> None:
    binding, policy = "google_project_iam_binding", "google_project_iam_policy"
    one = {"policy_data": json.dumps({"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]})}
    assert _grant(binding, None, _binding("user:a@example.com"))["access-removed"] == "medium"
    assert _grant(policy, None, one)["access-removed"] == "high"
    assert _grant(policy, one, {"policy_data": json.dumps({"bindings": []})})["access-removed"] == "medium"
    assert _grant(policy, one, None)["access-removed"] == "high"
    assert _grant(binding, _binding("user:a@b.c", "user:d@b.c"), _binding("user:a@b.c"))["access-removed"] == "low"
    assert "access-removed" not in _grant(binding, _binding("user:a@b.c"), _binding("user:a@b.c", "user:d@b.c"))
    assert "access-removed" not in _grant("google_project_iam_member", None, {"role": "x", "member": "user:a@b.c"})


def _aws(principal: str, arn: str | None, *own: str) -> str | None:
    policy = json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3:GetObject", "Resource": "*"}]}
    )
    change = Change("aws_s3_bucket_policy.x", "aws_s3_bucket_policy", ("create",), None, {"policy": policy, "arn": arn})
    found = judge_change(change, Plan((change,), own=frozenset(own)))
    return next((item.severity for item in found if item.flag == "cross-account-trust"), None)


def test_an_account_is_an_outsider_by_what_the_plan_shows_as_ones_own() -> None:
    mine, other = "111111111111", "222222222222"
    assert _aws(other, None) == "medium"
    assert _aws(other, None, mine) == "high"
    assert _aws(mine, None, mine) is None
    assert _aws(other, f"arn:aws:s3::{mine}:x", mine, other) == "low"


def test_ones_own_is_read_from_the_state_before_the_plan_and_never_from_a_change() -> None:
    plan = {
        "format_version": "1.2", "resource_changes": [
            {"address": "aws_x.a", "type": "aws_x", "change": {"actions": ["no-op"], "before": {"arn": "arn:aws:x:::a"}, "after": {"arn": "arn:aws:x::333333333333:a"}}}
        ],
        "prior_state": {"values": {"root_module": {
            "resources": [
                {"mode": "data", "type": "aws_caller_identity", "values": {"account_id": "111111111111"}},
                {"mode": "managed", "type": "aws_sns_topic", "values": {"arn": "arn:aws:sns:us-east-1:222222222222:x"}},
                {"mode": "managed", "type": "aws_ram_resource_share_accepter", "values": {"arn": "arn:aws:ram:us-east-1:444444444444:x"}},
                {"mode": "data", "type": "aws_iam_role", "values": {"arn": "arn:aws:iam::555555555555:role/x"}},
                {"mode": "data", "type": "google_client_openid_userinfo", "values": {"email": "ci@Example.com"}}, 7, {"values": 5},
            ],
            "child_modules": [{"resources": [{"mode": "data", "type": "google_organization", "values": {"domain": "example.org"}}]}, None],
        }}},
    }  # fmt: skip
    assert read_plan(plan).own == {"111111111111", "222222222222", "example.com", "example.org"}
