"""What a report becomes: what Kubernetes makes by itself, what belongs to others, what cannot be understood."""

from __future__ import annotations

import copy
import json
from typing import Any
from uuid import UUID

import pytest

from functions.scan.domain.baseline_records import document_row
from functions.scan.domain.records import live_row
from functions.scan.domain.resources import LiveResource, NotChecked, Unread
from functions.scan.domain.sealing import Sealer, marks_of
from functions.scan.domain.state import parse_state
from functions.scan.readers.kubernetes.reading import NotListed
from functions.scan.types.kubernetes import GENERIC, by_kind, specs
from shared.ports.secret_store import Secret
from tests.support.kubernetes_objects import EVERY_KIND, drift, fixture, read, state_of


def an_object(kind: str, name: str, namespace: str = "", api_version: str = "v1", **members: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **members.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}


RBAC = "rbac.authorization.k8s.io/v1"
BOOTSTRAPPED = {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
MADE = [
    an_object("Namespace", "kube-system"),
    an_object("Namespace", "default"),
    an_object("ConfigMap", "kube-root-ca.crt", "shop", data={"ca.crt": "x"}),
    an_object("ServiceAccount", "default", "shop"),
    an_object("Service", "kubernetes", "default", spec={"clusterIP": "10.96.0.1"}),
    an_object("Secret", "default-token-x", "shop", type="kubernetes.io/service-account-token"),
    an_object("ConfigMap", "coredns", "kube-system", data={}),
    an_object("ClusterRole", "system:node", api_version=RBAC, metadata=BOOTSTRAPPED, rules=[]),
    an_object("ClusterRole", "cluster-admin", api_version=RBAC, metadata=BOOTSTRAPPED, rules=[]),
    an_object("PriorityClass", "system-node-critical", api_version="scheduling.k8s.io/v1", value=1),
    an_object(
        "PersistentVolume",
        "pvc-1",
        metadata={"annotations": {"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}},
        spec={},
    ),
    an_object(
        "Job",
        "report-1",
        "shop",
        "batch/v1",
        metadata={"ownerReferences": [{"kind": "CronJob", "controller": True}]},
        spec={},
    ),
]
STRAY = [
    an_object("Namespace", "kube-system-2"),
    an_object("ConfigMap", "settings", "shop"),
    an_object("ServiceAccount", "deployer", "shop"),
    an_object("Secret", "password", "shop", type="Opaque"),
    an_object("ClusterRole", "system:evil", api_version=RBAC, rules=[]),
    an_object("ClusterRole", "evil", api_version=RBAC, metadata=BOOTSTRAPPED, rules=[]),
    an_object("ClusterRoleBinding", "evil", api_version=RBAC, roleRef={}, subjects=[]),
    an_object("RoleBinding", "evil", "kube-system", RBAC, roleRef={}, subjects=[]),
    an_object(
        "Job",
        "by-hand",
        "shop",
        "batch/v1",
        metadata={"ownerReferences": [{"kind": "X", "controller": False}]},
        spec={},
    ),
    an_object("CronTab", "mine", "shop", "stable.example.com/v1"),
]


@pytest.mark.parametrize("item", MADE, ids=lambda item: f"{item['kind']} {item['metadata']['name']}")
def test_what_the_cluster_makes_by_itself_is_not_unmanaged(item: dict[str, Any]) -> None:
    assert drift([], [item]) == []


@pytest.mark.parametrize("item", STRAY, ids=lambda item: f"{item['kind']} {item['metadata']['name']}")
def test_what_somebody_made_is(item: dict[str, Any]) -> None:
    assert [one.kind for one in drift([], [item])] == ["unmanaged"]


def test_what_a_release_holds_is_the_releases() -> None:
    release = fixture("helm_release")
    held, stray = (an_object("Service", name, "shop", spec={}) for name in ("redis-master", "other"))
    declared = [(release.type, release.state)]
    assert [one.key for one in drift(declared, [release.live, held, stray])] == ["shop/other"]
    assert {one.key for one in drift([], [release.live, held])} == {"shop/redis"}, "it shows with its release, once"
    assert {one.key for one in drift(declared, [held])} == {"shop/redis", "shop/redis-master"}, (
        "a release that is gone holds nothing"
    )


def test_rules_of_an_aggregated_role_are_those_of_others() -> None:
    role = fixture("kubernetes_cluster_role_v1")
    state = dict(role.state) | {
        "aggregation_rule": [{"cluster_role_selectors": [{"match_expressions": [], "match_labels": {"a": "b"}}]}],
        "rule": [],
    }
    live = dict(role.live) | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}
    assert drift([(role.type, state)], [live]) == []
    other = dict(live) | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "c"}}]}}
    assert [one.path for one in drift([(role.type, state)], [other])] == [
        "aggregation_rule.cluster_role_selectors[0].match_labels.a"
    ]


