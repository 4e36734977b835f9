"""How bad a drift is: which rule speaks, and that nothing dangerous hides behind a mild one."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import severity
from functions.scan.domain.comparison import Drift
from functions.scan.domain.severity import judge
from functions.scan.types.aws import SPECS
from shared.rules.drifted import change_of
from shared.rules.engine import judge_plan
from shared.rules.families import RULES
from shared.rules.levels import SEVERITIES, rank
from shared.rules.plan import Plan

_ROOT = Path(__file__).parents[3]


def _changed(kind: str, path: str, before: Any = None, after: Any = None, **more: Any) -> Drift:
    return Drift("changed", kind, "key", f"{kind}.x", "arn:x", "us-east-1", path, before, after, **more)


def _whole(kind: Any, type_name: str, key: str = "key") -> Drift:
    return Drift(kind, type_name, key, None, "arn:x", "us-east-1")


WORLD = ({"cidr_blocks": ("0.0.0.0/0",), "from_port": 22},)
WORLD6 = ({"ipv6_cidr_blocks": ("::/0",)},)
OFFICE = ({"cidr_blocks": ("192.0.2.0/24",), "from_port": 22},)
OPEN = {"Statement": ({"Effect": "Allow", "Principal": "*"},)}
OPEN_AWS = {"Statement": ({"Effect": "Allow", "Principal": {"AWS": ("*",)}},)}
CLOSED = {"Statement": ({"Effect": "Allow", "Principal": {"AWS": ("arn:aws:iam::1:root",)}},)}

CASES: list[tuple[Drift, str, str]] = [
    (_changed("aws_security_group", "ingress", OFFICE, WORLD), "critical", "public-ingress"),
    (_changed("aws_security_group", "ingress", None, WORLD6), "critical", "public-ingress"),
    (_changed("aws_vpc_security_group_ingress_rule", "cidr_ipv4", "10.0.0.0/8", "0.0.0.0/0"), "critical", "public-ingress"),
    (_changed("aws_network_acl", "ingress", OFFICE, WORLD), "critical", "public-ingress"),
    (_changed("aws_security_group", "ingress", WORLD, OFFICE), "high", "network-rule-changed"),
    (_changed("aws_security_group", "ingress", WORLD, (*WORLD, *OFFICE)), "high", "network-rule-changed"),
    (_changed("aws_security_group", "egress", None, WORLD), "high", "network-rule-changed"),
    (_changed("aws_vpc_security_group_egress_rule", "cidr_ipv4", "10.0.0.0/8", "0.0.0.0/0"), "high", "network-rule-changed"),
    (_changed("aws_s3_bucket_policy", "policy", CLOSED, OPEN), "critical", "public-access"),
    (_changed("aws_sqs_queue", "policy", None, OPEN_AWS), "critical", "public-access"),
    (_changed("aws_iam_role", "assume_role_policy", CLOSED, OPEN_AWS), "critical", "public-access"),
    (_changed("aws_s3_bucket_policy", "policy", OPEN, CLOSED), "high", "protection-changed"),
    (_whole("unmanaged", "aws_iam_role_policy_attachment", "app|arn:aws:iam::aws:policy/AdministratorAccess"), "critical", "iam-wildcard"),
    (_whole("unmanaged", "aws_iam_user"), "high", "identity-unmanaged"),
    (_whole("unmanaged", "aws_security_group"), "high", "network-rule-unmanaged"),
    (_whole("unmanaged", "aws_instance"), "medium", "resource-unmanaged"),
    (_whole("unmanaged", "aws_vpc_peering_connection"), "high", "door-unmanaged"),
    (_whole("unmanaged", "aws_ami_launch_permission", "ami-1|all"), "critical", "image-public"),
    (_whole("unmanaged", "aws_ami_launch_permission", "ami-1|111122223333"), "high", "door-unmanaged"),
    (_changed("aws_wafv2_ip_set", "addresses", ("192.0.2.0/24",), None), "high", "network-rule-changed"),
    (_changed("aws_api_gateway_method", "authorization", "CUSTOM", "NONE"), "high", "public-access"),
    (_changed("aws_apigatewayv2_route", "authorization_type", "JWT", None), "high", "public-access"),
    (_whole("missing", "aws_flow_log"), "high", "resource-missing"),
    (_whole("missing", "aws_db_instance"), "critical", "stateful-resource-missing"),
    (_whole("missing", "aws_s3_bucket"), "critical", "stateful-resource-missing"),
    (_whole("missing", "aws_instance"), "high", "resource-missing"),
    (_changed("aws_iam_role", "max_session_duration", 3600, 43200), "high", "identity-changed"),
    (_changed("aws_iam_role", "tags.Team", "a", "b"), "low", "tags-changed"),
    (_changed("aws_db_instance", "deletion_protection", True, False), "high", "protection-changed"),
    (_changed("aws_instance", "metadata_options.http_tokens", "required", "optional"), "high", "protection-changed"),
    (_changed("aws_s3_bucket", "rule[0].status", "a", "b"), "high", "protection-changed"),
    (_changed("aws_instance", "tags", None, {"a": "b"}), "low", "tags-changed"),
    (_changed("aws_security_group", "tags.Open", "no", "0.0.0.0/0"), "low", "tags-changed"),
    (_changed("kubernetes_deployment_v1", "spec.template.spec.container[0].security_context.privileged", False, True), "critical", "iam-privilege-escalation"),
    (_changed("kubernetes_deployment_v1", "manifest.spec.template.spec.containers[0].securityContext.privileged", None, True), "critical", "iam-privilege-escalation"),
    (_changed("kubernetes_deployment_v1", "spec.template.spec.host_network", False, True), "high", "iam-privilege-escalation"),
    (_changed("kubernetes_daemon_set_v1", "spec.template.spec.volume", None, [{"name": "h", "host_path": {"path": "/"}}]), "critical", "iam-privilege-escalation"),
    (_changed("kubernetes_deployment_v1", "spec.template.spec.container[0].image", "shop/web:1", "evil/web:1"), "high", "image-repository-changed"),
    (_changed("kubernetes_deployment_v1", "spec.template.spec.container[0].image", "shop/web:1", "shop/web:2"), "medium", "attribute-changed"),
    (_changed("kubernetes_deployment_v1", "spec.replicas", "3", "0"), "high", "capacity-reduction"),
    (_changed("kubernetes_deployment_v1", "spec.replicas", "3", "4"), "medium", "attribute-changed"),
    (_changed("kubernetes_service_v1", "spec.type", "ClusterIP", "LoadBalancer"), "high", "public-ingress"),
    (_changed("kubernetes_cluster_role_binding_v1", "role_ref.name", "view", "cluster-admin"), "critical", "iam-wildcard"),
    (_changed("kubernetes_role_v1", "rule[0].verbs", ["get"], ["*"]), "high", "identity-changed"),
    (_changed("kubernetes_namespace_v1", "metadata.labels.pod-security.kubernetes.io/enforce", "restricted", None), "high", "pod-security-changed"),
    (_whole("missing", "kubernetes_network_policy_v1"), "high", "resource-missing"),
    (_whole("missing", "kubernetes_persistent_volume_claim_v1"), "critical", "stateful-resource-missing"),
    (_whole("unmanaged", "kubernetes_cluster_role_binding_v1"), "high", "identity-unmanaged"),
    (_whole("unmanaged", "kubernetes_ingress_v1"), "high", "door-unmanaged"),
    (_changed("aws_instance", "instance_type", "t3.micro", "m5.24xlarge"), "medium", "attribute-changed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("drift", "severity", "rule"), CASES, ids=[f"{rule}-{number}" for number, (_, _, rule) in enumerate(CASES)]
)
def test_each_drift_is_judged_by_the_rule_that_fits(drift: Drift, severity: str, rule: str) -> None:
    verdict = judge(drift)
    assert (verdict.rule, verdict.severity) == (rule, severity)


def test_a_sensitive_change_is_judged_by_its_place() -> None:
    assert judge(_changed("aws_iam_user", "password", "digest", "other", is_sensitive=True)).severity == "high"


@given(
    st.sampled_from(sorted(SPECS)),
    st.sampled_from(["missing", "unmanaged"]),
    st.text(max_size=20),
)
def test_every_whole_resource_gets_a_known_severity(kind: str, drift_kind: Any, key: str) -> None:
    assert judge(_whole(drift_kind, kind, key)).severity in SEVERITIES


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_every_compared_attribute_gets_a_severity_and_only_tags_are_low(kind: str) -> None:
    for name in SPECS[kind].shapes:
        assert (judge(_changed(kind, name, "a", "b")).severity == "low") == (name == "tags")


_NO_VERDICT = {"unknown-value", "uncovered-type"}  # marks of what a plan cannot tell; a drift is over and known


@pytest.mark.parametrize(
    "drift",
    [case[0] for case in CASES if case[2] != "tags-changed"],
    ids=lambda drift: f"{drift.kind} {drift.type} {drift.path}",
)
def test_a_drift_is_never_judged_milder_than_the_same_change_in_a_plan(drift: Drift) -> None:
    change = change_of(
        kind=drift.kind, type_name=drift.type, key=drift.key, address=drift.address, path=drift.path, before=drift.before,
        after=drift.after, is_sensitive=drift.is_sensitive,
    )  # fmt: skip
    planned = [item for item in judge_plan(Plan((change,))).findings if item.flag not in _NO_VERDICT]
    verdict = judge(drift)
    assert all(rank(verdict.severity) >= rank(item.severity) for item in planned)


def test_there_is_no_second_set_of_rules() -> None:
    """A rule of `shared/rules` is made there, or by a customer; the scan's verdicts name one of these or a floor."""
    makers = {
        path.relative_to(_ROOT).as_posix()
        for folder in ("functions", "shared")
        for path in (_ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule"
    }
    assert {name for name in makers if not name.startswith("shared/rules/")} == {
        "functions/analyze/domain/custom_rules.py"
    }
    known = {str(rule.flag) for rule in RULES} | {floor.id for floor in severity._FLOORS}
    assert {judge(drift).rule for drift, _, _ in CASES} <= known


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        (_whole("unmanaged", "google_project_iam_member", "//h/projects/p|roles/owner||user:eve@x.com"), ("critical", "iam-wildcard")),
        (_whole("unmanaged", "google_storage_bucket_iam_member", "//h/b|roles/x|c0ffee|allUsers"), ("critical", "public-access")),
        (_whole("unmanaged", "google_project_iam_member", "//h/projects/p|roles/viewer||user:eve@x.com"), ("high", "identity-unmanaged")),
        (_whole("unmanaged", "google_compute_network_peering"), ("high", "door-unmanaged")),
        (_whole("unmanaged", "azurerm_public_ip"), ("high", "door-unmanaged")),
        (_whole("unmanaged", "azurerm_network_security_rule"), ("high", "network-rule-unmanaged")),
        (_whole("unmanaged", "azurerm_role_assignment"), ("high", "identity-unmanaged")),
        (_whole("missing", "google_storage_bucket"), ("critical", "stateful-resource-missing")),
        (_whole("missing", "azurerm_mssql_database"), ("critical", "stateful-resource-missing")),
        (_whole("missing", "azurerm_management_lock"), ("high", "resource-missing")),
        (_changed("google_compute_firewall", "source_ranges", ["10.0.0.0/8"], ["0.0.0.0/0"]), ("high", "network-rule-changed")),
        (_changed("google_bigquery_dataset", "access", [], [{"role": "READER", "special_group": "allAuthenticatedUsers"}]), ("critical", "public-access")),
        (_changed("google_sql_database_instance", "settings.ip_configuration.ipv4_enabled", False, True), ("high", "public-access")),
        (_changed("google_kms_crypto_key", "rotation_period", "7776000s"), ("high", "protection-changed")),
        (_changed("google_compute_instance", "tags", ["web"], ["bastion"]), ("high", "network-tags-changed")),
        (_changed("google_compute_instance", "labels.team", "a", "b"), ("low", "tags-changed")),
        (_changed("google_container_cluster", "resource_labels.team", "a", "b"), ("low", "tags-changed")),
        (_changed("azurerm_public_ip", "tags.team", "a", "b"), ("low", "tags-changed")),
        (_changed("azurerm_storage_account", "network_rules.default_action", "Deny", "Allow"), ("high", "public-access")),
        (_changed("azurerm_storage_account", "shared_access_key_enabled", False, True), ("high", "protection-changed")),
        (_changed("azurerm_storage_container", "container_access_type", "private", "blob"), ("critical", "public-access")),
        (_changed("azurerm_kubernetes_cluster", "local_account_disabled", True, False), ("high", "protection-changed")),
    ],
    ids=lambda value: f"{value.type}-{value.path or value.kind}" if isinstance(value, Drift) else "",
)  # fmt: skip
def test_the_other_clouds_are_judged_by_the_same_rules(drift: Drift, expected: tuple[str, str]) -> None:
    verdict = judge(drift)
    assert (verdict.severity, verdict.rule) == expected
