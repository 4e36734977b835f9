"""Who made a drift in a cluster: what the operator sends of managed fields, and which manager explains a changed path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftwise_operator.kinds import KINDS
from driftwise_operator.stripping import managers, stripped
from functions.scan.clouds.kubernetes_history import KubernetesHistory, choose
from functions.scan.domain.attribution import HistoryRefused, Question
from functions.scan.types.kubernetes import GENERIC, by_type
from functions.scan.types.kubernetes.managers import managers_of, members_of, unowned
from functions.scan.types.kubernetes.mapping import paths_of
from shared.ports.errors import CiphertextRefused, ServiceAway
from tests.support.kubernetes_objects import drift, fixture, read

DEPLOYMENTS = next(kind for kind in KINDS if kind.kind == "Deployment")
SEEN = datetime(2026, 11, 26, 4, tzinfo=UTC)
SINCE = SEEN - timedelta(hours=1)
WEB = "kubernetes_deployment_v1"


def entry(manager: str, fields: Any, minutes: float = 10, **more: Any) -> dict[str, Any]:
    """Return an entry of `managedFields`, as the API server writes it."""
    time = (SEEN - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **more,
    }


def containers(**fields: Any) -> dict[str, Any]:
    inside = {".": {}, "f:name": {}, **fields}
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': inside}}}}}


def live(*entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment as the operator reports it."""
    whole = fixture(WEB).live
    found: dict[str, Any] = stripped(
        DEPLOYMENTS, {**whole, "metadata": {**whole["metadata"], "managedFields": list(entries)}}, b""
    )
    return found


def question(
    kind: str = "changed",
    path: str | None = "spec.template.spec.container[0].image",
    type_name: str = WEB,
    key: str = "shop/web",
) -> Question:
    return Question(kind, type_name, key, None, "global", path, SEEN, SINCE)


def explained(asked: Question, *entries: Mapping[str, Any]) -> tuple[str, str] | None:
    answer = choose(asked, managers_of(live(*entries)))
    return None if answer is None else (answer.event.actor.name, answer.confidence)


IMAGE = containers(**{"f:image": {}})
REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def test_of_managed_fields_leave_managers_times_and_paths() -> None:
    labels: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}, "f:a~b": {}}}}
    status = entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status")
    assert live(entry("kubectl-edit", IMAGE | labels), status)["metadata"]["managedFields"] == [
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-26T03:50:00Z", "paths": [
            "/metadata/labels/app.kubernetes.io~1name", "/metadata/labels/a~0b", "/spec/template/spec/containers/image", "/spec/template/spec/containers/name"]},
    ]  # fmt: skip


def test_no_value_leaves_with_a_path() -> None:
    fields = {
        "f:metadata": {"f:finalizers": {'v:"hunter2"': {}}},
        "f:spec": {"f:hosts": {'k:{"ip":"hunter2"}': {".": {}, "f:ip": {}}, "i:0": {}}},
    }
    found = managers({"managedFields": [entry("x", fields)]})
    assert found[0]["paths"] == ["/metadata/finalizers", "/spec/hosts", "/spec/hosts/ip"]
    assert "hunter2" not in json.dumps(found)


def test_what_leaves_is_bounded() -> None:
    deep: Any = {}
    for _ in range(500):
        deep = {"f:x": deep}
    many = [entry("m" * 5000, {f"f:{number}": {} for number in range(5000)}, minutes=number) for number in range(50)]
    found = managers({"managedFields": [*many, entry("deep", deep, minutes=-1)]})
    assert len(found) == 20
    assert all(len(item["paths"]) <= 200 and len(item["manager"]) <= 128 for item in found)
    assert {item.get("cut") for item in found if item["manager"] != "deep"} == {True}
    assert len(json.dumps(found)) < 100_000


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        [None, 7, "x"],
        [{}],
        [{"manager": "x"}],
        [{"manager": "x", "fieldsV1": [1], "time": 5}],
        [{"manager": "x", "fieldsV1": {"f:a": 7}}],
    ],
)
def test_an_odd_list_of_managers_breaks_nothing(odd: Any) -> None:
    found = managers({"managedFields": odd})
    assert managers_of({"metadata": {"managedFields": found}}) == []
    assert managers_of({"metadata": {"managedFields": odd}}) == []


