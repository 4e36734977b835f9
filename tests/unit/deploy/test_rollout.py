"""A release, step by step, and the way back from every one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.deploy.__main__ import read_images
from infra.deploy.canary import Calls, Objective
from infra.deploy.monitoring import CloudMonitoring, read_series
from infra.deploy.platform import RELEASE_FILE, GooglePlatform
from infra.deploy.rollout import DeploymentError, Rollout

OLD = {"driftwise-keys": "driftwise-keys-old", "driftwise-scim": "driftwise-scim-same"}
NEW = {"driftwise-keys": "driftwise-keys-new", "driftwise-scim": "driftwise-scim-same"}
IMAGES = {"keys": "image-keys", "migrations": "image-migrations"}
WELL = Calls(1_000, 0)
BADLY = Calls(1_000, 500)


@dataclass
class FakePlatform:
    """Remembers what it was told."""

    stable: dict[str, str] = field(default_factory=lambda: dict(OLD))
    fails_at: str = ""
    told: list[str] = field(default_factory=list)

    def serving(self) -> dict[str, str]:
        return self.stable

    def migrate(self, image: str) -> None:
        self._do(f"migrate {image}")

    def apply(self, images: Mapping[str, str], stable: Mapping[str, str], percent: int) -> dict[str, str]:
        assert images == IMAGES
        assert stable == OLD
        self._do(f"apply {percent}")
        return NEW

    def send_everything_to(self, revisions: Mapping[str, str]) -> None:
        assert revisions == OLD
        self._do("back")

    def _do(self, what: str) -> None:
        self.told.append(what)
        if what == self.fails_at:
            raise DeploymentError(what)


@dataclass
class FakeMonitoring:
    """Counts as a test says: what the new revision answers in each step."""

    steps: list[Calls | OSError]
    asked: int = 0

    def calls(self, since: datetime, now: datetime) -> dict[str, Calls]:
        assert since < now
        found = self.steps[min(self.asked // 4, len(self.steps) - 1)]
        self.asked += 1
        if isinstance(found, OSError):
            raise found
        return {"driftwise-keys-new": found, "driftwise-keys-old": WELL}


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def rollout(platform: FakePlatform, *steps: Calls | OSError) -> Rollout:
    clock = Clock()
    objective = Objective(0.999, step_seconds=120)  # four looks
    return Rollout(platform, FakeMonitoring(list(steps)), objective, clock.sleep, lambda: clock.at, lambda _line: None)


def test_a_good_release_serves_more_and_more() -> None:
    platform = FakePlatform()
    assert rollout(platform, WELL).release(IMAGES)
    assert platform.told == ["migrate image-migrations", "apply 5", "apply 25", "apply 50", "apply 100"]


@pytest.mark.parametrize("step", range(3))
def test_a_bad_release_goes_back_from_every_step(step: int) -> None:
    platform = FakePlatform()
    assert not rollout(platform, *[WELL] * step, BADLY).release(IMAGES)
    done = ["migrate image-migrations", "apply 5", "apply 25", "apply 50"][: step + 2]
    assert platform.told == [*done, "back"]


def test_who_sees_nothing_goes_back() -> None:
    platform = FakePlatform()
    assert not rollout(platform, OSError("Cloud Monitoring answered 503")).release(IMAGES)
    assert platform.told[-1] == "back"


def test_no_function_changes_after_failed_migrations() -> None:
    platform = FakePlatform(fails_at="migrate image-migrations")
    with pytest.raises(DeploymentError):
        rollout(platform, WELL).release(IMAGES)
    assert platform.told == ["migrate image-migrations"]


def test_what_does_not_start_goes_back() -> None:
    platform = FakePlatform(fails_at="apply 25")
    with pytest.raises(DeploymentError):
        rollout(platform, WELL).release(IMAGES)
    assert platform.told[-2:] == ["apply 25", "back"]


def test_the_first_release_is_another_matter() -> None:
    platform = FakePlatform(stable={})
    with pytest.raises(DeploymentError, match="first release"):
        rollout(platform, WELL).release(IMAGES)
    assert platform.told == []


@dataclass
class FakeTools:
    """terraform and gcloud."""

    fails_at: str = ""
    ran: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str], place: Path) -> str:
        assert place.is_dir()
        line = " ".join(command)
        self.ran.append(line)
        if self.fails_at and self.fails_at in line:
            raise DeploymentError(line)
        outputs: dict[str, Any] = {"revisions": NEW, "serving_revisions": OLD, "migrations_job": "driftwise-migrations"}
        return json.dumps({name: {"value": value} for name, value in outputs.items()})


def test_the_tools_are_told_the_same(tmp_path: Path) -> None:
    tools = FakeTools()
    platform = GooglePlatform(tmp_path, "p", "r", tools)
    assert platform.serving() == OLD
    platform.migrate("image@sha256:1")
    assert platform.apply(IMAGES, OLD, 5) == NEW
    assert [line for line in tools.ran if "output" not in line] == [
        "gcloud run jobs update driftwise-migrations --image=image@sha256:1 --project=p --region=r --quiet",
        "gcloud run jobs execute driftwise-migrations --wait --project=p --region=r --quiet",
        "terraform apply -auto-approve -input=false -no-color",
    ]
    release = json.loads((tmp_path / RELEASE_FILE).read_text("utf-8"))
    assert release == {"images": IMAGES, "stable_revisions": OLD, "canary_percent": 5}


def test_one_service_that_does_not_go_back_keeps_no_other_from_it(tmp_path: Path) -> None:
    tools = FakeTools(fails_at="driftwise-keys-old")
    with pytest.raises(DeploymentError, match="not everything went back"):
        GooglePlatform(tmp_path, "p", "r", tools).send_everything_to(OLD)
    assert any("driftwise-scim-same=100" in line for line in tools.ran)


SERIES = {
    "timeSeries": [
        {
            "metric": {"labels": {"response_code_class": code}},
            "resource": {"labels": {"revision_name": "driftwise-keys-new"}},
            "points": [{"value": {"int64Value": str(count)}}],
        }
        for code, count in (("2xx", 90), ("4xx", 7), ("5xx", 3))
    ]
}


def test_only_failures_of_ours_count() -> None:
    assert read_series(SERIES) == {"driftwise-keys-new": Calls(100, 3)}


@dataclass
class FakeSession:
    """Answers with pages."""

    pages: list[dict[str, Any]]
    status_code: int = 200

    def get(self, _url: str, *, params: Mapping[str, str], timeout: float) -> FakeSession:
        assert timeout
        assert ("pageToken" in params) == (len(self.pages) == 1)
        return self

    def json(self) -> dict[str, Any]:
        return self.pages.pop(0)


def test_pages_are_added_up() -> None:
    session = FakeSession([SERIES | {"nextPageToken": "more"}, SERIES])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = CloudMonitoring("p", session).calls(now - timedelta(minutes=5), now)
    assert found == {"driftwise-keys-new": Calls(200, 6)}


def test_a_refusal_is_no_answer() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(OSError, match="403"):
        CloudMonitoring("p", FakeSession([{}, {}], status_code=403)).calls(now - timedelta(minutes=5), now)


PINNED = f"europe-west4-docker.pkg.dev/p/driftwise/keys@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        json.dumps({"keys": PINNED, "other": PINNED}),
        json.dumps({"keys": PINNED.partition("@")[0] + ":latest"}),
    ],
)
def test_images_are_named_by_their_digests(text: str) -> None:
    with pytest.raises(ValueError, match=r"digest|name an image"):
        read_images(text, frozenset({"keys"}))


def test_images_that_are_named_well_are_read() -> None:
    assert read_images(json.dumps({"keys": PINNED}), frozenset({"keys"})) == {"keys": PINNED}
