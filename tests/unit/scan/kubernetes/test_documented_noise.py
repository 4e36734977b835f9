"""What says nothing is folded, and what looks like it and says something is not; on objects written to the vendors' pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.kubernetes_documented import (
    Documented,
    declared,
    drift,
    filled,
    one,
    paths,
    released,
    reported,
    value_at,
    volume_sources,
    with_member,
    with_value,
)
from tests.support.kubernetes_objects import changed, other
from tests.support.kubernetes_objects import drift as drift_of

POD = ("spec", "template", "spec")
POD_OF_STATE = ("spec", 0, "template", 0, "spec", 0)


def deployment() -> Documented:
    return one("kubernetes_deployment_v1", "minimal")


def seen(item: Documented, live: Mapping[str, Any], state: Mapping[str, Any] | None = None, *more: Any) -> set[str]:
    """Return the paths that show between a state and what runs; kinds of drift that have no path by their own names."""
    whole = filled(item.type, item.state if state is None else state, "zero")
    return {one.path or one.kind for one in drift(declared(item.type, whole, item.sensitive), live, *more)}


def sources() -> list[Any]:
    return [
        pytest.param(where, item, id=f"{where}: {next(iter(item['api']))}")
        for item in volume_sources()
        for where in item["of"]
    ]


@pytest.mark.parametrize(("where", "item"), sources())
def test_whatever_stands_behind_a_volume_is_compared(where: str, item: Mapping[str, Any]) -> None:
    if where == "pod":
        known = deployment()
        at, at_state = POD, POD_OF_STATE
        api, state = ({"volumes": [{"name": "v", **item["api"]}]}, {"volume": [{"name": "v", **item["state"]}]})
    else:
        known = one("kubernetes_persistent_volume_v1", "minimal")
        at, at_state = ("spec",), ("spec", 0)
        plain = dict(known.live["spec"])
        del plain["hostPath"]
        known = Documented(
            known.type, "", (), with_value(known.live, at, plain), known.state, known.silent, (), (), False
        )
        api, state = item["api"], {"persistent_volume_source": [item["state"]]}
    live = with_member(known.live, *at, **api)
    told = with_member(known.state, *at_state, **state)
    assert seen(known, live, told) == set()
    for path in paths(api, at):
        assert seen(known, with_value(live, path, other(value_at(live, path))), told), path
    for path in paths(state, at_state):
        assert seen(known, live, with_value(told, path, other(value_at(told, path)))), path


@pytest.mark.parametrize(
    ("written", "given"),
    [("1000m", "1"), ("1", "1000m"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1Gi", "1073741824"), ("1k", "1000"), ("1e3", "1k"), ("100M", "100000k")],
)  # fmt: skip
def test_one_quantity_in_two_spellings_is_one(written: str, given: str) -> None:
    known = deployment()
    live = with_value(known.live, (*POD, "containers", 0, "resources"), {"limits": {"cpu": given}})
    state = with_value(known.state, (*POD_OF_STATE, "container", 0, "resources"), [{"limits": {"cpu": written}}])
    assert seen(known, live, state) == set()
    assert seen(known, with_value(live, (*POD, "containers", 0, "resources", "limits", "cpu"), f"{given}0"), state)
    quota = one("kubernetes_resource_quota_v1", "minimal")
    live = with_value(quota.live, ("spec", "hard"), {"x": given})
    assert seen(quota, live, with_value(quota.state, ("spec", 0, "hard"), {"x": written})) == set()
    claim = one("kubernetes_persistent_volume_claim_v1", "minimal")
    live = with_value(claim.live, ("spec", "resources", "requests", "storage"), given)
    state = with_value(claim.state, ("spec", 0, "resources", 0, "requests"), {"storage": written})
    assert seen(claim, live, state) == set()


def test_units_are_not_mixed_up() -> None:
    known = deployment()
    live = with_value(known.live, (*POD, "containers", 0, "resources"), {"limits": {"memory": "1G"}})
    state = with_value(known.state, (*POD_OF_STATE, "container", 0, "resources"), [{"limits": {"memory": "1Gi"}}])
    assert seen(known, live, state)


@pytest.mark.parametrize(
    "key",
    [
        "not-ready",
        "unreachable",
        "unschedulable",
        "memory-pressure",
        "disk-pressure",
        "network-unavailable",
        "pid-pressure",
    ],
)
def test_tolerations_that_the_provider_never_keeps_say_nothing(key: str) -> None:
    known = deployment()
    own = {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    assert seen(known, with_member(known.live, *POD, tolerations=[own])) == set()
    everything = {"operator": "Exists"}
    assert len(seen(known, with_member(known.live, *POD, tolerations=[own, everything]))) == 1


ORDERS = [
    ("kubernetes_service_v1", "load balancer, full", ("spec", "ports")),
    ("kubernetes_service_v1", "load balancer, full", ("spec", "externalIPs")),
    ("kubernetes_network_policy_v1", "full", ("spec", "policyTypes")),
    ("kubernetes_network_policy_v1", "full", ("spec", "ingress", 0, "from")),
    ("kubernetes_network_policy_v1", "full", ("spec", "ingress", 0, "ports")),
    ("kubernetes_role_v1", "full", ("rules",)),
    ("kubernetes_role_v1", "full", ("rules", 0, "verbs")),
    ("kubernetes_cluster_role_v1", "full", ("rules",)),
    ("kubernetes_cluster_role_v1", "full", ("rules", 0, "resources")),
    ("kubernetes_cluster_role_v1", "full", ("rules", 1, "nonResourceURLs")),
    ("kubernetes_role_binding_v1", "full", ("subjects",)),
    ("kubernetes_cluster_role_binding_v1", "full", ("subjects",)),
    ("kubernetes_horizontal_pod_autoscaler_v2", "full", ("spec", "metrics")),
    ("kubernetes_stateful_set_v1", "full", (*POD, "tolerations")),
    ("kubernetes_deployment_v1", "full", (*POD, "containers", 0, "ports")),
    ("kubernetes_service_account_v1", "full", ("imagePullSecrets",)),
    ("kubernetes_ingress_v1", "full", ("spec", "tls", 0, "hosts")),
    ("kubernetes_network_policy_v1", "full", ("spec", "ingress", 0, "from", 1, "ipBlock", "except")),
    ("kubernetes_horizontal_pod_autoscaler_v2", "full", ("spec", "behavior", "scaleUp", "policies")),
]


@pytest.mark.parametrize(("kind", "variant", "path"), ORDERS, ids=str)
def test_an_order_that_says_nothing_is_not_seen(kind: str, variant: str, path: tuple[str | int, ...]) -> None:
    known = one(kind, variant)
    held = value_at(known.live, path)
    assert len(held) > 1
    assert seen(known, with_value(known.live, path, held[::-1])) == set()


@pytest.mark.parametrize(
    "path",
    [
        (*POD, "containers"),
        (*POD, "containers", 0, "args"),
        (*POD, "containers", 0, "env"),
        (*POD, "dnsConfig", "nameservers"),
    ],
)
def test_an_order_that_says_something_is(path: tuple[str | int, ...]) -> None:
    known = one("kubernetes_deployment_v1", "full")
    assert seen(known, with_value(known.live, path, value_at(known.live, path)[::-1]))


MADE = [
    "deployment.kubernetes.io/revision", "deployment.kubernetes.io/max-replicas", "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/migrated-to",
    "volume.kubernetes.io/storage-resizer", "volume.kubernetes.io/selected-node", "volume.kubernetes.io/storage-provisioner",
    "control-plane.alpha.kubernetes.io/leader", "kubernetes.io/service-account.uid", "autoscaling.alpha.kubernetes.io/conditions",
    "cloud.google.com/neg-status", "ingress.kubernetes.io/backends", "autopilot.gke.io/resource-adjustment",
    "openshift.io/sa.scc.uid-range", "field.cattle.io/publicEndpoints",
]  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_controllers_note_down_says_nothing(name: str) -> None:
    known = deployment()
    assert seen(known, with_member(known.live, "metadata", annotations={name: "x"})) == set()


@pytest.mark.parametrize(
    ("kind", "variant", "held", "name"),
    [
        ("kubernetes_namespace_v1", "minimal", "labels", "pod-security.kubernetes.io/enforce"),
        ("kubernetes_namespace_v1", "minimal", "labels", "istio-injection"),
        ("kubernetes_ingress_v1", "minimal", "annotations", "nginx.ingress.kubernetes.io/whitelist-source-range"),
        ("kubernetes_ingress_v1", "minimal", "annotations", "alb.ingress.kubernetes.io/scheme"),
        ("kubernetes_service_v1", "minimal", "annotations", "service.beta.kubernetes.io/aws-load-balancer-internal"),
        ("kubernetes_storage_class_v1", "minimal", "annotations", "storageclass.kubernetes.io/is-default-class"),
        ("kubernetes_service_account_v1", "minimal", "annotations", "eks.amazonaws.com/role-arn"),
        ("kubernetes_cluster_role_v1", "full", "labels", "rbac.authorization.k8s.io/aggregate-to-admin"),
    ],
)
def test_what_people_decide_by_labels_and_annotations_shows(kind: str, variant: str, held: str, name: str) -> None:
    known = one(kind, variant)
    before = value_at(known.live, ("metadata", held)) or {}
    found = seen(known, with_member(known.live, "metadata", **{held: {**before, name: "x"}}))
    assert len(found) == 1
    assert next(iter(found)).startswith(f"metadata.{held}")


def test_what_a_webhook_puts_into_pods_is_not_in_what_makes_them() -> None:
    known = deployment()
    injected = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "plain-7d4b9c6f5-x2x7p",
            "namespace": "shop",
            "annotations": {"sidecar.istio.io/status": "{}"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "plain-7d4b9c6f5", "controller": True}],
        },
        "spec": {
            "containers": [{"name": "web", "image": "nginx:1.27"}, {"name": "istio-proxy", "image": "istio/proxyv2:1.27"}],
            "volumes": [{"name": "kube-api-access-k2x7p", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        },
    }  # fmt: skip
    kinds = ("Deployment.apps", "Pod")
    state = filled(known.type, known.state, "zero")
    assert drift_of([(known.type, state)], [known.live, reported(injected)], kinds=kinds) == []


def test_a_container_put_into_a_template_shows() -> None:
    known = deployment()
    containers = [*value_at(known.live, (*POD, "containers")), {"name": "istio-proxy", "image": "istio/proxyv2:1.27"}]
    assert seen(known, with_value(known.live, (*POD, "containers"), containers)) == {"spec.template.spec.container"}


def scaler(name: str) -> dict[str, Any]:
    known = one("kubernetes_horizontal_pod_autoscaler_v2", "minimal")
    live: dict[str, Any] = with_value(known.live, ("spec", "scaleTargetRef", "name"), name)
    return live


@pytest.mark.parametrize(
    "known", [deployment(), one("kubernetes_manifest", "of a mapped kind")], ids=lambda item: item.type
)
def test_replicas_that_an_autoscaler_decides_say_nothing(known: Documented) -> None:
    live = with_value(known.live, ("spec", "replicas"), 7)
    name = known.live["metadata"]["name"]
    assert len(seen(known, live)) == 1
    assert seen(known, live, None, scaler(name)) == {"unmanaged"}  # the autoscaler itself
    assert len(seen(known, live, None, scaler("another"))) == 2
    another_image = with_value(live, (*POD, "containers", 0, "image"), "nginx:0")
    assert len(seen(known, another_image, None, scaler(name))) == 2


def test_what_distributions_give_every_account_says_nothing() -> None:
    known = one("kubernetes_service_account_v1", "minimal")
    made = [{"name": "plain-dockercfg-x7k2p"}]
    assert seen(known, with_member(known.live, imagePullSecrets=made, secrets=made)) == set()
    assert seen(known, with_member(known.live, imagePullSecrets=[{"name": "other-dockercfg-x7k2p"}])) == {
        "image_pull_secret"
    }
    assert seen(known, with_member(known.live, secrets=[{"name": "plain-token-more-x7k2p"}])) == {"secret"}


ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "cache-operator"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}


def test_what_a_release_holds_outside_namespaces_is_the_releases_too() -> None:
    manifest = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cache-operator}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\n"
    )
    release = released(
        {"name": "cache", "namespace": "shop", "version": 1, "info": {"status": "deployed"}, "manifest": manifest,
         "chart": {"metadata": {"name": "cache", "version": "1.0.0", "appVersion": "1"}}}
    )  # fmt: skip
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cache", "namespace": "shop"}}
    state = declared("helm_release", {"name": "cache", "namespace": "shop", "status": "deployed"})
    assert drift(state, release, reported(ROLE), reported(kept)) == []
    foreign = {**kept, "metadata": {"name": "cache", "namespace": "elsewhere"}}
    another = {**ROLE, "metadata": {"name": "another"}}
    found = drift(state, release, reported(foreign), reported(another))
    assert sorted((one.kind, one.key) for one in found) == [("unmanaged", "another"), ("unmanaged", "elsewhere/cache")]


def kubectl_secret(**more: Any) -> dict[str, Any]:
    """Make the state of a secret: the provider hides what stands under `data` in what it shows."""
    return {
        "yaml_body": "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop}\ntype: Opaque\ndata: {key: dmFsdWU=}\n",
        "yaml_body_parsed": "apiVersion: v1\ndata: (sensitive value)\nkind: Secret\nmetadata:\n  name: token\n  namespace: shop\ntype: Opaque\n",
        "kind": "Secret", "name": "token", "namespace": "shop", "api_version": "v1", **more,
    }  # fmt: skip


def test_of_a_secret_that_its_provider_hides_the_rest_is_compared() -> None:
    live = reported(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": "shop"}, "type": "Opaque", "data": {"key": "dmFsdWU="}}
    )  # fmt: skip
    state = declared("kubectl_manifest", kubectl_secret(), ["yaml_body"])
    assert drift(state, live) == []
    assert [one.path for one in drift(state, {**live, "type": "example.com/other"})] == ["manifest.type"]
    assert [one.kind for one in drift(state)] == ["missing"]


def test_text_that_a_secret_was_given_stands_under_data() -> None:
    live = reported(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": "shop"}, "type": "Opaque", "data": {"key": "dmFsdWU="}}
    )  # fmt: skip
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "shop"},
        "stringData": {"key": "value"},
    }
    state = declared("kubernetes_manifest", {"manifest": {"value": document, "type": "dynamic"}})
    assert drift(state, live) == []
    assert len(drift(state, {**live, "data": {"another": ""}})) > 0


@pytest.mark.parametrize(
    "left",
    [
        "spec.template.spec.containers[0].image",
        'metadata.labels["example.com/by"]',
        "metadata.labels['example.com/by']",
        "spec.replicas",
    ],
)
def test_fields_that_a_configuration_leaves_to_others_say_nothing(left: str) -> None:
    known = one("kubernetes_manifest", "of a mapped kind")
    document = with_member(known.state["manifest"]["value"], "metadata", labels={"app": "web", "example.com/by": "a"})
    live = with_member(known.live, "metadata", labels={"app": "web", "example.com/by": "a"})
    path = {
        "spec.template.spec.containers[0].image": (*POD, "containers", 0, "image"), "spec.replicas": ("spec", "replicas"),
    }.get(left, ("metadata", "labels", "example.com/by"))  # fmt: skip
    for fields, count in (([left], 0), (["spec.paused"], 1)):
        written = {"manifest": {"value": document, "type": "dynamic"}, "computed_fields": fields}
        assert len(drift(declared(known.type, written), changed(live, path))) == count


def test_quantities_of_an_autoscaler_s_manifest_are_quantities() -> None:
    known = one("kubernetes_horizontal_pod_autoscaler_v2", "full")
    document = {name: item for name, item in known.live.items() if name != "status"}
    at = ("spec", "metrics", 1, "containerResource", "target", "averageValue")
    state = {"manifest": {"value": with_value(document, at, "0.5Gi"), "type": "dynamic"}}
    assert drift(declared("kubernetes_manifest", state), with_value(known.live, at, "512Mi")) == []
    assert drift(declared("kubernetes_manifest", state), with_value(known.live, at, "513Mi"))


def test_claims_that_a_stateful_set_makes_are_its_own() -> None:
    known = one("kubernetes_stateful_set_v1", "full")
    claim = one("kubernetes_persistent_volume_claim_v1", "minimal").live
    names = {
        "data-db-0": "shop",
        "data-db-12": "shop",
        "data-db-x": "shop",
        "data-db": "shop",
        "other-db-0": "shop",
        "data-db-1": "elsewhere",
    }
    claims = [with_member(claim, "metadata", name=name, namespace=namespace) for name, namespace in names.items()]
    found = drift(declared(known.type, filled(known.type, known.state, "zero")), known.live, *claims)
    assert {one.key for one in found} == {"shop/data-db-x", "shop/data-db", "shop/other-db-0", "elsewhere/data-db-1"}


@pytest.mark.parametrize(
    ("identity", "is_found"),
    [
        ("/apis/stable.example.com/v1/namespaces/shop/crontabs/backup", True),
        ("/apis/stable.example.com/v1/namespaces/other/crontabs/backup", False),
        ("/apis/stable.example.com/v1/crontabs/backup", False),
    ],
)
def test_a_manifest_that_names_no_namespace_lies_where_its_path_says(identity: str, is_found: bool) -> None:
    body = "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: backup}\nspec: {replicas: 2}\n"
    state = {"id": identity, "yaml_body": body, "yaml_body_parsed": body, "namespace": None}
    live = one("kubernetes_manifest", "custom resource, full").live
    assert (drift(declared("kubectl_manifest", state), live) == []) is is_found


@pytest.mark.parametrize("seconds", ["0", "100"])
def test_a_job_that_is_cleared_away_when_it_is_done_is_not_missed(seconds: str) -> None:
    known = one("kubernetes_job_v1", "minimal")
    state = with_value(known.state, ("spec", 0, "ttl_seconds_after_finished"), seconds)
    assert drift(declared(known.type, filled(known.type, state, "zero"))) == []
    assert drift(declared(known.type, filled(known.type, state, "zero")), known.live) == []
    assert [one.kind for one in drift(declared(known.type, filled(known.type, known.state, "zero")))] == ["missing"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "plain", "namespace": "shop"}}
    for spec, kinds in (({"ttlSecondsAfterFinished": int(seconds)}, []), ({"backoffLimit": 1}, ["missing"])):
        manifest = {"manifest": {"value": {**job, "spec": spec}, "type": "dynamic"}}
        assert [one.kind for one in drift(declared("kubernetes_manifest", manifest))] == kinds