def test_who_owns_what_is_no_part_of_the_object_and_no_drift() -> None:
    first, second = live(entry("Terraform", IMAGE)), live(entry("kubectl-edit", IMAGE))
    assert unowned(first) == unowned(second)
    assert read([first]) == read([second])
    assert "managedFields" not in repr(read([first]))
    assert drift([(WEB, fixture(WEB).state)], [second]) == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("Terraform", REPLICAS, 300), entry("kubectl-edit", IMAGE)], ("kubectl-edit", "exact")),
        ([entry("Terraform", IMAGE, 300), entry("kubectl-edit", REPLICAS)], ("Terraform", "possible")),
        ([entry("helm", IMAGE, 20), entry("kubectl-edit", IMAGE, 10)], ("kubectl-edit", "likely")),
        ([entry("kubectl-edit", REPLICAS)], None),
        ([entry("kubectl-edit", IMAGE, minutes=-10)], None),
        ([], None),
    ],
)
def test_the_owner_of_a_changed_path_explains_it(
    entries: list[dict[str, Any]], expected: tuple[str, str] | None
) -> None:
    assert explained(question(), *entries) == expected


@pytest.mark.parametrize(
    ("path", "fields", "confidence"),
    [
        ("spec.replicas", REPLICAS, "exact"),
        ("manifest.spec.replicas", REPLICAS, "exact"),
        ("manifest.spec.template.spec.containers[0].image", IMAGE, "exact"),
        ("spec.template.spec.container", IMAGE, "likely"),
        ("spec.template.spec.host_pid", {"f:spec": {"f:template": {"f:spec": {"f:hostPID": {}}}}}, "exact"),
        ("spec.template.spec.hostPID", {"f:spec": {"f:template": {"f:spec": {"f:hostPID": {}}}}}, "exact"),
        (
            "metadata.labels.app.kubernetes.io/name",
            {"f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}}},
            "exact",
        ),
        ("metadata.labels", {"f:metadata": {"f:labels": {"f:app": {}}}}, "likely"),
    ],
)
def test_a_path_is_found_in_whichever_words_it_is_told(path: str, fields: dict[str, Any], confidence: str) -> None:
    assert explained(question(path=path), entry("kubectl-edit", fields)) == ("kubectl-edit", confidence)


def test_every_compared_path_is_told_in_the_words_of_the_api() -> None:
    for item in by_type().values():
        for path, members, _ in paths_of(item):
            assert members_of(item, path) == members, f"{item.kind.type}: {path}"


def test_a_manager_whose_paths_were_cut_makes_nobody_the_only_owner() -> None:
    many: dict[str, Any] = {"f:data": {f"f:{number}": {} for number in range(300)}}
    assert explained(question(), entry("kubectl-edit", IMAGE), entry("x", many, 20)) == ("kubectl-edit", "likely")


def test_what_nobody_declared_was_made_by_whoever_came_first() -> None:
    entries = [entry("kubectl-create", IMAGE, 30), entry("kubectl-edit", REPLICAS, 10)]
    assert explained(question("unmanaged", None), *entries) == ("kubectl-create", "likely")
    assert explained(question("unmanaged", None)) is None


def test_an_answer_says_which_program_it_was_and_through_what() -> None:
    answer = choose(question(path="spec.replicas"), managers_of(live(entry("kubectl", REPLICAS, subresource="scale"))))
    assert answer is not None
    event = answer.event
    assert (event.actor.type, event.actor.name, event.channel, event.call) == (
        "FieldManager",
        "kubectl",
        "cli",
        "kubernetes:Update/scale",
    )


@pytest.mark.parametrize(
    ("asked", "found", "reason"),
    [
        (question("missing", None), live(entry("x", IMAGE)), "not_enabled"),
        (question(), live(), "not_enabled"),
        (question(), None, "unavailable"),
        (question(type_name="helm_release"), live(), "not_enabled"),
        (question(), CiphertextRefused(), "malformed"),
        (question(), ServiceAway("kms"), "throttled"),
    ],
)
def test_nobody_knows_and_the_answer_says_why(asked: Question, found: Any, reason: str) -> None:
    def find(_kind: str, _key: str) -> Mapping[str, Any] | None:
        if isinstance(found, Exception):
            raise found
        result: Mapping[str, Any] | None = found
        return result

    with pytest.raises(HistoryRefused) as refused:
        KubernetesHistory(find).explain(asked, SEEN)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("type_name", "key", "wanted"),
    [
        (WEB, "shop/web", ("Deployment.apps", "shop/web")),
        ("kubernetes_namespace_v1", "shop", ("Namespace", "shop")),
        (GENERIC, "CronTab.stable.example.com shop/nightly", ("CronTab.stable.example.com", "shop/nightly")),
    ],
)
def test_a_drift_is_looked_up_by_the_object_that_it_is_about(type_name: str, key: str, wanted: tuple[str, str]) -> None:
    asked: list[tuple[str, str]] = []

    def find(kind: str, named: str) -> Mapping[str, Any]:
        asked.append((kind, named))
        return live(entry("kubectl-edit", REPLICAS))

    history = KubernetesHistory(find)
    assert history.explain(question(path="spec.replicas", type_name=type_name, key=key), SEEN) is not None
    assert (asked, history.requests) == ([wanted], 1)
