"""Rules on Kubernetes: each fires on the worsening, in Terraform's spelling and in a manifest's, and says nothing about the way back."""

from __future__ import annotations

from typing import Any

import pytest

from shared.rules.clusters import WORKLOADS
from shared.rules.engine import judge_change
from shared.rules.families.cluster_pods import repository
from shared.rules.plan import Change, Plan
from shared.rules.values import SENSITIVE, UNKNOWN

BINDING, ROLE, SERVICE = "kubernetes_cluster_role_binding_v1", "kubernetes_cluster_role_v1", "kubernetes_service_v1"
POLICY, NAMESPACE, INGRESS = "kubernetes_network_policy_v1", "kubernetes_namespace_v1", "kubernetes_ingress_v1"
DEPLOYMENT, MANIFEST = "kubernetes_deployment_v1", "kubernetes_manifest"


def flags(kind: str, before: Any, after: Any) -> dict[str, str]:
    actions = ("create",) if before is None else ("delete",) if after is None else ("update",)
    change = Change(f"{kind}.x", kind, actions, before, after)
    return {found.flag: found.severity for found in reversed(judge_change(change, Plan((change,))))}


def pod(context: Any = None, *, image: str = "shop/web:1", **members: Any) -> dict[str, Any]:
    """A deployment in Terraform's words."""
    container = {"name": "web", "image": image, "security_context": [context] if context else []}
    return {"spec": [{"replicas": "2", "template": [{"spec": [{"container": [container], **members}]}]}]}


def written(context: Any = None, *, image: str = "shop/web:1", **members: Any) -> dict[str, Any]:
    """A deployment as it is written."""
    container = {"name": "web", "image": image, **({"securityContext": context} if context else {})}
    inside = {"containers": [container], **members}
    return {
        "manifest": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "spec": {"replicas": 2, "template": {"spec": inside}},
        }
    }


def object_of(kind: str, **members: Any) -> dict[str, Any]:
    return {"manifest": {"kind": kind, **members}}


def bound(role: str, *names: str, kind: str = "User") -> dict[str, Any]:
    return {
        "role_ref": [{"kind": "ClusterRole", "name": role}],
        "subject": [{"kind": kind, "name": name} for name in names],
    }


def allowed(verbs: list[str], resources: list[str], **more: Any) -> dict[str, Any]:
    return {"rule": [{"api_groups": [""], "resources": resources, "verbs": verbs, **more}]}


def opened(*sources: Any, **more: Any) -> dict[str, Any]:
    return {"spec": [{"policy_types": ["Ingress", "Egress"], "ingress": [{"from": list(sources)}], **more}]}


