"""Scans of a Kubernetes cluster, end to end: reported by the call, compared with a state, exactly what was planted."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Request

from functions.scan.domain.cluster_reports import SILENCE
from functions.scan.types.kubernetes import by_kind, specs
from functions.scan.types.kubernetes.helm import KIND as RELEASES
from shared.testing.clock import FakeClock
from tests.support.cloud_scene import CloudScene
from tests.support.clusters import Cluster, config_map
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.kubernetes_api import ApiServer
from tests.support.kubernetes_objects import EVERY_KIND, changed, fixture, fixtures
from tests.support.operator_process import operating, settings_of
from tests.support.scan_function import ScanFunction, ScanOrg
from tests.support.wsgi_server import serving

EVERYTHING = sorted(EVERY_KIND)


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as found:
        yield found


@pytest.fixture
def cluster(shared: ClonedDatabase) -> Cluster:
    return Cluster.make(ScanOrg.make(ScanFunction(shared)))


@pytest.fixture
def scene(cluster: Cluster) -> CloudScene:
    """A cluster whose state declares every fixture."""
    (source,) = cluster.org.own(
        "insert into scan.state_sources (org_id, account_id, kind, name) values (:org_id, :account, 'upload', 's') returning id",
        account=cluster.account_id,
    )
    found = CloudScene(cluster.org, cluster.account_id, UUID(str(source[0])))
    found.declare((item.type, item.state) for item in fixtures())
    return found


def report(
    cluster: Cluster,
    objects: list[dict[str, Any]],
    kinds: list[str] = EVERYTHING,
    failures: list[dict[str, Any]] | None = None,
) -> str:
    """Send a whole report; returns the id of the scan that it starts."""
    cluster.report_id = uuid4()
    listing = {"kinds": kinds, "failures": failures or []}
    return str(cluster.done(cluster.part(1, objects=objects, listing=listing))["scan_id"])


def estate() -> list[dict[str, Any]]:
    return [copy.deepcopy(dict(item.live)) for item in fixtures()]


def open_drift(scene: CloudScene) -> set[tuple[str, str, str | None]]:
    items = scene.org.done("GET", "/drift?limit=200")["items"]
    return {(item["kind"], item["key"], item["path"]) for item in items if item["status"] == "open"}


def test_what_was_applied_shows_nothing(cluster: Cluster, scene: CloudScene) -> None:
    scan = scene.run(report(cluster, estate()))
    assert scan["status"] == "done"
    assert open_drift(scene) == set()
    assert scan["summary"]["in_sync"] == len(fixtures())
    coverage = scene.org.done("GET", f"/scans/{scan['id']}/coverage")
    assert (coverage["not_checked"], coverage["unread"]) == ([], [])
    assert (coverage["types_known"], coverage["types_mapped"]) == (82, len(specs()))


def test_what_was_planted_is_found_and_goes_again(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    planted = [item for item in estate() if item["kind"] != "ResourceQuota"]
    role = next(item for item in planted if item["kind"] == "Role")
    role["rules"][0]["verbs"].append("delete")
    planted.append(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray", "namespace": "shop"}, "data": {}}
    )
    scene.run(report(cluster, planted))
    assert open_drift(scene) == {
        ("changed", "shop/reader", "rule[0].verbs"),
        ("missing", "shop/cap", None),
        ("unmanaged", "shop/stray", None),
    }
    scene.run(report(cluster, estate()))
    assert open_drift(scene) == set()


def test_a_change_that_follows_a_report_is_in_the_next_scan(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    deployment = fixture("kubernetes_deployment_v1").live
    cluster.done(cluster.part(2, objects=[changed(deployment, ("spec", "template", "spec", "hostPID"))]))
    scene.run(scene.start())
    assert open_drift(scene) == {("changed", "shop/web", "spec.template.spec.host_pid")}


def test_a_drift_names_the_manager_of_the_changed_field(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    now = scene.function.clock.now()
    planted = changed(fixture("kubernetes_deployment_v1").live, ("spec", "template", "spec", "hostPID"))
    owner = {
        "manager": "kubectl-edit",
        "operation": "Update",
        "time": now.isoformat(),
        "paths": ["/spec/template/spec/hostPID"],
    }
    planted["metadata"]["managedFields"] = [owner]
    cluster.done(cluster.part(2, objects=[planted]))
    scene.function.clock.advance(60)
    scene.run(scene.start())
    (item,) = scene.items()
    found = item["attribution"]
    assert item["severity"] == "high"
    assert (found["status"], found["actor"], found["channel"]) == ("found", "kubectl-edit", "cli")


def test_replicas_of_what_an_autoscaler_steers_are_nobodys_drift(cluster: Cluster, scene: CloudScene) -> None:
    planted = [
        changed(item, ("spec", "replicas"))
        if item["metadata"]["name"] == "web" and item["kind"] == "Deployment"
        else item
        for item in estate()
    ]
    scene.run(report(cluster, planted))
    assert open_drift(scene) == set()
    scene.run(report(cluster, [item for item in planted if item["kind"] != "HorizontalPodAutoscaler"]))
    assert ("changed", "shop/web", "spec.replicas") in open_drift(scene)


def test_a_secret_whose_value_changed_is_seen_by_its_digest(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    planted = estate()
    secret = next(item for item in planted if item["kind"] == "Secret")
    secret["data"]["password"] = "hmac-sha256:ff"
    scene.run(report(cluster, planted))
    assert {(kind, key) for kind, key, _ in open_drift(scene)} == {("changed", "shop/db")}


def test_a_kind_that_was_not_listed_concludes_nothing(cluster: Cluster, scene: CloudScene) -> None:
    gone = [item for item in estate() if item["kind"] != "Secret"]
    failure = {"kind": "Secret", "reason": "access_denied", "permission": "list secrets", "detail": "answers 403"}
    scan = scene.run(report(cluster, gone, [kind for kind in EVERYTHING if kind != "Secret"], [failure]))
    assert open_drift(scene) == set()
    gaps = scene.org.done("GET", f"/scans/{scan['id']}/coverage")["not_checked"]
    assert [(gap["types"], gap["permission"]) for gap in gaps] == [(["kubernetes_secret_v1"], "list secrets")]


def test_a_kind_of_the_clusters_own_that_is_not_read_is_not_missing(cluster: Cluster, scene: CloudScene) -> None:
    mapped = sorted({*by_kind(), RELEASES})
    scene.run(report(cluster, [item for item in estate() if item["kind"] != "CronTab"], mapped))
    assert open_drift(scene) == set()
    scene.run(report(cluster, [item for item in estate() if item["kind"] != "CronTab"], EVERYTHING))
    assert open_drift(scene) == {("missing", "CronTab.stable.example.com shop/nightly", None)}


def test_an_operator_that_has_gone_silent_is_not_believed(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    scene.function.clock.advance(SILENCE.total_seconds() + 1)
    scan = scene.run(scene.start())
    gaps = scene.org.done("GET", f"/scans/{scan['id']}/coverage")["not_checked"]
    assert {gap["reason"] for gap in gaps} == {"unavailable"}
    assert "nothing was heard" in gaps[0]["detail"]
    assert open_drift(scene) == set()


def test_a_cluster_that_never_reported_says_so(cluster: Cluster, scene: CloudScene) -> None:
    scan = scene.run(scene.start())
    (gap,) = scene.org.done("GET", f"/scans/{scan['id']}/coverage")["not_checked"]
    assert "no whole report yet" in gap["detail"]
    assert open_drift(scene) == set()


def test_no_value_of_a_secret_is_stored(cluster: Cluster, scene: CloudScene) -> None:
    scene.run(report(cluster, estate()))
    for table in ("state_resources", "live_resources", "live_documents", "baselines", "cluster_objects"):
        rows = cluster.org.own(f"select to_jsonb(t)::text from scan.{table} t where org_id = :org_id")
        assert not [row for row in rows if "P4ssw0rd" in row[0]], table


def test_the_operator_and_the_call_speak_one_language(shared: ClonedDatabase, tmp_path: Path) -> None:
    cluster = Cluster.make(ScanOrg.make(ScanFunction(shared, clock=FakeClock(datetime.now(UTC)))))
    api, app = ApiServer(), cluster.org.function.app
    api.put(config_map("a", "shop", color="blue"))
    api.put(config_map("b", "shop"))
    with api.serve() as server, serving(lambda environ, start: app.handle(Request(environ))(environ, start)) as url:
        settings = settings_of(tmp_path, url, server, account_id=str(cluster.account_id), page=1)
        settings.api_key_file.write_text(cluster.key)
        with operating(settings):
            _wait(lambda: cluster.names() == ["ConfigMap shop/a", "ConfigMap shop/b"])
            api.wait_for_watch("/api/v1/configmaps")
            api.delete(config_map("a", "shop"))
            _wait(lambda: cluster.names() == ["ConfigMap shop/b"])


def _wait(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at, "it did not come"
        time.sleep(0.05)
