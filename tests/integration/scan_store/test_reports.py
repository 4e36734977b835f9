"""What an operator reports of a Kubernetes cluster: who may, in which order, how much, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from functions.scan.domain import cluster_reports
from functions.scan.domain.cluster_reports import SCAN_INTERVAL, signing_secret
from functions.scan.handlers import reporting
from shared.security.signatures import sign
from tests.support.clusters import PATH, Cluster, config_map, make_key
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.http_app import call
from tests.support.scan_function import ScanFunction, ScanOrg


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    """One database for all tests, as each has an organisation of its own."""
    with database_server.clone() as found:
        yield found


@pytest.fixture
def cluster(shared: ClonedDatabase) -> Cluster:
    return Cluster.make(ScanOrg.make(ScanFunction(shared)))


def test_parts_become_one_report_and_a_scan_starts(cluster: Cluster) -> None:
    first = cluster.done(cluster.part(1, objects=[config_map("a"), config_map("b")]))
    assert (first["status"], first["next_part"], first["is_complete"], first["scan_id"]) == ("accepted", 2, False, None)
    assert cluster.names() == [], "half a report is nothing to conclude from"
    last = cluster.done(cluster.part(2, is_last=True, objects=[config_map("c")]))
    assert last["is_complete"]
    assert last["scan_id"]
    assert cluster.names() == ["ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap shop/c"]


def test_a_part_that_comes_again_changes_nothing(cluster: Cluster) -> None:
    body = cluster.part(1, is_last=True, objects=[config_map("a")])
    scan = cluster.done(body)["scan_id"]
    again = cluster.done(body)
    assert again == {"status": "already_processed", "next_part": 2, "is_complete": True, "scan_id": None}
    assert cluster.names() == ["ConfigMap shop/a"]
    assert scan is not None
    audited = cluster.org.own(
        "select count(*) from core.audit_log where org_id = :org_id and action = 'scan:cluster_report:completed'"
    )
    assert audited[0][0] == 1


def test_a_number_that_was_another_bodys_is_refused(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, objects=[config_map("a")]))
    cluster.refused(cluster.part(1, objects=[config_map("b")]), 409, "report_mismatch")


def test_a_gap_says_which_part_is_expected(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, objects=[config_map("a")]))
    assert cluster.refused(cluster.part(3), 409, "report_gap")["expected_part"] == 2


def test_a_report_that_nobody_began_is_gone(cluster: Cluster) -> None:
    cluster.refused(cluster.part(2), 409, "report_gone")


def test_an_operator_that_was_killed_in_the_middle_begins_anew(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, is_last=True, objects=[config_map("old")]))
    cluster.report_id = uuid4()
    cluster.done(cluster.part(1, objects=[config_map("half")]))
    assert cluster.names() == ["ConfigMap shop/old"], "the whole report stays until another is whole"
    killed, cluster.report_id = cluster.report_id, uuid4()
    cluster.done(cluster.part(1, objects=[config_map("new")]))
    cluster.done(cluster.part(2, is_last=True))
    assert cluster.names() == ["ConfigMap shop/new"]
    cluster.report_id = killed
    cluster.refused(cluster.part(2, is_last=True), 409, "report_gone")


def test_changes_follow_a_whole_report(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, is_last=True, objects=[config_map("a"), config_map("b")]))
    gone = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "a"}
    cluster.done(cluster.part(2, objects=[config_map("b", color="blue"), config_map("c")], deleted=[gone]))
    assert cluster.names() == ["ConfigMap shop/b", "ConfigMap shop/c"]
    assert {item["metadata"]["name"]: item["data"] for item in cluster.objects()} == {"b": {"color": "blue"}, "c": {}}


def test_a_change_starts_a_scan_when_there_was_none_for_a_while(cluster: Cluster) -> None:
    org = cluster.org
    scan = cluster.done(cluster.part(1, is_last=True))["scan_id"]
    assert cluster.done(cluster.part(2, objects=[config_map("a")]))["scan_id"] is None, "one is under way"
    org.own("update scan.scans set status = 'done' where org_id = :org_id")
    org.own("update scan.scans set created_at = :at where org_id = :org_id", at=org.function.clock.now())
    assert cluster.done(cluster.part(3, objects=[config_map("b")]))["scan_id"] is None, "one has just been"
    org.function.clock.advance(SCAN_INTERVAL.total_seconds() + 1)
    assert cluster.done(cluster.part(4))["scan_id"] is None, "nothing changed"
    assert cluster.done(cluster.part(5, objects=[config_map("c")]))["scan_id"] not in (None, scan)


def test_a_listing_ends_once(cluster: Cluster) -> None:
    cluster.done(cluster.part(1, is_last=True))
    cluster.refused(cluster.part(2, is_last=True), 409, "report_mismatch")


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_no_other_scope_sends_reports(cluster: Cluster, scope: str) -> None:
    cluster.refused(cluster.part(1), 403, "scope_required", key=make_key(cluster.org, [scope]))


def test_people_send_no_reports(cluster: Cluster) -> None:
    response = call(cluster.org.function.app, "POST", PATH, token=cluster.org.token("owner"), json_body=cluster.part(1))
    assert json.loads(response.get_data())["code"] == "key_required"


@pytest.mark.parametrize("path", ["/cloud-accounts", "/scans", "/drift"])
def test_the_operators_key_opens_nothing_else(cluster: Cluster, path: str) -> None:
    org = cluster.org
    response = call(org.function.app, "GET", f"/api/v2/orgs/{org.id}{path}", token=cluster.key)
    assert (response.status_code, json.loads(response.get_data())["code"]) == (403, "scope_required")


def test_a_key_loses_the_scope_with_its_makers_role(cluster: Cluster) -> None:
    org = cluster.org
    viewer = org.function.database.make_member(org.id, "viewer")
    cluster.refused(cluster.part(1), 403, "scope_required", key=make_key(org, ["report"], maker=viewer))


def test_the_database_keeps_the_scope_alone(cluster: Cluster) -> None:
    with pytest.raises(Exception, match="api_keys_scopes_check"):
        make_key(cluster.org, ["report", "admin"])


def test_a_cluster_of_another_organisation_is_not_there(cluster: Cluster) -> None:
    other = Cluster.make(ScanOrg.make(cluster.org.function))
    cluster.refused(other.part(1, objects=[config_map("a")]), 404, "not_found")
    assert other.org.own("select count(*) from scan.cluster_reports where org_id = :org_id")[0][0] == 0


def test_an_account_of_another_cloud_takes_no_reports(cluster: Cluster) -> None:
    cluster.account_id = cluster.org.make_account()
    cluster.refused(cluster.part(1), 404, "not_found")


def test_two_clusters_may_use_one_report_id(cluster: Cluster) -> None:
    other = Cluster.make(cluster.org)
    other.report_id = cluster.report_id
    cluster.done(cluster.part(1, is_last=True, objects=[config_map("a")]))
    other.done(other.part(1, is_last=True, objects=[config_map("b")]))
    assert (cluster.names(), other.names()) == (["ConfigMap shop/a"], ["ConfigMap shop/b"])


def test_a_body_that_is_not_the_signed_one_is_refused(cluster: Cluster) -> None:
    body = json.dumps(cluster.part(1)).encode()
    signed = sign([signing_secret(cluster.key)], "x", cluster.org.function.clock.now(), body + b" ")
    cluster.refused(body, 401, "signature_refused", **{name.replace("-", "_"): item for name, item in signed.items()})


def test_a_signature_by_another_key_is_refused(cluster: Cluster) -> None:
    other = Cluster.make(cluster.org)
    body = json.dumps(cluster.part(1)).encode()
    signed = sign([signing_secret(other.key)], "x", cluster.org.function.clock.now(), body)
    cluster.refused(body, 401, "signature_refused", **{name.replace("-", "_"): item for name, item in signed.items()})


def test_a_request_that_was_recorded_is_refused_later(cluster: Cluster) -> None:
    body = json.dumps(cluster.part(1)).encode()
    signed = sign([signing_secret(cluster.key)], "x", cluster.org.function.clock.now(), body)
    cluster.org.function.clock.advance(301)
    cluster.refused(body, 401, "signature_refused", **{name.replace("-", "_"): item for name, item in signed.items()})


def test_what_is_sent_is_bounded(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.refused(b" " * (reporting.MOST_PART_BYTES + 1), 413, "body_too_large")
    cluster.refused(b'{"objects":' + b"[" * 101 + b"]" * 101 + b"}", 400, "malformed_request")
    cluster.refused(cluster.part(1, objects=[config_map(f"c{i}") for i in range(2001)]), 422, "invalid")
    monkeypatch.setattr(cluster_reports, "MOST_OBJECTS", 2)
    found = cluster.refused(cluster.part(1, objects=[config_map(name) for name in "abc"]), 413, "report_too_large")
    assert found["limit_objects"] == 2
    assert cluster.org.own("select count(*) from scan.cluster_reports where org_id = :org_id")[0][0] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "ConfigMap", "metadata": {"name": "x"}},
        {"apiVersion": "v1", "kind": "ConfigMap"},
        {"apiVersion": "v1", "kind": "config map", "metadata": {"name": "x"}},
        {"apiVersion": "v1/../x", "kind": "ConfigMap", "metadata": {"name": "x"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a/b"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "A_B"}},
    ],
    ids=["no version", "no metadata", "kind", "version", "name", "namespace"],
)
def test_an_object_that_does_not_say_what_it_is_is_refused(cluster: Cluster, wrong: dict[str, object]) -> None:
    cluster.refused(cluster.part(1, objects=[wrong]), 422, "invalid")
