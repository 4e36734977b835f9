"""A restore in Cloud SQL: what is asked of the API, in which order, and what stops it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.recovery.cloning import PROTECTION, Restore
from infra.recovery.cloud_sql import CloudSql
from infra.recovery.errors import RecoveryError

LATEST = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
POINT = LATEST - timedelta(hours=1)
PLACE = "https://sqladmin.googleapis.com/v1/projects/p"
INSTANCE: dict[str, Any] = {
    "name": "driftwise",
    "state": "RUNNABLE",
    "databaseVersion": "POSTGRES_18",
    "diskEncryptionConfiguration": {"kmsKeyName": "projects/p/locations/r/keyRings/k/cryptoKeys/database"},
    "settings": {
        "connectorEnforcement": "REQUIRED",
        "deletionProtectionEnabled": True,
        "databaseFlags": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
        "ipConfiguration": {
            "ipv4Enabled": False, "privateNetwork": "n", "sslMode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED", "allocatedIpRange": "range",
        },
        "backupConfiguration": {"enabled": True, "location": "eu", "pointInTimeRecoveryEnabled": True},
    },
}  # fmt: skip


@dataclass
class Answer:
    """What a session answers."""

    status_code: int
    body: Any = None

    def json(self) -> Any:
        return self.body


@dataclass
class FakeGoogle:
    """Cloud SQL's API as far as a restore goes; remembers what it was asked.

    Attributes:
        polls: how often the operation is still under way.
        weaker: path to value of what the clone gets instead of the source's.
        error: what the operation ends with.
    """

    polls: int = 2
    weaker: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    instances: dict[str, Any] = field(default_factory=lambda: {"driftwise": copy.deepcopy(INSTANCE)})
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def request(self, method: str, url: str, *, timeout: float, params: Any = None, json: Any = None) -> Answer:
        assert timeout
        path = url.removeprefix(f"{PLACE}/")
        self.asked.append((method, path, json or params))
        match path.split("/"):
            case ["instances", name, "getLatestRecoveryTime"]:
                return Answer(200, {"latestRecoveryTime": "2026-11-26T10:00:00Z"})
            case ["instances", name, "clone"]:
                self._make(json["cloneContext"]["destinationInstanceName"])
                return Answer(200, {"name": "operation-1", "status": "PENDING"})
            case ["instances", name]:
                return Answer(200, self.instances[name]) if name in self.instances else Answer(404)
            case ["operations", "operation-1"]:
                self.polls -= 1
                errors = {"error": {"errors": [{"code": self.error, "message": "no"}]}} if self.error else {}
                return Answer(200, {"status": "DONE" if self.polls < 0 else "RUNNING", **errors})
            case _:
                pass
        return Answer(500)

    def _make(self, name: str) -> None:
        made: dict[str, Any] = copy.deepcopy(INSTANCE)
        self.instances[name] = made
        made["settings"]["databaseFlags"].reverse()
        for path, value in self.weaker.items():
            *outer, last = path.split(".")
            place: dict[str, Any] = made
            for part in outer:
                place = place[part]
            place[last] = value


def restore(google: FakeGoogle, lines: list[str] | None = None) -> Restore:
    said = [] if lines is None else lines
    return Restore(CloudSql("p", google), "driftwise", "driftwise-2", lambda _seconds: None, said.append)


def test_a_clone_of_a_moment_is_asked_for_waited_for_and_compared() -> None:
    google, lines = FakeGoogle(), list[str]()
    assert restore(google, lines).run(POINT) == POINT
    wish = next(body for method, path, body in google.asked if path == "instances/driftwise/clone" and method == "POST")
    assert wish == {
        "cloneContext": {
            "kind": "sql#cloneContext",
            "destinationInstanceName": "driftwise-2",
            "pointInTime": "2026-11-26T09:00:00+00:00",
            "allocatedIpRange": "range",
        }
    }
    assert sum(path == "operations/operation-1" for _, path, _ in google.asked) == 3
    assert lines[-1] == "driftwise-2 is what driftwise was at 2026-11-26T09:00:00+00:00"


def test_without_a_moment_it_is_the_latest_there_is() -> None:
    assert restore(FakeGoogle()).run() == LATEST


def test_a_moment_that_is_not_archived_yet_is_refused_before_anything_is_made() -> None:
    google = FakeGoogle()
    with pytest.raises(RecoveryError, match=r"the latest moment is 2026-11-26T10:00:00"):
        restore(google).run(LATEST + timedelta(seconds=1))
    assert [method for method, _, _ in google.asked] == ["GET"]


def test_a_deleted_instance_is_restored_from_by_the_time_of_its_deletion() -> None:
    google, lines = FakeGoogle(instances={}), list[str]()
    restore(google, lines).run(POINT, deleted_at=LATEST)
    assert (
        "GET",
        "instances/driftwise/getLatestRecoveryTime",
        {"sourceInstanceDeletionTime": LATEST.isoformat()},
    ) in google.asked
    wish = next(body["cloneContext"] for _, path, body in google.asked if path.endswith("/clone"))
    assert wish["sourceInstanceDeletionTime"] == LATEST.isoformat()
    assert any("terraform plan" in line for line in lines)


def test_a_restore_that_was_cut_off_goes_on_and_clones_nothing_twice() -> None:
    google = FakeGoogle()
    google._make("driftwise-2")
    restore(google).run(POINT)
    assert not any(path.endswith("/clone") for _, path, _ in google.asked)


def test_an_operation_that_fails_is_told() -> None:
    with pytest.raises(RecoveryError, match="INTERNAL_ERROR: no"):
        restore(FakeGoogle(error="INTERNAL_ERROR")).run(POINT)


@pytest.mark.parametrize("path", PROTECTION)
def test_an_instance_that_protects_less_must_not_serve(path: str) -> None:
    with pytest.raises(RecoveryError, match=path):
        restore(FakeGoogle(weaker={path: None})).run(POINT)


def test_an_answer_that_is_none_and_a_connection_that_is_lost_are_told() -> None:
    class Lost:
        def request(self, *_: object, **__: object) -> Answer:
            raise ConnectionResetError

    with pytest.raises(RecoveryError, match="did not answer"):
        CloudSql("p", Lost()).instance("driftwise")
    with pytest.raises(RecoveryError, match="answered 500 to GET operations"):
        CloudSql("p", FakeGoogle(instances={})).is_done("operation-2")


def test_an_instance_that_never_runs_is_given_up() -> None:
    google = FakeGoogle(weaker={"state": "PENDING_CREATE"})
    with pytest.raises(RecoveryError, match="driftwise-2 does not run"):
        restore(google).run(POINT)
