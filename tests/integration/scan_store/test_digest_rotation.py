"""The key of digests is rotated between taking a state in and reading the cloud: nothing drifts, and nothing is hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from functions.scan import ingestion
from functions.scan.domain import records
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.sealing import Sealer
from functions.scan.handlers import comparing
from functions.scan.queries import accounts, drift, scans, sources
from functions.scan.queries import live as live_queries
from functions.scan.types.aws import SPECS
from functions.scan.wiring import ScanDeps
from shared.http.call import Call, Event
from shared.security.secret_versions import SecretVersions
from shared.testing.clock import FakeClock
from shared.testing.secret_store import MemorySecretStore
from tests.support.database import ClonedDatabase, actor_in

KEY, REGION, ACCOUNT = "value-digest-key", "us-east-1", "123456789012"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/password"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:mailer"
STATE = {
    "version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.0",
    "resources": [
        {"mode": "managed", "type": "aws_ssm_parameter", "name": "password", "provider": "p", "instances": [
            {"attributes": {"arn": PARAMETER, "id": "password", "name": "password", "type": "String", "value": "hunter2",
                            "insecure_value": ""}, "sensitive_attributes": []},
        ]},
        {"mode": "managed", "type": "aws_lambda_function", "name": "mailer", "provider": "p", "instances": [
            {"attributes": {"arn": FUNCTION, "id": "mailer", "function_name": "mailer", "handler": "index.handler",
                            "environment": [{"variables": {"TOKEN": "s3cr3t"}}]},
             "sensitive_attributes": [[{"type": "get_attr", "value": "handler"}]]},
        ]},
    ],
}  # fmt: skip
CONTENT = json.dumps(STATE).encode()


@dataclass
class Estate:
    """An account with an uploaded state, and the processes that work on it."""

    database: ClonedDatabase
    secrets: MemorySecretStore = field(default_factory=MemorySecretStore)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.secrets.add_version(KEY, b"first".ljust(32))
        self.actor = actor_in(self.database.make_org())
        self.db = self.database.build_database("scan")
        with self.db.unit(self.actor) as tx:
            self.account = accounts.insert_account(
                tx, id=UUID(int=7), provider="aws", name="a", external_account=ACCOUNT, regions=[REGION], auth_kind="role",
                role_arn=f"arn:aws:iam::{ACCOUNT}:role/x", external_id="dw-x", credentials_encrypted=None,
            )["id"]  # fmt: skip
            self.source = sources.insert_source(
                tx, account_id=self.account, kind="upload", name="s", bucket=None, object_key=None, bucket_region=None
            )["id"]

    def sealer(self) -> Sealer:
        """Return the sealer of a process that has just started."""
        assert self.actor.org_id is not None
        return Sealer(SecretVersions(KEY, self.secrets, self.clock).usable(), self.actor.org_id)

    def rotate(self) -> None:
        self.secrets.add_version(KEY, f"version {self.secrets.latest_version(KEY) + 1}".encode().ljust(32))

    def take_in(self, seal: Sealer) -> None:
        with self.db.unit(self.actor) as tx:
            source = sources.lock_source(tx, self.source)
            ingestion.store_state(tx, source, CONTENT, ingestion.read_state(CONTENT), seal)

    def scan(
        self, seal: Sealer, *, parameter: str = "hunter2", variable: str = "s3cr3t", handler: str = "index.handler"
    ) -> dict[str, Any]:
        """Store what a shard saw and compare; returns the summary."""
        live = [
            LiveResource("aws_ssm_parameter", PARAMETER, REGION, {"type": "String", "value": parameter}, PARAMETER),
            LiveResource(
                "aws_lambda_function", FUNCTION, REGION,
                {"handler": handler, "environment": [{"variables": {"TOKEN": variable}}]}, FUNCTION,
            ),
        ]  # fmt: skip
        with self.db.unit(self.actor) as tx:
            scan_id = scans.insert_scan(tx, account_id=self.account, requested_by="", shards_total=0)["id"]
            rows = [records.live_row(item, SPECS, seal) for item in live]
            live_queries.upsert_live(tx, account_id=self.account, scan_id=scan_id, resources=rows)
            scans.set_comparing(tx, scan_id)
        deps = cast("ScanDeps", SimpleNamespace(db=self.db, clock=self.clock, sealer=lambda _org_id: self.sealer()))
        event = Event("e", {"scan_id": str(scan_id)})
        call = Call(actor=self.actor, path={}, query_values={}, headers={}, cookies={}, content=b"", event=event)
        assert comparing.work_comparison(call, deps).status == 204
        with self.db.unit(self.actor) as tx:
            summary: dict[str, Any] = scans.get_scan(tx, scan_id)["summary"]
            return summary

    def drifts(self) -> set[tuple[str, str]]:
        with self.db.unit(self.actor) as tx:
            return {(row["type"], row["path"]) for row in drift.list_items(tx, most=100, status="open")}

    def digest_version(self) -> int:
        with self.db.unit(self.actor) as tx:
            return int(sources.get_source(tx, self.source)["digest_version"])


@pytest.fixture
def estate(database: ClonedDatabase) -> Estate:
    found = Estate(database)
    found.take_in(found.sealer())
    return found


EVERY_CHANGE = {
    ("aws_ssm_parameter", "value"), ("aws_lambda_function", "environment"), ("aws_lambda_function", "handler"),
}  # fmt: skip


def test_a_rotation_between_the_state_and_the_scan_shows_no_drift(estate: Estate) -> None:
    before = estate.sealer()
    estate.rotate()
    for seal in (before, estate.sealer()):  # a worker that does not know of the new version yet, and one that does
        summary = estate.scan(seal)
        assert (summary["drift"], summary["compared"], summary["unread"]) == (0, 2, 0)
        assert estate.drifts() == set()


def test_and_what_really_changed_is_found(estate: Estate) -> None:
    estate.rotate()
    estate.scan(estate.sealer(), parameter="hunter3", variable="other", handler="other.handler")
    assert estate.drifts() == EVERY_CHANGE


def test_the_same_state_taken_in_again_is_stored_under_the_new_version(estate: Estate) -> None:
    estate.rotate()
    late = estate.sealer()
    estate.rotate()
    assert estate.digest_version() == 1
    estate.take_in(estate.sealer())
    assert estate.digest_version() == 3
    estate.take_in(late)
    assert estate.digest_version() == 3, "a process that knew less went back"
    assert estate.scan(late)["drift"] == estate.scan(estate.sealer())["drift"] == 0


def test_the_old_version_can_go_once_the_state_was_taken_in_and_the_account_scanned(estate: Estate) -> None:
    estate.rotate()
    estate.take_in(estate.sealer())
    estate.scan(estate.sealer())
    estate.secrets.disable_version(KEY, 1)
    summary = estate.scan(estate.sealer())
    assert (summary["drift"], summary["unread"]) == (0, 0)
    estate.scan(estate.sealer(), parameter="hunter3", variable="other", handler="other.handler")
    assert estate.drifts() == EVERY_CHANGE
    stored = str(
        estate.database.owner.run("select attributes::text from scan.live_resources where type = 'aws_ssm_parameter'")
    )
    assert '"2"' in stored
    assert '"1"' not in stored


def test_a_version_that_went_too_early_is_said_and_shows_no_drift_and_fixes_none(estate: Estate) -> None:
    estate.scan(estate.sealer(), parameter="hunter3")
    assert estate.drifts() == {("aws_ssm_parameter", "value")}
    estate.rotate()
    estate.secrets.disable_version(KEY, 1)
    summary = estate.scan(estate.sealer(), parameter="hunter3")
    assert summary["unread"] == 2, "nobody is told that two resources were not compared in full"
    assert estate.drifts() == {("aws_ssm_parameter", "value")}, "what is not known was taken for fixed"
    estate.take_in(estate.sealer())
    assert estate.scan(estate.sealer())["unread"] == 0
    assert estate.drifts() == set()
