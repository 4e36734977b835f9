"""Each family fires on the worsening, says nothing about the way back or about nothing, and calls the unknown unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.rules.engine import ALL_RULES, judge_change, judge_plan
from shared.rules.plan import Change, Plan
from shared.rules.rule import CUSTOM, FLAGS
from shared.rules.values import UNKNOWN

ME, OTHER = "111111111111", "222222222222"
GONE = object()


def change(kind: str, before: Any, after: Any, **more: Any) -> Change:
    actions = ("create",) if before is None else ("delete",) if after is None else ("update",)
    return Change(f"{kind}.x", kind, more.pop("actions", actions), before, after, **more)


def flags(item: Change, *others: Change) -> dict[str, str]:
    return {found.flag: found.severity for found in reversed(judge_change(item, Plan((item, *others))))}


def allow(action: Any = "s3:GetObject", resource: Any = "arn:aws:s3:::a/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: Any, name: str = "policy", **more: Any) -> dict[str, Any]:
    return {name: json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), **more}


def ingress(
    *cidrs: str, low: Any = 22, high: Any = None, protocol: str = "tcp", six: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {"ingress": [{"protocol": protocol, "from_port": low, "to_port": low if high is None else high,
                         "cidr_blocks": list(cidrs), "ipv6_cidr_blocks": list(six)}]}  # fmt: skip


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}, name="assume_role_policy",
                  arn=f"arn:aws:iam::{ME}:role/x")  # fmt: skip


SG, POLICY, ROLE, BUCKET = "aws_security_group", "aws_iam_policy", "aws_iam_role", "aws_s3_bucket_policy"
OFFICE = ingress("203.0.113.0/24")
READ = policy(allow())
GITHUB = {"Federated": f"arn:aws:iam::{ME}:oidc-provider/token.actions.githubusercontent.com"}
SUB = "token.actions.githubusercontent.com:sub"
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
PUBLIC = policy(allow(Principal="*"))
NAMED = policy(allow(Principal={"AWS": f"arn:aws:iam::{ME}:root"}), arn=f"arn:aws:s3::{ME}:x")

# (type, before, after, flag, severity): the way there is flagged so, the way back is not flagged with that flag at all
WORSENING: list[tuple[str, Any, Any, str, str]] = [
    (SG, OFFICE, ingress("0.0.0.0/0"), "public-ingress", "critical"),
    (SG, OFFICE, ingress("0.0.0.0/1", "128.0.0.0/1"), "public-ingress", "critical"),
    (SG, OFFICE, ingress(six=("::/0",)), "public-ingress", "critical"),
    (SG, OFFICE, ingress(six=("2000::/3",)), "public-ingress", "critical"),
    (SG, ingress("0.0.0.0/0", low=443), ingress("0.0.0.0/0", low=443, high=5432), "public-ingress", "critical"),
    (SG, OFFICE, ingress("0.0.0.0/0", low=443), "public-ingress", "medium"),
    (SG, OFFICE, ingress("0.0.0.0/0", low=8443), "public-ingress", "high"),
    (SG, OFFICE, ingress("0.0.0.0/0", low=0, high=0, protocol="-1"), "public-ingress", "critical"),
    (SG, OFFICE, ingress("0.0.0.0/0", low=-1, protocol="icmp"), "public-ingress", "low"),
    (SG, ingress("8.8.8.0/25"), ingress("8.8.8.0/24"), "public-ingress", "medium"),
    ("aws_security_group_rule", {"type": "ingress", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]},
     {"type": "ingress", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}, "public-ingress", "critical"),
    ("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "10.0.0.0/8", "ip_protocol": "-1"}, {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}, "public-ingress", "critical"),
    ("aws_network_acl_rule", {"egress": False, "rule_action": "deny", "protocol": "6", "from_port": 22, "to_port": 22, "cidr_block": "0.0.0.0/0"},
     {"egress": False, "rule_action": "allow", "protocol": "6", "from_port": 22, "to_port": 22, "cidr_block": "0.0.0.0/0"}, "public-ingress", "critical"),
    ("aws_db_instance", {"publicly_accessible": False}, {"publicly_accessible": True}, "public-access", "high"),
    ("aws_cognito_identity_pool", {"allow_unauthenticated_identities": False}, {"allow_unauthenticated_identities": True}, "public-access", "high"),
    ("aws_cognito_user_pool", {"mfa_configuration": "ON"}, {"mfa_configuration": "OFF"}, "protection-disabled", "high"),
    ("aws_cognito_user_pool", {"password_policy": [{"minimum_length": 12}]}, {"password_policy": [{"minimum_length": 6}]}, "protection-disabled", "medium"),
    ("aws_backup_vault_lock_configuration", {"min_retention_days": 30}, {"min_retention_days": 1}, "protection-disabled", "high"),
    ("aws_kinesis_stream", {"retention_period": 48}, {"retention_period": 24}, "protection-disabled", "medium"),
    ("aws_db_proxy", {"require_tls": True}, {"require_tls": False}, "encryption-disabled", "high"),
    ("aws_s3_bucket_public_access_block", {"block_public_policy": True}, {"block_public_policy": False}, "public-access", "high"),
    ("aws_s3_bucket_acl", {"acl": "private"}, {"acl": "public-read"}, "public-access", "critical"),
    ("aws_lambda_function_url", {"authorization_type": "AWS_IAM"}, {"authorization_type": "NONE"}, "public-access", "high"),
    ("aws_eks_cluster", {"vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": ["203.0.113.0/24"]}]},
     {"vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": ["0.0.0.0/0"]}]}, "public-access", "high"),
    (BUCKET, NAMED, PUBLIC, "public-access", "critical"),
    (BUCKET, policy(allow(Principal="*", Condition=ORG)), PUBLIC, "public-access", "critical"),
    (BUCKET, policy(allow(Principal="*", Condition=ORG)), policy(allow(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}})), "public-access", "critical"),
    (BUCKET, NAMED, policy(allow(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}), arn=f"arn:aws:s3::{ME}:x"), "cross-account-trust", "high"),
    ("aws_lambda_permission", {"principal": "s3.amazonaws.com"}, {"principal": "*"}, "public-access", "critical"),
    (POLICY, READ, policy(allow("*", "*")), "iam-wildcard", "critical"),
    (POLICY, READ, policy(allow(["s3:GetObject", "iam:*"], ["*"])), "iam-wildcard", "high"),
    (POLICY, READ, policy(allow("cloudwatch:*", "*")), "iam-wildcard", "medium"),
    (POLICY, READ, policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), "iam-wildcard", "high"),
    (POLICY, READ, policy(allow("*", "*", Condition=ORG)), "iam-wildcard", "high"),
    (POLICY, READ, policy({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"}), "iam-wildcard", "critical"),
    (POLICY, policy(allow("ec2:RunInstances", "*")), policy(allow(["ec2:RunInstances", "iam:PassRole"], "*")), "iam-privilege-escalation", "high"),
    (POLICY, policy(allow("ec2:RunInstances", "*")), policy(allow("ec2:RunInstances", "*"), allow("iam:PassRole", f"arn:aws:iam::{ME}:role/app")), "iam-privilege-escalation", "medium"),
    (POLICY, READ, policy(allow("iam:Create*", "*")), "iam-privilege-escalation", "high"),
    (POLICY, policy(allow("sts:AssumeRole", f"arn:aws:iam::{ME}:role/app")), policy(allow("sts:AssumeRole", "*")), "iam-privilege-escalation", "high"),
    (POLICY, policy(allow(), {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}), READ, "protection-disabled", "high"),
    ("aws_iam_role_policy_attachment", {"policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "iam-wildcard", "critical"),
    (ROLE, trust({"Service": "ec2.amazonaws.com"}), trust({"AWS": OTHER}), "cross-account-trust", "high"),
    (ROLE, trust({"Service": "ec2.amazonaws.com"}), trust({"AWS": "*"}), "public-access", "critical"),
    (ROLE, trust({"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "x"}}), trust({"AWS": OTHER}), "cross-account-trust", "high"),
    (ROLE, trust(GITHUB, Condition={"StringLike": {SUB: "repo:shop/infra:*"}}), trust(GITHUB), "cross-account-trust", "high"),
    ("aws_db_instance", {"storage_encrypted": True}, {"storage_encrypted": False}, "encryption-disabled", "high"),
    ("aws_ebs_volume", {"kms_key_id": "arn:aws:kms:x"}, {"kms_key_id": None}, "encryption-disabled", "medium"),
    ("aws_lb_listener", {"protocol": "HTTPS"}, {"protocol": "HTTP"}, "encryption-disabled", "high"),
    ("aws_db_instance", {"deletion_protection": True}, {"deletion_protection": False}, "protection-disabled", "high"),
    ("aws_db_instance", {"deletion_protection": True}, {"deletion_protection": None}, "protection-disabled", "high"),
    ("aws_db_instance", {"backup_retention_period": 7}, {"backup_retention_period": 0}, "protection-disabled", "high"),
    ("aws_db_instance", {"backup_retention_period": 7}, {"backup_retention_period": 3}, "protection-disabled", "medium"),
    ("aws_s3_bucket_versioning", {"versioning_configuration": [{"status": "Enabled"}]}, {"versioning_configuration": [{"status": "Suspended"}]}, "protection-disabled", "high"),
    ("aws_instance", {"metadata_options": [{"http_tokens": "required"}]}, {"metadata_options": [{"http_tokens": "optional"}]}, "protection-disabled", "high"),
    ("aws_kms_key", {"is_enabled": True}, {"is_enabled": False}, "key-destruction", "high"),
    ("aws_kms_key", policy(allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ME}:root"}), arn=f"arn:aws:kms:x:{ME}:key/x"),
     policy(allow("kms:Encrypt", "*", Principal={"AWS": f"arn:aws:iam::{ME}:root"}), arn=f"arn:aws:kms:x:{ME}:key/x"), "key-destruction", "high"),
    ("aws_cloudtrail", {"enable_logging": True}, {"enable_logging": False}, "audit-disabled", "critical"),
    ("aws_cloudwatch_log_group", {"retention_in_days": 0}, {"retention_in_days": 7}, "audit-disabled", "medium"),
    ("aws_eks_cluster", {"enabled_cluster_log_types": ["audit"]}, {"enabled_cluster_log_types": []}, "audit-disabled", "medium"),
    ("aws_db_instance", {"multi_az": True}, {"multi_az": False}, "capacity-reduction", "high"),
    ("aws_db_instance", {"instance_class": "db.r6g.2xlarge"}, {"instance_class": "db.r6g.large"}, "capacity-reduction", "medium"),
    ("aws_ecs_service", {"desired_count": 3}, {"desired_count": 0}, "capacity-reduction", "high"),
    ("aws_route_table", {"route": [{"cidr_block": "10.1.0.0/16"}, {"cidr_block": "0.0.0.0/0"}]}, {"route": [{"cidr_block": "10.1.0.0/16"}]}, "network-reachability", "high"),
    ("google_project_iam_binding", {"role": "roles/viewer", "members": ["user:a@b.c"]}, {"role": "roles/viewer", "members": ["user:a@b.c", "allUsers"]}, "public-access", "critical"),
    ("google_project_iam_policy", {"policy_data": json.dumps({"bindings": []})}, {"policy_data": json.dumps({"bindings": [{"role": "roles/owner", "members": ["user:a@b.c"]}]})}, "iam-wildcard", "critical"),
    ("google_compute_firewall", {"allow": [{"protocol": "tcp", "ports": ["22"]}], "source_ranges": None, "source_tags": ["bastion"]},
     {"allow": [{"protocol": "tcp", "ports": ["22"]}], "source_ranges": None, "source_tags": None}, "public-ingress", "critical"),
    ("azurerm_network_security_group", {"security_rule": []}, {"security_rule": [{"access": "Allow", "direction": "Inbound", "protocol": "*", "source_address_prefix": "*", "destination_port_range": "*"}]}, "public-ingress", "critical"),
    ("azurerm_role_definition", {"permissions": [{"actions": ["Microsoft.Compute/*"]}]}, {"permissions": [{"actions": ["Microsoft.Compute/*", "Microsoft.Authorization/*"]}]}, "iam-privilege-escalation", "high"),
]  # fmt: skip
_IDS = [f"{kind}-{flag}-{number}" for number, (kind, _, _, flag, _) in enumerate(WORSENING)]


@pytest.mark.parametrize(("kind", "before", "after", "flag", "severity"), WORSENING, ids=_IDS)
def test_a_worsening_is_flagged_and_its_way_back_and_a_standstill_are_not(
    kind: str, before: Any, after: Any, flag: str, severity: str
) -> None:
    assert flags(change(kind, before, after)).get(flag) == severity
    if flag != "cross-account-trust" or kind != ROLE:
        assert flag not in flags(change(kind, after, before)), "tightening is never flagged"
    assert flags(change(kind, after, after)).get(flag) in {None, "low"}, "what stays exposed is noted at low, at most"
    assert judge_plan(Plan((change(kind, after, after, actions=("no-op",)),))).findings == ()


@pytest.mark.parametrize(("kind", "before", "after", "flag", "severity"), WORSENING, ids=_IDS)
def test_an_unknown_value_is_never_safe(kind: str, before: Any, after: Any, flag: str, severity: str) -> None:
    pending = {name: UNKNOWN if value != before.get(name) else value for name, value in after.items()}
    found = flags(change(kind, before, pending))
    assert "unknown-value" in found or flag in {"protection-disabled", "network-reachability"}, found


def test_a_policy_in_another_spelling_is_no_finding() -> None:
    one = policy(allow(["s3:GetObject"], "*"), {"Effect": "Allow", "Action": "iam:*", "Resource": "*"})
    other = {"policy": json.dumps({"Statement": [allow("IAM:*", ["*"]), allow("S3:GetObject", ["*"])]}, indent=4)}
    assert flags(change(POLICY, one, other)) == {}


def test_trust_of_any_repository_is_critical_and_of_one_medium() -> None:
    def to(subject: str) -> dict[str, str]:
        return flags(change(ROLE, trust({"Service": "x"}), trust(GITHUB, Condition={"StringLike": {SUB: subject}})))

    assert to("repo:*") == {"cross-account-trust": "critical"}
    assert to("repo:shop/infra:ref:refs/heads/main") == {"cross-account-trust": "medium"}


@pytest.mark.parametrize(
    ("was", "will", "severity"),
    [
        ({"StringLike": {SUB: "repo:shop/infra:ref:refs/heads/main"}}, {"StringLike": {SUB: "repo:shop/*:*"}}, "critical"),
        ({"StringEquals": {SUB: "repo:shop/infra:ref:refs/heads/main"}}, {"StringEquals": {SUB: "repo:other/infra:ref:refs/heads/main"}}, "medium"),
        ({"StringLike": {SUB: "repo:shop/infra:*"}}, {"StringLike": {SUB: "repo:shop/infra:ref:refs/heads/main"}}, None),
        ({"StringLike": {SUB: "repo:shop/infra:*"}}, {"StringEquals": {SUB: "repo:shop/infra:ref:refs/heads/main"}}, None),
        ({"StringEquals": {SUB: ["a", "b"]}}, {"StringEquals": {SUB: "b"}}, None),
        ({"StringEquals": {SUB: "repo:*"}}, {"StringLike": {SUB: "repo:*"}}, "critical"),
        ({"StringNotLike": {SUB: "repo:bad/*"}}, {"StringNotLike": {SUB: "repo:bad/infra"}}, "medium"),
        ({"StringLike": {SUB: "repo:shop/infra:*"}}, {"StringLike": {SUB: "repo:shop/infra:*"}, "Bool": {"x": "y"}}, None),
    ],
)  # fmt: skip
def test_a_condition_with_other_values_is_wider_unless_it_lets_through_nothing_new(
    was: Any, will: Any, severity: str | None
) -> None:
    before, after = trust(GITHUB, Condition=was), trust(GITHUB, Condition=will)
    assert flags(change(ROLE, before, after)).get("cross-account-trust") == severity


def test_every_organisation_is_no_organisation() -> None:
    everyone = policy(allow(Principal="*", Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}))
    one = policy(allow(Principal="*", Condition=ORG))
    assert flags(change(BUCKET, one, everyone)) == {"public-access": "critical"}


def test_destruction_of_data_weighs_more_than_of_anything_else_and_a_snapshot_less() -> None:
    assert flags(change("aws_db_instance", {}, None)) == {"stateful-resource-destruction": "critical"}
    kept = {"skip_final_snapshot": False, "final_snapshot_identifier": "last"}
    assert flags(change("aws_db_instance", kept, None)) == {"stateful-resource-destruction": "high"}
    assert flags(change("aws_sns_topic", {}, None)) == {"resource-deletion": "medium"}
    assert flags(change("aws_vpc", {}, None)) == {"resource-deletion": "critical"}
    assert flags(change("aws_sns_topic", {}, None, actions=("forget",))) == {"resource-deletion": "low"}


@pytest.mark.parametrize(("actions", "severity"), [(("delete", "create"), "medium"), (("create", "delete"), "low")])
def test_a_replacement_is_read_from_the_plan_with_its_causes(actions: tuple[str, ...], severity: str) -> None:
    item = change(
        "aws_sns_topic",
        {"name": "a"},
        {"name": "b"},
        actions=actions,
        replace_paths=(("name",),),
        reason="replace_by_request",
    )
    (found,) = judge_change(item, Plan((item,)))
    assert (found.flag, found.severity) == ("forced-replacement", severity)
    assert [(seen.path, seen.before, seen.after) for seen in found.evidence] == [("name", "a", "b")]
    assert "-replace" in found.note


def test_the_blast_radius_is_counted_and_raises_the_severity() -> None:
    topic = change("aws_sns_topic", {}, None)
    users = tuple(Change(f"aws_x.u{n}", "aws_x", ("no-op",), {}, {}) for n in range(10))
    references = {user.address: {"topic": frozenset({topic.address})} for user in users}
    (found,) = judge_change(topic, Plan((topic, *users), references=references))
    assert found.severity == "high"
    assert "10 depend on it" in found.note


def test_the_whole_way_from_the_internet_is_followed() -> None:
    def at(address: str, after: Any, actions: tuple[str, ...] = ("no-op",)) -> Change:
        return Change(address, address.split(".", 1)[0], actions, after, after)

    group = Change("aws_security_group.web", SG, ("update",), OFFICE, ingress("0.0.0.0/0"))
    parts = (
        group, at("aws_instance.web", {"associate_public_ip_address": True}), at("aws_subnet.a", {}), at("aws_internet_gateway.gw", {}),
        at("aws_route_table_association.a", {}), at("aws_route_table.public", {"route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}]}),
    )  # fmt: skip
    references = {
        "aws_instance.web": {"vpc_security_group_ids": frozenset({group.address}), "subnet_id": frozenset({"aws_subnet.a"})},
        "aws_route_table_association.a": {"subnet_id": frozenset({"aws_subnet.a"}), "route_table_id": frozenset({"aws_route_table.public"})},
    }  # fmt: skip
    plan = Plan(parts, references=references)
    found = [item for item in judge_change(parts[1], plan) if item.rule == "aws-open-way"]
    assert found[0].severity == "critical"
    assert "internet -> aws_subnet.a -> aws_security_group.web -> aws_instance.web" in found[0].note
    closed = Plan((at("aws_security_group.web", OFFICE), *parts[1:]), references=references)
    assert not [item for item in judge_change(parts[1], closed) if item.rule == "aws-open-way"]


def test_an_unknown_that_the_configuration_does_not_set_is_the_providers_own() -> None:
    item = change(SG, None, {"ingress": UNKNOWN, "name": "x"})
    assert judge_change(item, Plan((item,), references={item.address: {"name": frozenset()}})) == []
    assert [
        found.flag for found in judge_change(item, Plan((item,), references={item.address: {"ingress": frozenset()}}))
    ] == ["unknown-value"]


def test_an_unknown_inside_a_block_counts_unless_the_configuration_spells_the_block_out_without_it() -> None:
    pending = {"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": UNKNOWN}]}
    item = change(SG, OFFICE, pending)

    def found(*names: str) -> dict[str, str]:
        plan = Plan((item,), references={item.address: dict.fromkeys(names, frozenset())})
        return {told.flag: told.severity for told in judge_change(item, plan)}

    assert found("ingress", "ingress.cidr_blocks") == {"unknown-value": "medium"}, "a block"
    assert found("ingress") == {"unknown-value": "medium"}, "an attribute"
    assert found("name") == {"unknown-value": "medium"}, "a dynamic block, of which the configuration says nothing"
    assert found("ingress", "ingress.self") == {}, "the provider's own"


def test_a_cluster_whose_networks_the_provider_fills_in_is_open_to_the_world() -> None:
    made = change(
        "aws_eks_cluster", None, {"vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": UNKNOWN}]}
    )
    for names, flag in (
        (("vpc_config.subnet_ids",), "public-access"),
        (("vpc_config.public_access_cidrs",), "unknown-value"),
    ):
        plan = Plan((made,), references={made.address: dict.fromkeys(("vpc_config", *names), frozenset())})
        assert {told.flag for told in judge_change(made, plan)} == {flag}


def test_drift_that_the_apply_undoes_is_told_and_weighs_more_when_data_goes() -> None:
    item = change("aws_db_instance", {"tier": "b"}, {"tier": "a"})
    drift = (change("aws_db_instance", {"tier": "a"}, {"tier": "b"}),)
    assert [found.flag for found in judge_change(item, Plan((item,), drift=drift))] == ["drift-reverted"]
    again = change("aws_db_instance", {"tier": "b"}, {"tier": "a"}, actions=("delete", "create"))
    assert ("drift-reverted", "critical") in [
        (f.flag, f.severity) for f in judge_change(again, Plan((again,), drift=drift))
    ]


@pytest.mark.parametrize(("number", "severity"), [(9, None), (10, "medium"), (25, "high"), (50, "critical")])
def test_many_destroyed_at_once_are_told_once(number: int, severity: str | None) -> None:
    plan = Plan(tuple(Change(f"aws_sns_topic.t[{n}]", "aws_sns_topic", ("delete",), {}, None) for n in range(number)))
    found = [item.severity for item in judge_plan(plan).findings if item.flag == "mass-change"]
    assert found == ([severity] if severity else [])


def test_types_that_no_rule_looks_into_are_named_and_counted() -> None:
    plan = Plan(tuple(Change(f"aws_new.t[{n}]", "aws_new", ("create",), None, {}) for n in range(3)))
    verdict = judge_plan(plan)
    assert verdict.uncovered == {"aws_new": 3}
    assert [(item.flag, item.severity, item.address) for item in verdict.findings] == [
        ("uncovered-type", "low", "aws_new")
    ]
    assert judge_plan(Plan((Change("random_id.x", "random_id", ("create",), None, {}),))).level == "none"


def test_every_rule_is_whole_and_every_flag_has_one() -> None:
    ids = [rule.id for rule in ALL_RULES]
    assert len(ids) == len(set(ids))
    assert {rule.flag for rule in ALL_RULES} == set(FLAGS) - {CUSTOM}
    assert all(rule.title and rule.reason and rule.remedy and rule.family for rule in ALL_RULES)
