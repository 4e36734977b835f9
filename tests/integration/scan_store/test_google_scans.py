"""Scans of Google Cloud, end to end: exactly what was planted, nothing concluded of what was not read, turns, and a second reading."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
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

REDIS = {
    "assetType": "redis.googleapis.com/Instance",
    "name": f"//redis.googleapis.com/projects/{PROJECT}/locations/europe-west1/instances/cache",
    "data": {"name": f"projects/{PROJECT}/locations/europe-west1/instances/cache", "tier": "BASIC", "memorySizeGb": 1},
}
TOPIC = {
    "assetType": "pubsub.googleapis.com/Topic",
    "name": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/stray",
    "data": {"name": f"projects/{PROJECT}/topics/stray"},
}
OWN = {
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