def test_an_empty_selector_is_not_no_selector() -> None:
    """`namespaceSelector: {}` lets every namespace in, and no selector lets in none but the own."""
    policy = fixture("kubernetes_network_policy")
    opened = copy.deepcopy(dict(policy.live))
    opened["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = {}
    assert drift([(policy.type, policy.state)], [opened])
    opened = copy.deepcopy(dict(policy.live))
    opened["spec"]["ingress"].append({})
    assert drift([(policy.type, policy.state)], [opened]), "an empty rule lets everything in"


def test_a_container_that_was_added_shows_in_a_manifest() -> None:
    item = fixture("kubectl_manifest")
    added = copy.deepcopy(dict(item.live))
    added["spec"]["template"]["spec"]["containers"].append({"name": "miner", "image": "miner:1"})
    assert [one.kind for one in drift([(item.type, item.state)], [added])] == ["changed"]


def test_a_manifest_in_another_version_of_the_api_says_nothing() -> None:
    item = fixture("kubernetes_manifest")
    newer = copy.deepcopy(dict(item.live)) | {"apiVersion": "stable.example.com/v2"}
    newer["spec"]["replicas"] = 9
    assert drift([(item.type, item.state)], [newer]) == []


def test_a_manifest_of_a_secret_is_compared_by_names() -> None:
    value = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop"},
        "stringData": {"password": "P4ssw0rd"},
    }
    live = an_object("Secret", "db", "shop", data={"password": "hmac-sha256:00"})
    state = {"manifest": {"type": "dynamic", "value": value}}
    assert drift([("kubernetes_manifest", state)], [live]) == []
    live["data"]["second"] = "hmac-sha256:01"
    found = drift([("kubernetes_manifest", state)], [live])
    assert [one.kind for one in found] == ["changed"]
    assert "P4ssw0rd" not in repr(found)


def test_a_manifest_that_a_state_hides_is_compared_by_its_existence_alone() -> None:
    item = fixture("kubernetes_manifest")
    other = copy.deepcopy(dict(item.live))
    other["spec"]["image"] = "other"
    assert drift([(item.type, item.state)], [other], sensitive=["manifest"]) == []
    assert [one.kind for one in drift([(item.type, item.state)], [], sensitive=["manifest"])] == ["missing"]


def test_what_a_state_hides_in_a_block_stays_hidden() -> None:
    item = fixture("kubernetes_deployment_v1")
    other = copy.deepcopy(dict(item.live))
    other["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "staging"
    (found,) = drift([(item.type, item.state)], [other], sensitive=["spec"])
    assert (found.path, found.is_sensitive) == ("spec.template", True)


@pytest.mark.parametrize(("kind", "hides"), [("kubernetes_deployment_v1", "spec"), ("kubernetes_manifest", "manifest")])
def test_what_a_state_hides_is_hidden_of_the_whole_object_too(kind: str, hides: str) -> None:
    item = fixture(kind)
    state = parse_state(state_of([(item.type, item.state)], [hides]), specs()).declared
    live = copy.deepcopy(dict(item.live))
    live["spec"]["hidden"] = "P4ssw0rd"
    (found,) = read([live])
    assert isinstance(found, LiveResource)
    seal = Sealer([(1, Secret(bytes(32)))], UUID(int=1))
    row = live_row(found, specs(), seal, marks=marks_of(state))
    document = document_row(found, specs(), seal, marks=marks_of(state))
    assert "P4ssw0rd" not in json.dumps([row, document], default=str)


def test_an_object_in_a_form_that_nobody_documents_is_unread() -> None:
    wrong = an_object("Deployment", "web", "shop", "apps/v1", spec={"template": ["x"], "selector": 7})
    (found,) = [item for item in read([wrong]) if not isinstance(item, NotChecked)]
    assert isinstance(found, Unread)
    assert (found.type, found.key, found.reason) == ("kubernetes_deployment_v1", "shop/web", "malformed")
    item = fixture("kubernetes_deployment_v1")
    assert drift([(item.type, item.state)], [wrong]) == []


def test_what_was_seen_of_a_kind_that_was_not_listed_to_its_end_is_left_alone() -> None:
    failure = NotListed("Secret", "throttled", None, "the API server answers 429")
    found = read([an_object("Secret", "x", "shop")], failures=[failure])
    assert found == [NotChecked(("kubernetes_secret_v1",), "global", "throttled", None, "the API server answers 429")]


def test_kinds_that_are_left_out_are_not_checked() -> None:
    (gap,) = read([], kinds=EVERY_KIND - {"Secret", "Job.batch"})
    assert isinstance(gap, NotChecked)
    assert (gap.types, gap.reason) == (("kubernetes_job_v1", "kubernetes_secret_v1"), "not_enabled")


def test_a_failed_kind_of_the_clusters_own_leaves_only_its_objects_open() -> None:
    failure = NotListed("Widget.example.com", "access_denied", "list widgets.example.com")
    found = read([], failures=[failure], declared=["Widget.example.com shop/w", "CronTab.stable.example.com shop/c"])
    assert found == [Unread(GENERIC, "Widget.example.com shop/w", (), "list widgets.example.com", "access_denied")]


def test_objects_are_found_by_labels_and_remembered_whole() -> None:
    (found,) = read([fixture("kubernetes_config_map").live])
    assert isinstance(found, LiveResource)
    assert found.tags == {"app": "web"}
    assert found.document == fixture("kubernetes_config_map").live


def test_every_kind_has_one_type_and_every_type_one_rule() -> None:
    assert len(by_kind()) == 25
    assert len(specs()) == 57
    assert all(spec.type == name for name, spec in specs().items())
