"""Scans of Google Cloud, end to end: exactly what was planted, nothing concluded of what was not read, turns, and a second reading."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from functions.scan.clouds import google
from tests.support.cloud_scene import CloudScene
from tests.support.database import ClonedDatabase, DatabaseServer
from tests.support.google_assets import (
    NUMBER,
    PROJECT,
    FakeGoogle,
    Reply,
    error,
    examples,
    policy,
    wrapped,
)
from tests.support.scan_function import ScanFunction

CACHE: dict[str, Any] = {
    "assetType": "memcache.googleapis.com/Instance",
    "name": f"//memcache.googleapis.com/projects/{PROJECT}/locations/europe-west1/instances/cache",
    "data": {"name": f"projects/{PROJECT}/locations/europe-west1/instances/cache", "nodeCount": 1},
}
TOPIC: dict[str, Any] = {
    "assetType": "pubsub.googleapis.com/Topic",
    "name": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/stray",
    "data": {"name": f"projects/{PROJECT}/topics/stray"},
}
OWN: dict[str, Any] = {
    "assetType": "cloudresourcemanager.googleapis.com/Project",
    "name": f"//cloudresourcemanager.googleapis.com/projects/{NUMBER}",
    "data": {"projectId": PROJECT, "projectNumber": NUMBER, "name": "Shop", "lifecycleState": "ACTIVE"},
}


@pytest.fixture(scope="module")
def shared(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as found:
        yield found


@pytest.fixture
def cloud() -> FakeGoogle:
    """Return a project with everything that a mapping covers, as it was applied."""
    assets = [copy.deepcopy(one.asset) for one in examples()]
    if not any(one["assetType"] == OWN["assetType"] for one in assets):
        assets.append(wrapped(OWN))
    return FakeGoogle(assets)


@pytest.fixture
def scene(shared: ClonedDatabase, cloud: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> CloudScene:
    found = CloudScene.make(ScanFunction(shared), monkeypatch, "gcp", f"projects/{PROJECT}", cloud)
    found.declare((one.type, one.state) for one in examples())
    return found


def named(cloud: FakeGoogle, kind: str) -> dict[str, Any]:
    """Return the data of the first asset of a kind."""
    found: dict[str, Any] = next(one for one in cloud.assets if isinstance(one, dict) and one["assetType"] == kind)
    return found


def test_a_project_that_was_just_applied_does_not_drift(scene: CloudScene) -> None:
    found = scene.scan()
    assert scene.drift() <= {("unmanaged", "google_compute_router", item["key"]) for item in scene.items()}
    assert found["summary"]["compared"] == found["summary"]["in_sync"] > 60
    assert found["regions"] == ["global"]
    assert found["summary"]["uncovered"] == {}


def _plant(cloud: FakeGoogle) -> set[tuple[str, str, str]]:
    """Change, delete and add something of each kind; returns what must be found."""
    named(cloud, "compute.googleapis.com/Firewall")["resource"]["data"]["sourceRanges"] = ["0.0.0.0/0"]
    bucket = named(cloud, "storage.googleapis.com/Bucket")
    gone = named(cloud, "pubsub.googleapis.com/Subscription")
    assets = [one for one in cloud.assets if one is not gone]
    cloud.assets = [*assets, wrapped(TOPIC), wrapped(CACHE)]
    grant = {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
    cloud.policies = [policy(bucket["name"], bucket["assetType"], [grant])]
    return {
        ("changed", "google_compute_firewall", "source_ranges"),
        ("missing", "google_pubsub_subscription", gone["name"]),
        ("unmanaged", "google_pubsub_topic", TOPIC["name"]),
        ("unmanaged", "google_memcache_instance", CACHE["name"]),
        ("unmanaged", "google_storage_bucket_iam_member", f"{bucket['name']}|roles/storage.objectViewer||allUsers"),
    }


def test_exactly_what_was_planted_is_found_after_a_second_reading(scene: CloudScene, cloud: FakeGoogle) -> None:
    scene.scan()
    before = scene.drift()
    planted = _plant(cloud)
    begin = len(cloud.urls)
    scene.scan()
    assert scene.drift() - before == planted
    assert scene.drift() - planted == before
    urls = cloud.urls[begin:]
    assert sum("contentType=IAM_POLICY" in url for url in urls) == 2, "what is new is read twice before it is told"
    begin = len(cloud.urls)
    scene.scan()
    assert sum("contentType=IAM_POLICY" in url for url in cloud.urls[begin:]) == 1, "what is open already is not"
    assert scene.drift() - before == planted


def test_what_is_there_for_a_moment_only_is_never_told(scene: CloudScene, cloud: FakeGoogle) -> None:
    scene.scan()
    before, assets = scene.drift(), cloud.assets
    slept = scene.function.clock.monotonic_seconds()
    cloud.assets = [*assets, wrapped(TOPIC), wrapped(CACHE)]
    scan = scene.start()
    for topic in ("scan-shards", "scan-comparisons"):
        (message,) = (one for one in scene.function.queue.messages(topic) if one.payload.get("scan_id") == scan)
        scene.push(topic, message)
    cloud.assets = assets
    scene.run(scan)
    assert scene.drift() == before
    assert scene.function.clock.monotonic_seconds() - slept >= scene.function.deps.settings.settling_seconds


@pytest.mark.parametrize(
    ("content", "answer", "reason"),
    [
        ("RESOURCE", error(403, "PERMISSION_DENIED"), "access_denied"),
        ("RESOURCE", Reply(429, b""), "throttled"),
        ("IAM_POLICY", error(403, "PERMISSION_DENIED"), "access_denied"),
        ("IAM_POLICY", Reply(200, b"<html>"), "malformed"),
    ],
    ids=["resources-denied", "resources-throttled", "policies-denied", "policies-malformed"],
)
def test_nothing_is_concluded_from_a_listing_that_fails(
    scene: CloudScene, cloud: FakeGoogle, content: str, answer: Reply, reason: str
) -> None:
    _plant(cloud)
    scene.scan()
    before = scene.drift()
    cloud.assets, cloud.policies = (cloud.assets, ()) if content == "IAM_POLICY" else ((), cloud.policies)
    cloud.refused = {content: answer}
    found = scene.scan()
    assert scene.drift() == before, "nothing is missing, and nothing counts as fixed"
    (gap,) = scene.not_checked(found)
    assert gap["reason"] == reason
    listed = "google_storage_bucket_iam_member" if content == "IAM_POLICY" else "google_compute_network"
    assert listed in gap["types"]
    if reason == "access_denied":
        assert gap["permission"].startswith("cloudasset.assets.list")


def test_a_reading_goes_on_in_further_turns_and_counts_everything_once(
    scene: CloudScene, cloud: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google, "TURN_SECONDS", 0.0)
    stray = [
        wrapped(
            {**TOPIC, "name": f"{TOPIC['name']}{number}", "data": {"name": f"projects/{PROJECT}/topics/stray{number}"}}
        )
        for number in range(1200)
    ]
    cloud.assets = [*cloud.assets, *stray]
    found = scene.scan(times=2)
    rows = scene.org.own(
        "select count(*) from scan.live_resources where org_id = :org_id and scan_id = :scan", scan=found["id"]
    )
    assert found["summary"]["live_resources"] == rows[0][0] > 1200
    assert found["resources"] == rows[0][0], "counted once, however often a message came"
    assert len({item["key"] for item in scene.items() if item["type"] == "google_pubsub_topic"}) == 1200


def test_what_lies_in_another_project_folder_or_bucket_is_not_missed(scene: CloudScene, cloud: FakeGoogle) -> None:
    others = [
        ("google_pubsub_topic", {"id": "projects/other/topics/t", "name": "t", "project": "other"}),
        ("google_project", {"id": "projects/other", "project_id": "other", "folder_id": "777", "org_id": ""}),
        ("google_folder_iam_member", {"folder": "folders/777", "role": "roles/viewer", "member": "user:a@example.com"}),
        ("google_organization_iam_member", {"org_id": "42", "role": "roles/viewer", "member": "user:a@example.com"}),
        ("google_storage_bucket_iam_member", {"bucket": "b/far-away", "role": "roles/x", "member": "user:a@example.com"}),
        ("google_kms_crypto_key", {"id": "projects/other/locations/eu/keyRings/r/cryptoKeys/k", "name": "k",
                                   "key_ring": "projects/other/locations/eu/keyRings/r"}),
    ]  # fmt: skip
    scene.declare([*((one.type, one.state) for one in examples()), *others], serial=2)
    found = scene.scan()
    assert {item for item in scene.drift() if item[0] == "missing"} == set()
    assert found["summary"]["out_of_scope"] == len(others)


def test_a_declared_resource_without_a_mapping_is_watched_by_its_document(scene: CloudScene, cloud: FakeGoogle) -> None:
    state = ("google_memcache_instance", {"id": CACHE["data"]["name"], "name": "cache", "project": PROJECT})
    scene.declare([*((one.type, one.state) for one in examples()), state], serial=2)
    asset = wrapped(CACHE)
    cloud.assets = [*cloud.assets, asset]
    found = scene.scan()
    assert not {item for item in scene.drift() if item[1] == "google_memcache_instance"}
    assert found["summary"]["uncovered"] == {}
    asset["resource"]["data"] = {**asset["resource"]["data"], "nodeCount": 5}
    scene.scan()
    (item,) = [item for item in scene.items() if item["type"] == "google_memcache_instance"]
    assert (item["kind"], item["path"], item["before"], item["after"]) == ("changed", "nodeCount", 1, 5)


# Who it was


def _entry(name: str, method: str, **payload: Any) -> dict[str, Any]:
    return {
        "insertId": "abc",
        "timestamp": "2026-01-01T00:00:00Z",
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "eve@example.com"},
            "requestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/500"},
            "serviceName": "pubsub.googleapis.com",
            "methodName": method,
            "resourceName": name,
            **payload,
        },
    }


def test_who_made_a_drift_is_told_by_the_audit_logs(scene: CloudScene, cloud: FakeGoogle) -> None:
    scene.scan()
    _plant(cloud)
    cloud.entries = [
        _entry(f"projects/{PROJECT}/topics/stray", "google.pubsub.v1.Publisher.CreateTopic"),
        _entry(f"projects/{PROJECT}/topics/stray", "google.pubsub.v1.Publisher.DeleteTopic", status={"code": 7}),
    ]
    scene.scan()
    found = {item["type"]: item["attribution"] for item in scene.items()}
    told = found["google_pubsub_topic"]
    assert (told["status"], told["actor"], told["source_address"], told["channel"]) == (
        "found", "eve@example.com", "203.0.113.9", "cli",
    )  # fmt: skip
    assert told["call"] == "pubsub.googleapis.com:google.pubsub.v1.Publisher.CreateTopic"
    assert found["google_compute_firewall"]["status"] in {"pending", "unknown"}


def test_without_the_right_to_read_logs_nobody_is_named_and_the_right_is(scene: CloudScene, cloud: FakeGoogle) -> None:
    scene.scan()
    _plant(cloud)
    cloud.log_answer = error(403, "PERMISSION_DENIED")
    begin = len(cloud.asked)
    scene.scan()
    told = next(item["attribution"] for item in scene.items() if item["type"] == "google_pubsub_topic")
    assert (told["status"], told["reason"], told["permission"]) == (
        "unknown", "access_denied", "logging.logEntries.list",
    )  # fmt: skip
    assert len(cloud.asked) == begin + 1, "one refusal speaks for the project"
