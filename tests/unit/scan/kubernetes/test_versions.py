"""What a state declares in one version of the API and a report tells in another: compared where a rule converts it, else left alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from functions.scan.domain.resources import NotChecked, Unread
from functions.scan.types.kubernetes import by_kind, kind_name, specs
from functions.scan.types.kubernetes.versions import _CONVERSIONS, current, moved
from tests.support.kubernetes_objects import EVERY_KIND, drift, fixture, read

SCALER = fixture("kubernetes_horizontal_pod_autoscaler_v2").live
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
META = {"name": "web", "namespace": "shop"}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def written(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "kubernetes_manifest", {"manifest": dict(document)}


def an_object(api_version: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": dict(META), **members}


def scaler(api_version: str = "autoscaling/v2", **spec: Any) -> dict[str, Any]:
    head = {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 4}
    return an_object(api_version, "HorizontalPodAutoscaler", spec={**head, **spec})


def ingress(api_version: str, backend: Mapping[str, Any], **path: Any) -> dict[str, Any]:
    rule = {"host": "shop.example", "http": {"paths": [{"path": "/", "backend": dict(backend), **path}]}}
    return an_object(api_version, "Ingress", spec={"rules": [rule]})


OLD_BACKEND, BACKEND = {"serviceName": "web", "servicePort": 80}, {"service": {"name": "web", "port": {"number": 80}}}
LIVE_INGRESS = ingress("networking.k8s.io/v1", BACKEND, pathType="ImplementationSpecific")
WORKLOAD = {
    "replicas": 2,
    "selector": {"matchLabels": {"a": "b"}},
    "template": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}},
}
CRON = {
    "schedule": "@daily",
    "suspend": False,
    "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}}}},
}
BUDGET = {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]

# (declared, told, a change of what is told, the path that shows it)
PAIRS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    (scaler("autoscaling/v1", targetCPUUtilizationPercentage=80), scaler(metrics=[CPU]), {"maxReplicas": 9}, "manifest.spec.maxReplicas"),
    (scaler("autoscaling/v1"), scaler(metrics=[CPU]), {"minReplicas": 3}, "manifest.spec.minReplicas"),
    (scaler("autoscaling/v2beta2", metrics=[CPU]), scaler(metrics=[CPU]), {"maxReplicas": 9}, "manifest.spec.maxReplicas"),
    (scaler("autoscaling/v2beta1", metrics=[{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 80}}]), scaler(metrics=[CPU]),
     {"maxReplicas": 9}, "manifest.spec.maxReplicas"),
    (ingress("networking.k8s.io/v1beta1", OLD_BACKEND), LIVE_INGRESS, {"rules": []}, "manifest.spec.rules"),
    (ingress("extensions/v1beta1", OLD_BACKEND), LIVE_INGRESS, {"rules": []}, "manifest.spec.rules"),
    (an_object("batch/v1beta1", "CronJob", spec=CRON), an_object("batch/v1", "CronJob", spec=CRON), {"suspend": True}, "manifest.spec.suspend"),
    (an_object("policy/v1beta1", "PodDisruptionBudget", spec=BUDGET), an_object("policy/v1", "PodDisruptionBudget", spec=BUDGET), {"minAvailable": 2},
     "manifest.spec.minAvailable"),
    *((an_object(old, "Deployment", spec=WORKLOAD), an_object("apps/v1", "Deployment", spec=WORKLOAD), {"replicas": 9}, "manifest.spec.replicas")
      for old in ("apps/v1beta1", "apps/v1beta2", "extensions/v1beta1")),
    (an_object("extensions/v1beta1", "NetworkPolicy", spec={"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress"]}),
     an_object("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Ingress"]}),
     {"policyTypes": ["Egress"]}, "manifest.spec.policyTypes[0]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "told", "change", "path"), PAIRS, ids=[f"{row[0]['kind']} {row[0]['apiVersion']}" for row in PAIRS]
)
def test_an_object_in_two_versions_is_compared(
    declared: dict[str, Any], told: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    assert drift([written(declared)], [told]) == []
    planted = copy.deepcopy(told)
    planted["spec"] |= change
    assert {(item.kind, item.path) for item in drift([written(declared)], [planted])} == {("changed", path)}
    assert {item.kind for item in drift([written(declared)], [])} == {"missing"}
    assert {item.kind for item in drift([], [told])} == {"unmanaged"}


def test_the_way_round_is_the_same() -> None:
    """An old cluster tells an old version of what is declared in the new one."""
    old = scaler("autoscaling/v1", targetCPUUtilizationPercentage=80)
    assert drift([written(scaler(metrics=[CPU]))], [old]) == []
    assert [item.kind for item in drift([written(scaler(metrics=[CPU], maxReplicas=9))], [old])] == ["changed"]
    assert drift([written(LIVE_INGRESS)], [ingress("networking.k8s.io/v1beta1", OLD_BACKEND)]) == []


NOT_CONVERTED = [
    scaler("autoscaling/v2beta1", metrics=[{"type": "Pods", "pods": {"metricName": "hits", "targetAverageValue": "10"}}]),
    {**scaler("autoscaling/v1"), "metadata": {**META, "annotations": {"autoscaling.alpha.kubernetes.io/metrics": "[]"}}},
    an_object("policy/v1beta1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {}}),
    an_object("extensions/v1beta1", "Deployment", spec={**WORKLOAD, "rollbackTo": {"revision": 1}}),
    an_object("apps/v9", "Deployment", spec={"replicas": 7}),
    an_object("batch/v1alpha1", "CronJob", spec=CRON),
    {**scaler("autoscaling/v2beta1"), "spec": {"metrics": "none of the kind"}},
]  # fmt: skip


@pytest.mark.parametrize("item", NOT_CONVERTED, ids=lambda item: f"{item['kind']} {item['apiVersion']}")
def test_what_no_rule_converts_is_neither_missing_nor_changed(item: dict[str, Any]) -> None:
    assert current(item) is None
    kind = moved(kind_name(item["apiVersion"], item["kind"]))
    live = {**fixture(by_kind()[kind].kind.type).live, "metadata": META}
    assert drift([written(item)], [live]) == [], "declared so"
    kinds = {*EVERY_KIND} - {kind} | {kind_name(item["apiVersion"], item["kind"])}
    assert drift([written(live)], [item], kinds=kinds) == [], "told so"
    (found,) = (one for one in read([item], kinds=kinds) if not isinstance(one, NotChecked))
    assert isinstance(found, Unread)
    assert item["apiVersion"] in found.detail


@pytest.mark.parametrize("name", ["kubernetes_horizontal_pod_autoscaler", "kubernetes_horizontal_pod_autoscaler_v1"])
def test_an_autoscaler_of_version_1_is_compared_by_its_target(name: str) -> None:
    block = {"max_replicas": 4, "min_replicas": 1, "target_cpu_utilization_percentage": 80,
             "scale_target_ref": [{"api_version": "apps/v1", "kind": "Deployment", "name": "web"}]}  # fmt: skip
    state = {"id": "shop/web", "metadata": [{"name": "web", "namespace": "shop"}], "spec": [block]}
    assert drift([(name, state)], [scaler(metrics=[CPU])]) == []
    other = copy.deepcopy(CPU)
    other["resource"]["target"]["averageUtilization"] = 50  # type: ignore[index]
    (found,) = drift([(name, state)], [scaler(metrics=[other])])
    assert (found.kind, found.path) == ("changed", "spec.metric[0].resource.target.average_utilization")
    assert (
        drift([(name, {**state, "spec": [{**block, "target_cpu_utilization_percentage": 0}]})], [scaler(metrics=[CPU])])
        == []
    )


@pytest.mark.parametrize(
    ("port", "backend"), [("80", BACKEND), ("http", {"service": {"name": "web", "port": {"name": "http"}}})]
)
def test_an_ingress_of_the_old_type_is_compared(port: str, backend: dict[str, Any]) -> None:
    old = [{"service_name": "web", "service_port": port}]
    rule = {"host": "shop.example", "http": [{"path": [{"path": "/", "backend": old}]}]}
    spec = {"backend": old, "ingress_class_name": "", "rule": [rule], "tls": []}
    state = {"id": "shop/web", "metadata": [{"name": "web", "namespace": "shop"}], "spec": [spec]}
    live = ingress("networking.k8s.io/v1", backend, pathType="ImplementationSpecific")
    live["spec"]["defaultBackend"] = backend
    assert drift([("kubernetes_ingress", state)], [live]) == []
    live["spec"]["defaultBackend"] = {"service": {"name": "other", "port": {"number": 80}}}
    assert {item.path for item in drift([("kubernetes_ingress", state)], [live])} >= {
        "spec.default_backend.service.name"
    }


def test_a_kind_that_moved_is_told_once_though_the_api_serves_both_groups() -> None:
    both = [an_object(version, "Deployment", spec=WORKLOAD) for version in ("apps/v1", "extensions/v1beta1")]
    kinds = {*EVERY_KIND, "Deployment.extensions"}
    assert [item.type for item in drift([], both, kinds=kinds)] == ["kubernetes_deployment_v1"]
    without = kinds - {"Deployment.apps"}
    assert [item.type for item in drift([], both[1:], kinds=without)] == ["kubernetes_deployment_v1"]
    assert drift([written(both[1])], both[1:], kinds=without) == []


HOSTILE: tuple[dict[str, Any], ...] = (
    {},
    {"spec": None},
    {"spec": []},
    {"spec": "x"},
    {"spec": {"rules": [5], "metrics": [5], "backend": 7}},
    {"metadata": 3},
)


def test_every_conversion_is_of_a_mapped_kind_and_breaks_on_nothing() -> None:
    for kind, api_version in _CONVERSIONS:
        assert kind in by_kind()
        for hostile in HOSTILE:
            found = current({"apiVersion": api_version, "kind": kind.partition(".")[0], **hostile})
            assert found is None or found["apiVersion"] != api_version
    assert "kubernetes_ingress" in specs()
