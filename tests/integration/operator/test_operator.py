"""The operator at work: an API server that speaks the documented shapes on one side, a DriftWise that checks every part on the other."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftwise_operator import cluster as cluster_module
from driftwise_operator import operator as operator_module
from driftwise_operator import report as report_module
from driftwise_operator.kinds import KINDS, Kind
from tests.support.kubernetes_api import ApiServer
from tests.support.operator_process import KEY, Receiver, operating, settings_of

CONFIG_MAPS, SECRETS, DEPLOYMENTS = "/api/v1/configmaps", "/api/v1/secrets", "/apis/apps/v1/deployments"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def secret(name: str, **values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(data)}
    metadata = {"name": name, "namespace": "shop", "annotations": applied}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def release(revision: int, status: str = "deployed", **values: object) -> dict[str, Any]:
    """Return a secret as Helm writes it: JSON, gzip, base64, and once more base64 as secrets have it."""
    manifest = "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: redis\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: redis\n"
    record = {
        "name": "redis", "namespace": "shop", "version": revision, "info": {"status": status, "notes": "password: hunter2"},
        "chart": {"metadata": {"name": "redis", "version": "19.6.4", "appVersion": "7.2.5"}}, "config": values, "manifest": manifest,
    }  # fmt: skip
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
    labels = {"owner": "helm", "name": "redis", "version": str(revision), "status": status}
    metadata = {"name": f"sh.helm.release.v1.redis.v{revision}", "namespace": "shop", "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "helm.sh/release.v1",
        "data": {"release": packed},
    }


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a hundredth of what is usual."""
    monkeypatch.setattr(operator_module, "_SHORTEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cluster_module, "_LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(report_module, "LONGEST_WAIT_SECONDS", 0.01)


@pytest.fixture
def api() -> Iterator[ApiServer]:
    found = ApiServer()
    with found.serve():
        yield found


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with receiver.serve() as found:
        yield found


def test_a_whole_report_comes_page_by_page_and_says_what_was_listed(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    for name in "abcde":
        api.put(config_map(name, color=name))
    with operating(settings_of(tmp_path, url, api.url)) as running:
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        assert running.health.is_taken
        assert running.health.is_whole
    (listing,) = receiver.listings()
    assert set(listing["kinds"]) == {*(kind.name for kind in KINDS), "HelmRelease.operator.driftwise"}
    assert (listing["failures"], listing["server_version"]) == ([], "v1.34.1")
    assert sorted(receiver.latest) == [("ConfigMap", f"shop/{name}") for name in "abcde"]
    assert [query.get("continue") for query in api.lists(CONFIG_MAPS)] == [None, "2", "4"]
    assert set(api.tokens) == {"Bearer cluster-token"}


def test_no_value_of_a_secret_leaves_the_cluster(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    api.put(secret("db", password="P4ssw0rd", username="admin"))
    api.put(release(1, token="s3cr3t"))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    sent = json.dumps(receiver.parts)
    for value in ("P4ssw0rd", "s3cr3t", "hunter2", base64.b64encode(b"P4ssw0rd").decode()):
        assert value not in sent
    found = receiver.latest["Secret", "shop/db"]
    assert set(found["data"]) == {"password", "username"}
    assert all(value.startswith("hmac-sha256:") for value in found["data"].values())
    assert set(found) == {"apiVersion", "kind", "metadata", "type", "data"}
    assert "managedFields" not in sent
    assert "last-applied" not in sent
    assert KEY not in sent


def test_a_secret_that_changes_is_seen_by_its_digest(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.put(secret("db", password="one"))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        before = receiver.latest["Secret", "shop/db"]["data"]["password"]
        api.wait_for_watch(SECRETS)
        api.put(secret("db", password="two"))
        receiver.wait_for(lambda: receiver.latest["Secret", "shop/db"]["data"]["password"] != before)
    assert len(receiver.reports) == 1


def test_without_a_key_of_digests_a_secret_is_names_alone(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.put(secret("db", password="one"))
    with operating(settings_of(tmp_path, url, api.url, digest_key_file=None)):
        receiver.wait_for(receiver.listings)
    assert receiver.latest["Secret", "shop/db"]["data"] == {"password": ""}


def test_a_release_of_helm_is_told_by_its_newest_revision(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.put(release(1, "superseded", a=1))
    api.put(release(2, a=2))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        spec = receiver.latest["HelmRelease.operator.driftwise", "shop/redis"]["spec"]
        assert (spec["chart"], spec["version"], spec["appVersion"], spec["revision"], spec["status"]) == (
            "redis",
            "19.6.4",
            "7.2.5",
            2,
            "deployed",
        )
        assert spec["objects"] == [
            {"kind": "Service", "namespace": "shop", "name": "redis"},
            {"kind": "StatefulSet.apps", "namespace": "shop", "name": "redis"},
        ]
        assert not [key for key in receiver.latest if key[0] == "Secret"], "Helm's own record is no secret of anybody's"
        api.wait_for_watch(SECRETS)
        api.put(release(3, a=3))
        receiver.wait_for(
            lambda: receiver.latest["HelmRelease.operator.driftwise", "shop/redis"]["spec"]["revision"] == 3
        )
        api.delete(release(1))
        api.delete(release(3))
        receiver.wait_for(lambda: ("HelmRelease.operator.driftwise", "shop/redis") not in receiver.latest)


def test_changes_and_deletions_follow(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    api.put(config_map("a"))
    api.put(config_map("b"))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        api.delete(config_map("a"))
        api.put(config_map("b", color="blue"))
        api.put(config_map("c"))
        receiver.wait_for(lambda: sorted(receiver.latest) == [("ConfigMap", "shop/b"), ("ConfigMap", "shop/c")])
    assert receiver.latest["ConfigMap", "shop/b"]["data"] == {"color": "blue"}
    assert len(receiver.reports) == 1
    assert [part["part"] for part in receiver.parts] == list(range(1, len(receiver.parts) + 1))


def test_a_watch_whose_version_is_too_old_leads_to_a_new_list(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.put(config_map("a"))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        del api.objects[CONFIG_MAPS]["shop", "a"]  # an event that nobody will ever be told
        api.expire(CONFIG_MAPS)
        receiver.wait_for(lambda: len(receiver.listings()) == 2)
    assert ("ConfigMap", "shop/a") not in receiver.latest


def test_a_refused_version_and_a_bookmark(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    """A watch that ended goes on from the last bookmark; an HTTP 410 to it means a new list (API concepts, "Watch bookmarks")."""
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        api.bookmark(CONFIG_MAPS, 4711)
        api.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}})
        receiver.wait_for(lambda: ("ConfigMap", "shop/x") in receiver.latest)
        api.faults[CONFIG_MAPS].append((410, {}))
        api._events[CONFIG_MAPS].append(
            {"type": "ERROR", "object": {"code": 500, "metadata": {}}}
        )  # the server ends the watch
        with api._changed:
            api._changed.notify_all()
        receiver.wait_for(lambda: len(receiver.listings()) == 2)


def test_a_list_that_became_too_old_between_two_pages_begins_again(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    for name in "abc":
        api.put(config_map(name))
    original, forgot = api._list, list[str]()

    def forgetful(handler: Any, path: str, query: Any) -> None:
        if path == CONFIG_MAPS and "continue" in query and not forgot:
            forgot.append(path)
            del api.objects[CONFIG_MAPS]["shop", "a"]
            api.faults[path].append((410, {}))
            return api._answer(handler)
        return original(handler, path, query)

    api._list = forgetful  # type: ignore[method-assign]
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    assert sorted(receiver.latest) == [("ConfigMap", "shop/b"), ("ConfigMap", "shop/c")]


def test_a_kind_that_may_not_be_listed_is_told_with_the_missing_right(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.put(config_map("a"))
    api.faults[SECRETS].append((403, {}))
    api.faults[DEPLOYMENTS].append((404, {}))
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    (listing,) = receiver.listings()
    failures = {item["kind"]: (item["reason"], item["permission"]) for item in listing["failures"]}
    assert failures == {
        "Secret": ("access_denied", "list secrets"),
        "HelmRelease.operator.driftwise": ("access_denied", "list secrets"),
        "Deployment.apps": ("not_enabled", None),
    }
    assert not {*failures} & {*listing["kinds"]}
    assert ("ConfigMap", "shop/a") in receiver.latest, "one kind does not keep the others back"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_api_server_is_asked_again(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path, status: int
) -> None:
    api.put(config_map("a"))
    api.faults[CONFIG_MAPS].extend([(status, {"Retry-After": "0"})] * 3)
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    assert receiver.listings()[0]["failures"] == []
    assert len(api.lists(CONFIG_MAPS)) == 4


def test_an_api_server_that_stays_busy_is_told_as_throttled(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    api.faults[CONFIG_MAPS].extend([(429, {})] * 6)
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    (failure,) = receiver.listings()[0]["failures"]
    assert (failure["kind"], failure["reason"]) == ("ConfigMap", "throttled")


def test_a_part_is_sent_until_it_is_taken(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    receiver.faults.extend(
        [(503, "service_away", {"Retry-After": "0"}), (429, "rate_limited", {}), (401, "unauthenticated", {})]
    )
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
    assert receiver.attempts >= 4
    assert receiver.parts[0]["part"] == 1


def test_a_part_whose_answer_was_lost_is_the_same_part_again(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    receiver.drops = 2
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(lambda: receiver.listings() and receiver.attempts >= 3)
    assert [part["part"] for part in receiver.parts] == list(range(1, len(receiver.parts) + 1))


def test_an_operator_that_was_killed_in_the_middle_leaves_half_a_report_behind(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "MOST_OBJECTS", 1)
    for name in "abc":
        api.put(config_map(name))
    settings = settings_of(tmp_path, url, api.url)
    with operating(settings) as running:
        receiver.wait_for(lambda: len(receiver.parts) >= 1)
        running.kill()
    half = receiver.reports[-1]
    with operating(settings):
        receiver.wait_for(lambda: receiver.listings() and receiver.reports[-1] != half)
        receiver.wait_for(
            lambda: any(part["report_id"] == receiver.reports[-1] and part.get("listing") for part in receiver.parts)
        )
    assert sorted(receiver.latest) == [("ConfigMap", f"shop/{name}") for name in "abc"]


@pytest.mark.parametrize("code", ["report_gone", "report_gap", "report_mismatch"])
def test_a_report_that_driftwise_lost_begins_anew(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path, code: str
) -> None:
    with operating(settings_of(tmp_path, url, api.url)):
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        receiver.faults.append((409, code, {}))
        api.put(config_map("a"))
        receiver.wait_for(lambda: len(receiver.listings()) == 2)
    assert ("ConfigMap", "shop/a") in receiver.latest


def test_silence_is_told(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    with operating(settings_of(tmp_path, url, api.url, heartbeat_seconds=0.1)):
        receiver.wait_for(lambda: len(receiver.parts) >= 3)
    later = receiver.parts[2]
    assert (later["objects"], later["deleted"], later.get("listing")) == ([], [], None)


def test_more_changes_than_are_held_lead_to_a_new_list(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_module, "MOST_CHANGES", 3)
    with operating(settings_of(tmp_path, url, api.url, flush_seconds=60.0)):
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        for number in range(5):
            api.put(config_map(f"c{number}"))
        receiver.wait_for(lambda: len(receiver.listings()) == 2)
    assert len([key for key in receiver.latest if key[0] == "ConfigMap"]) == 5


def test_told_to_end_it_sends_what_waits_and_ends(api: ApiServer, receiver: Receiver, url: str, tmp_path: Path) -> None:
    with operating(settings_of(tmp_path, url, api.url, flush_seconds=60.0)) as running:
        receiver.wait_for(receiver.listings)
        api.wait_for_watch(CONFIG_MAPS)
        api.put(config_map("late"))
        receiver_sees = lambda: ("ConfigMap", "shop/late") in receiver.latest  # noqa: E731
        _wait_until_noted(running)
        assert running.end() < 10
        assert receiver_sees()


def _wait_until_noted(running: Any) -> None:
    """Return once the watch has noted a change."""
    import time

    ends_at = time.monotonic() + 5
    operator = running.operator
    while not operator._changes:
        assert time.monotonic() < ends_at, "the change is not noted"
        time.sleep(0.01)


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "MOST_PAGE_BYTES", 3000)
    for name in "abcd":
        api.put(config_map(name, text="x" * 1000))
    with operating(settings_of(tmp_path, url, api.url, page=16)):
        receiver.wait_for(receiver.listings)
    assert [query["limit"] for query in api.lists(CONFIG_MAPS)][:2] == ["16", "2"]
    assert len(receiver.latest) == 4


def test_kinds_of_the_clusters_own_are_read_when_they_are_named(
    api: ApiServer, receiver: Receiver, url: str, tmp_path: Path
) -> None:
    tabs = Kind("CronTab", "stable.example.com", "v1", "crontabs")
    api.kinds = (tabs,)
    api.put(
        {
            "apiVersion": "stable.example.com/v1",
            "kind": "CronTab",
            "metadata": {"name": "n", "namespace": "shop"},
            "spec": {"replicas": 1},
        }
    )
    with operating(settings_of(tmp_path, url, api.url, kinds=(*KINDS, tabs))):
        receiver.wait_for(receiver.listings)
    assert receiver.latest["CronTab.stable.example.com", "shop/n"]["spec"] == {"replicas": 1}
