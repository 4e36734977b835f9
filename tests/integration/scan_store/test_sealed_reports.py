"""What lies in the database of a cluster's report: nothing that can be read, moved or kept from the rotation of its key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from functions.scan.reported import ReportedObjects
from functions.scan.wiring import CREDENTIALS_KEY, REPORT_KEY
from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.ports.errors import CiphertextRefused, VersionUnusable
from shared.security.actor import Actor
from tests.support.clusters import Cluster, config_map
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.scan_function import ScanFunction, ScanOrg

VALUE = "postgres://app:hunter2@db.internal"
EVENT = Actor("event", "scheduler")
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "DB", "value": VALUE}]}]}}},
}


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as found:
        yield found


@pytest.fixture
def cluster(shared: ClonedDatabase) -> Cluster:
    return Cluster.make(ScanOrg.make(ScanFunction(shared)))


@pytest.fixture
def asked(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What KMS was asked for, in order."""
    found: list[str] = []
    vault = cluster.org.function.vault
    for name in ("wrap", "unwrap"):
        original = getattr(vault, name)

        def noting(*given: Any, _original: Any = original, _name: str = name, **more: Any) -> Any:
            found.append(_name)
            return _original(*given, **more)

        monkeypatch.setattr(vault, name, noting)
    return found


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database was told in units of work, in order."""
    found: list[str] = []
    original = UnitOfWork.rows

    def noting(tx: UnitOfWork, sql: str, **values: object) -> list[Row]:
        found.append(sql)
        return original(tx, sql, **values)

    monkeypatch.setattr(UnitOfWork, "rows", noting)
    return found


def about(statements: list[str], table: str) -> int:
    return sum(table in sql for sql in statements)


def search(cluster: Cluster) -> ReportedObjects:
    """Return what looks for objects in the way in which the makers of drift are looked for."""
    deps, org_id, account = cluster.org.function.deps, cluster.org.id, cluster.account_id
    return ReportedObjects(deps.db, EVENT, org_id, account, partial(deps.object_sealer, org_id, account))


def whole(cluster: Cluster, *objects: dict[str, Any]) -> list[dict[str, Any]]:
    """Send a whole report of one part; returns the objects."""
    cluster.done(cluster.part(1, is_last=True, objects=objects))
    return list(objects)


def test_no_value_lies_in_the_database_and_a_scan_reads_every_one(cluster: Cluster) -> None:
    sent = whole(cluster, config_map("a", url=VALUE), DEPLOYMENT)
    for table in ("cluster_objects", "cluster_reports"):
        rows = cluster.org.own(f"select to_jsonb(t)::text from scan.{table} t where org_id = :org_id")
        assert rows
        for form in (VALUE, "hunter2", VALUE.encode().hex(), b"hunter2".hex()):
            assert not [row for row in rows if form in row[0]], table
    assert cluster.objects() == sent


def test_kms_is_asked_once_for_each_part_and_once_for_each_reading(cluster: Cluster, asked: list[str]) -> None:
    cluster.done(cluster.part(1, objects=[config_map(f"a{number}") for number in range(30)]))
    assert asked == ["wrap"]
    last = cluster.part(2, is_last=True, objects=[config_map(f"b{number}") for number in range(30)])
    cluster.done(last)
    assert asked == ["wrap", "unwrap"]
    cluster.done(last)
    assert asked == ["wrap", "unwrap"], "a repeated part asks for nothing"
    assert len(cluster.objects()) == 60
    assert asked == ["wrap", "unwrap", "unwrap"]


def test_one_run_asks_for_the_report_once_and_for_each_object_once(
    cluster: Cluster, asked: list[str], statements: list[str]
) -> None:
    whole(cluster, *(config_map(f"a{number}") for number in range(20)))
    asked.clear()
    objects = search(cluster)
    statements.clear()
    for number in range(20):
        found = objects.find("ConfigMap", f"shop/a{number}")
        assert found is not None
        assert found["metadata"]["name"] == f"a{number}"
    assert (about(statements, "scan.cluster_reports"), about(statements, "scan.cluster_objects")) == (1, 20)
    assert asked == ["unwrap"]


def test_a_run_goes_on_in_the_report_that_took_the_place_of_its_own(cluster: Cluster) -> None:
    objects = search(cluster)
    assert objects.find("ConfigMap", "shop/a") is None, "nothing was reported"
    whole(cluster, config_map("a", url="before"), config_map("b"))
    found = objects.find("ConfigMap", "shop/a")
    cluster.report_id = uuid4()
    whole(cluster, config_map("a", url="after"))
    other = objects.find("ConfigMap", "shop/a")
    assert [item and item["data"] for item in (found, other)] == [{"url": "before"}, {"url": "after"}]
    assert objects.find("ConfigMap", "shop/b") is None


def test_an_object_that_changes_is_sealed_anew(cluster: Cluster) -> None:
    whole(cluster, config_map("a", url=VALUE), config_map("b"))
    before = dict(cluster.org.own("select key, object_sealed from scan.cluster_objects where org_id = :org_id"))
    cluster.done(cluster.part(2, objects=[config_map("a", url=VALUE)]))
    after = dict(cluster.org.own("select key, object_sealed from scan.cluster_objects where org_id = :org_id"))
    assert (before["shop/a"] == after["shop/a"], before["shop/b"] == after["shop/b"]) == (False, True)
    assert {item["metadata"]["name"] for item in cluster.objects()} == {"a", "b"}


def test_an_object_opens_in_no_other_row(cluster: Cluster) -> None:
    whole(cluster, config_map("a", url=VALUE), config_map("b"))
    cluster.org.own(
        "update scan.cluster_objects o set object_sealed = a.object_sealed from scan.cluster_objects a "
        "where o.org_id = :org_id and a.org_id = :org_id and o.key = 'shop/b' and a.key = 'shop/a'"
    )
    with pytest.raises(CiphertextRefused):
        cluster.objects()


@pytest.mark.parametrize("is_of_another_organisation", [False, True], ids=["cluster", "organisation"])
def test_an_object_opens_in_no_report_of_another(cluster: Cluster, is_of_another_organisation: bool) -> None:
    org = ScanOrg.make(cluster.org.function) if is_of_another_organisation else cluster.org
    other = Cluster.make(org)
    other.report_id = cluster.report_id
    whole(cluster, config_map("a", url=VALUE))
    whole(other, config_map("a"))
    other.org.own(
        "update scan.cluster_objects o set object_sealed = a.object_sealed from scan.cluster_objects a "
        "where o.org_id = :org_id and o.account_id = :account and a.account_id = :from",
        account=other.account_id, **{"from": cluster.account_id},
    )  # fmt: skip
    with pytest.raises(CiphertextRefused):
        other.objects()
    other.org.own(
        "update scan.cluster_reports o set objects_key_encrypted = a.objects_key_encrypted from scan.cluster_reports a "
        "where o.org_id = :org_id and o.account_id = :account and a.account_id = :from",
        account=other.account_id, **{"from": cluster.account_id},
    )  # fmt: skip
    with pytest.raises(CiphertextRefused):
        other.objects()


def test_the_rotation_of_the_key_takes_reports_along(cluster: Cluster) -> None:
    sent = whole(cluster, config_map("a", url=VALUE))
    function = cluster.org.function
    function.vault.add_wrapping_key(CREDENTIALS_KEY)
    versions = "select objects_key_version from scan.cluster_reports where org_id = :org_id"
    assert cluster.org.own(versions) == [[1]]
    function.deps.resealer.tend(EVENT, seconds=600)
    assert cluster.org.own(versions) == [[2]]
    function.vault.disable_version(CREDENTIALS_KEY, "1")
    assert cluster.objects() == sent
    cluster.done(cluster.part(2, objects=[config_map("b")]))
    assert len(cluster.objects()) == 2, "a report that was begun before the rotation goes on"
    function.vault.disable_version(CREDENTIALS_KEY, "2")
    with pytest.raises(VersionUnusable):
        cluster.objects()


def test_a_report_waits_while_kms_is_away(cluster: Cluster) -> None:
    body = cluster.part(1, is_last=True, objects=[config_map("a")])
    cluster.org.function.vault.is_away = True
    cluster.refused(body, 503, "service_away")
    assert cluster.org.own("select count(*) from scan.cluster_reports where org_id = :org_id")[0][0] == 0
    cluster.org.function.vault.is_away = False
    assert cluster.done(body)["status"] == "accepted"


def test_what_was_changed_in_the_database_is_no_ground_to_conclude_anything(cluster: Cluster) -> None:
    scan = cluster.done(cluster.part(1, is_last=True, objects=[config_map("a")]))["scan_id"]
    cluster.org.own(
        "update scan.cluster_objects set object_sealed = set_byte(object_sealed, 20, get_byte(object_sealed, 20) # 1) "
        "where org_id = :org_id"
    )
    function = cluster.org.function
    shards = [item for item in function.queue.messages("scan-shards") if item.payload["scan_id"] == scan]
    assert [json.loads(function.push(item, "scan-shards").get_data())["code"] for item in shards] == [
        "ciphertext_refused"
    ]
    stored = cluster.org.own(
        "select count(*) from scan.live_resources where org_id = :org_id and scan_id = :scan", scan=scan
    )
    assert stored[0][0] == 0


def test_a_new_report_has_a_key_of_its_own(cluster: Cluster) -> None:
    whole(cluster, config_map("a"))
    (before,) = cluster.org.own(
        "select sealing_id, objects_key_encrypted from scan.cluster_reports where org_id = :org_id"
    )
    cluster.report_id = uuid4()
    whole(cluster, config_map("a"))
    (after,) = cluster.org.own(
        "select sealing_id, objects_key_encrypted from scan.cluster_reports where org_id = :org_id"
    )
    opened = [
        cluster.org.function.deps.envelope.open(bytes(row[1]), REPORT_KEY.place(cluster.org.id, row[0])).reveal()
        for row in (before, after)
    ]
    assert opened[0] != opened[1]