NEAR, WORLD = {"pod_selector": [{"match_labels": {"a": "b"}}]}, {"ip_block": [{"cidr": "0.0.0.0/0"}]}
# (type, before, after, flag, severity): the way there is flagged so, the way back is not flagged with that flag at all
WORSENING: list[tuple[str, Any, Any, str, str]] = [
    (DEPLOYMENT, pod(), pod({"privileged": True}), "iam-privilege-escalation", "critical"),
    (MANIFEST, written(), written({"privileged": True}), "iam-privilege-escalation", "critical"),
    (DEPLOYMENT, pod(), pod(host_network=True), "iam-privilege-escalation", "high"),
    (DEPLOYMENT, pod(), pod(host_pid=True), "iam-privilege-escalation", "high"),
    (MANIFEST, written(), written(hostIPC=True), "iam-privilege-escalation", "high"),
    (DEPLOYMENT, pod(), pod(volume=[{"host_path": [{"path": "/data"}]}]), "iam-privilege-escalation", "high"),
    (DEPLOYMENT, pod(), pod(volume=[{"host_path": [{"path": "/var/run/docker.sock"}]}]), "iam-privilege-escalation", "critical"),
    (MANIFEST, written(), written(volumes=[{"name": "h", "hostPath": {"path": "/"}}]), "iam-privilege-escalation", "critical"),
    (DEPLOYMENT, pod(), pod({"capabilities": [{"add": ["NET_ADMIN"]}]}), "iam-privilege-escalation", "high"),
    (MANIFEST, written(), written({"capabilities": {"add": ["CAP_SYS_ADMIN"]}}), "iam-privilege-escalation", "critical"),
    (DEPLOYMENT, pod({"run_as_user": "1000"}), pod({"run_as_user": "0"}), "protection-disabled", "medium"),
    (DEPLOYMENT, pod({"run_as_non_root": True}), pod({"run_as_non_root": False}), "protection-disabled", "medium"),
    (MANIFEST, written({"readOnlyRootFilesystem": True}), written(), "protection-disabled", "medium"),
    (DEPLOYMENT, pod({"capabilities": [{"drop": ["ALL"]}]}), pod(), "protection-disabled", "medium"),
    (DEPLOYMENT, pod(), pod({"seccomp_profile": [{"type": "Unconfined"}]}), "protection-disabled", "medium"),
    (DEPLOYMENT, {"spec": [{"replicas": "3"}]}, {"spec": [{"replicas": "1"}]}, "capacity-reduction", "medium"),
    (DEPLOYMENT, {"spec": [{"replicas": "3"}]}, {"spec": [{"replicas": "0"}]}, "capacity-reduction", "high"),
    (MANIFEST, {"manifest": {"spec": {"replicas": 3}}}, {"manifest": {"spec": {"replicas": 1}}}, "capacity-reduction", "medium"),
    ("kubernetes_horizontal_pod_autoscaler_v2", {"spec": [{"max_replicas": 9}]}, {"spec": [{"max_replicas": 2}]}, "capacity-reduction", "medium"),
    ("kubernetes_pod_disruption_budget_v1", {"spec": [{"min_available": "2"}]}, {"spec": [{"min_available": "1"}]}, "capacity-reduction", "medium"),
    ("kubernetes_pod_disruption_budget_v1", {"spec": [{"min_available": "2"}]}, None, "capacity-reduction", "medium"),
    ("kubernetes_cron_job_v1", {"spec": [{"suspend": False}]}, {"spec": [{"suspend": True}]}, "capacity-reduction", "medium"),
    ("kubernetes_persistent_volume_v1", {"spec": [{"persistent_volume_reclaim_policy": "Retain"}]}, {"spec": [{"persistent_volume_reclaim_policy": "Delete"}]},
     "protection-disabled", "medium"),
    ("kubernetes_persistent_volume_claim_v1", {"spec": []}, None, "stateful-resource-destruction", "critical"),
    (BINDING, bound("view", "ann"), bound("cluster-admin", "ann"), "iam-wildcard", "critical"),
    (BINDING, bound("cluster-admin", "ann"), bound("cluster-admin", "ann", "bob"), "iam-wildcard", "critical"),
    (BINDING, bound("view", "ann"), bound("view", "ann", "bob"), "iam-privilege-escalation", "medium"),
    (BINDING, bound("view"), bound("view", "system:anonymous"), "public-access", "critical"),
    (BINDING, bound("view"), bound("view", "system:authenticated", kind="Group"), "public-access", "high"),
    (BINDING, bound("view"), bound("view", "system:masters", kind="Group"), "iam-wildcard", "critical"),
    (BINDING, None, bound("cluster-admin", "ann"), "iam-wildcard", "critical"),
    (MANIFEST, object_of("RoleBinding", roleRef={"name": "edit"}, subjects=[]),
     object_of("RoleBinding", roleRef={"name": "cluster-admin"}, subjects=[{"name": "a"}]), "iam-wildcard", "critical"),
    (ROLE, allowed(["get"], ["pods"]), allowed(["*"], ["*"]), "iam-wildcard", "critical"),
    (ROLE, allowed(["get"], ["pods"]), allowed(["*"], ["pods"]), "iam-wildcard", "high"),
    (ROLE, allowed(["get"], ["pods"]), allowed(["get"], ["*"]), "iam-wildcard", "medium"),
    (ROLE, allowed(["get"], ["pods"]), allowed(["get"], ["pods", "secrets"]), "iam-privilege-escalation", "high"),
    (ROLE, allowed(["get"], ["roles"]), allowed(["get", "escalate"], ["roles"]), "iam-privilege-escalation", "high"),
    (MANIFEST, object_of("Role", rules=[]), object_of("Role", rules=[{"verbs": ["create"], "resources": ["pods/exec"]}]), "iam-privilege-escalation", "high"),
    ("kubernetes_service_account_v1", {"automount_service_account_token": False}, {"automount_service_account_token": True}, "iam-privilege-escalation", "medium"),
    (SERVICE, {"spec": [{"type": "ClusterIP"}]}, {"spec": [{"type": "LoadBalancer"}]}, "public-ingress", "high"),
    (SERVICE, {"spec": [{"type": "ClusterIP"}]}, {"spec": [{"type": "NodePort"}]}, "public-ingress", "medium"),
    (SERVICE, {"spec": [{"type": "ClusterIP"}]}, {"spec": [{"type": "LoadBalancer", "load_balancer_source_ranges": ["10.0.0.0/8"]}]}, "public-ingress", "medium"),
    (SERVICE, {"spec": [{"load_balancer_source_ranges": ["10.0.0.0/8"]}]}, {"spec": [{"load_balancer_source_ranges": []}]}, "public-ingress", "high"),
    (SERVICE, {"spec": [{"external_ips": []}]}, {"spec": [{"external_ips": ["203.0.113.9"]}]}, "public-ingress", "high"),
    (MANIFEST, object_of("Service", spec={"type": "ClusterIP"}), object_of("Service", spec={"type": "LoadBalancer"}), "public-ingress", "high"),
    (POLICY, opened(NEAR), None, "protection-disabled", "high"),
    (POLICY, opened(NEAR), opened(NEAR, WORLD), "public-ingress", "high"),
    (POLICY, opened(NEAR), opened(), "public-ingress", "high"),
    (POLICY, opened(NEAR), opened(NEAR, policy_types=["Ingress"]), "protection-disabled", "high"),
    (MANIFEST, object_of("NetworkPolicy", spec={"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
     object_of("NetworkPolicy", spec={"ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}), "public-ingress", "high"),
    (INGRESS, {"spec": [{"tls": [{"secret_name": "a"}]}]}, {"spec": [{"tls": []}]}, "encryption-disabled", "high"),
    (NAMESPACE, {"metadata": [{"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}]},
     {"metadata": [{"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}]}, "protection-disabled", "high"),
    (NAMESPACE, {"metadata": [{"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}]}, {"metadata": [{"labels": {}}]}, "protection-disabled", "high"),
    ("kubernetes_validating_webhook_configuration_v1", {"webhook": [{"failure_policy": "Fail"}]}, None, "protection-disabled", "high"),
    ("kubernetes_validating_webhook_configuration_v1", {"webhook": [{"failure_policy": "Fail"}]}, {"webhook": [{"failure_policy": "Ignore"}]},
     "protection-disabled", "medium"),
    ("kubernetes_resource_quota_v1", {"spec": []}, None, "protection-disabled", "medium"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "before", "after", "flag", "severity"),
    WORSENING,
    ids=[f"{row[3]}-{number}" for number, row in enumerate(WORSENING)],
)
def test_a_worsening_is_flagged_and_the_way_back_is_not(
    kind: str, before: Any, after: Any, flag: str, severity: str
) -> None:
    assert flags(kind, before, after).get(flag) == severity
    assert flag not in flags(kind, before, before)
    if before is not None and after is not None:
        assert flag not in flags(kind, after, before)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_every_workload_is_looked_into(kind: str) -> None:
    for before, after in ((pod(), pod({"privileged": True})), (written(), written({"privileged": True}))):
        bare = [
            {"spec": item["spec"][0]["template"][0]["spec"]} if "spec" in item else item for item in (before, after)
        ]
        pair = bare if kind.startswith("kubernetes_pod") else [before, after]
        assert flags(kind, *pair)["iam-privilege-escalation"] == "critical"


def test_a_cron_jobs_pods_and_its_init_containers_are_looked_into() -> None:
    def job(**context: Any) -> dict[str, Any]:
        inside = {"init_container": [{"name": "i", "security_context": [context]}]}
        return {"spec": [{"job_template": [{"spec": [{"template": [{"spec": [inside]}]}]}]}]}

    assert flags("kubernetes_cron_job_v1", job(), job(privileged=True))["iam-privilege-escalation"] == "critical"


def test_what_is_new_and_privileged_is_told_more_mildly_than_what_becomes_so() -> None:
    assert flags(DEPLOYMENT, None, pod({"privileged": True}))["iam-privilege-escalation"] == "medium"


def test_a_second_privileged_container_is_one_more() -> None:
    one = {"name": "a", "security_context": [{"privileged": True}]}
    before, after = (
        {"spec": [{"template": [{"spec": [{"container": found}]}]}]} for found in ([one], [one, {**one, "name": "b"}])
    )
    assert "iam-privilege-escalation" in flags(DEPLOYMENT, before, after)


def test_a_container_that_goes_takes_its_hardening_along() -> None:
    hard = {"security_context": [{"run_as_non_root": True}]}
    before, after = (
        {"spec": [{"template": [{"spec": [{"container": found}]}]}]}
        for found in ([{"name": "a", **hard}, {"name": "b", **hard}], [{"name": "a", **hard}])
    )
    assert "protection-disabled" not in flags(DEPLOYMENT, before, after)


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("shop/web:1", "shop/web:2", "low"),
        ("shop/web:1", "shop/web:latest", "medium"),
        ("shop/web:1", "shop/web", "medium"),
        ("shop/web@sha256:aa", "shop/web:2", "medium"),
        ("shop/web@sha256:aa", "shop/web@sha256:bb", "low"),
        ("shop/web:1", "evil/web:1", "medium"),
        ("registry.example:5000/web:1", "registry.example:5000/web:2", "low"),
        ("shop/web:1", "shop/web:1", None),
    ],
)
def test_another_image_is_told_by_how_far_it_is_from_the_one_before(
    before: str, after: str, severity: str | None
) -> None:
    assert flags(DEPLOYMENT, pod(image=before), pod(image=after)).get("delivery-chain-change") == severity
    assert flags(MANIFEST, written(image=before), written(image=after)).get("delivery-chain-change") == severity


def test_a_repository_is_a_name_without_tag_and_digest() -> None:
    names = ("web", "web:1", "web@sha256:aa", "r.example:5000/web", "r.example:5000/a/web:1@sha256:aa")
    assert [repository(name) for name in names] == ["web", "web", "web", "r.example:5000/web", "r.example:5000/a/web"]


def test_a_load_balancer_that_stays_inside_is_no_open_door() -> None:
    inside = {"metadata": [{"annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}}]}
    before, after = ({**inside, "spec": [{"type": kind}]} for kind in ("ClusterIP", "LoadBalancer"))
    assert flags(SERVICE, before, after)["public-ingress"] == "medium"


def test_reading_one_named_secret_leads_nowhere() -> None:
    before = allowed(["get"], ["pods"])
    assert "iam-privilege-escalation" not in flags(
        ROLE, before, allowed(["get"], ["pods", "secrets"], resource_names=["one"])
    )


def test_another_kinds_manifest_is_not_taken_for_a_role() -> None:
    before = object_of("CronTab", rules=[])
    after = object_of("CronTab", rules=[{"verbs": ["*"], "resources": ["*"]}])
    assert "iam-wildcard" not in flags(MANIFEST, before, after)


@pytest.mark.parametrize("mark", [UNKNOWN, SENSITIVE])
def test_what_is_not_known_is_said_to_be_so(mark: Any) -> None:
    found = flags(DEPLOYMENT, pod(), pod({"privileged": mark}))
    assert "iam-privilege-escalation" not in found
    assert "unknown-value" in found
