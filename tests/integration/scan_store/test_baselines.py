"""Baselines over scans of one account: taken, told against, taken anew with the state, forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from functions.scan import baselining, ingestion, streaming
from functions.scan.domain import records
from functions.scan.domain.baseline_records import document_row
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.sealing import Sealer
from functions.scan.domain.traced import Traced
from functions.scan.handlers import comparing
from functions.scan.queries import accounts, baselines, drift, scans, sources
from functions.scan.queries import live as live_queries
from functions.scan.types.aws import SPECS
from functions.scan.wiring import ScanDeps
from shared.http.call import Call, Event
from shared.ports.secret_store import Secret
from shared.testing.clock import FakeClock
from tests.support.database import ClonedDatabase, actor_in

REGION, ACCOUNT = "us-east-1", "123456789012"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders"


def state(serial: int = 1, *, note: str = "a", sensitive: bool = False, buses: Sequence[str] = (BUS,)) -> bytes:
    """Write a state with one bus or several; `note` is an attribute that no mapping knows."""
    marks = [[{"type": "get_attr", "value": "dead_letter"}]] if sensitive else []
    attributes = {"id": "orders", "name": "orders", "description": "d", "note": note}
    instances = [
        {"index_key": bus, "attributes": {**attributes, "arn": bus}, "sensitive_attributes": marks} for bus in buses
    ]
    bus = {
        "mode": "managed",
        "type": "aws_cloudwatch_event_bus",
        "name": "orders",
        "provider": "p",
        "instances": instances,
    }
    return json.dumps(
        {"version": 4, "serial": serial, "lineage": "l", "terraform_version": "1.9.0", "resources": [bus]}
    ).encode()


@dataclass
class Estate:
    """An account with a state and one bus in it."""

    database: ClonedDatabase
    seal: Sealer = field(init=False)

    def __post_init__(self) -> None:
        self.actor = actor_in(self.database.make_org())
        assert self.actor.org_id is not None
        self.seal = Sealer([(1, Secret(b"k" * 32))], self.actor.org_id)
        self.db = self.database.build_database("scan")
        with self.db.unit(self.actor) as tx:
            self.account = accounts.insert_account(
                tx, id=UUID(int=7), provider="aws", name="a", external_account=ACCOUNT, regions=[REGION], auth_kind="role",
                role_arn=f"arn:aws:iam::{ACCOUNT}:role/x", external_id="dw-x", credentials_encrypted=None,
            )["id"]  # fmt: skip
            self.source = sources.insert_source(
                tx, account_id=self.account, kind="upload", name="s", bucket=None, object_key=None, bucket_region=None
            )["id"]
        self.take_in(state())

    def take_in(self, content: bytes) -> None:
        with self.db.unit(self.actor) as tx:
            source = sources.lock_source(tx, self.source)
            ingestion.store_state(tx, source, content, ingestion.read_state(content), self.seal)

    def see(self, description: str = "d", buses: Sequence[str] = (BUS,), **members: object) -> UUID:
        """Store what a shard of a new scan saw of the buses; returns the scan."""
        with self.db.unit(self.actor) as tx:
            scan_id: UUID = scans.insert_scan(tx, account_id=self.account, requested_by="", shards_total=0)["id"]
            for bus in buses:
                reply = Traced({"Arn": bus, "Description": description, **members}, "botocore 1")
                seen = {"description": reply.get("Description")}
                live = LiveResource("aws_cloudwatch_event_bus", bus, REGION, seen, bus, document=reply)
                row, document = records.live_row(live, SPECS, self.seal), document_row(live, SPECS, self.seal)
                assert document is not None
                live_queries.upsert_live(tx, account_id=self.account, scan_id=scan_id, resources=[row])
                baselines.upsert_documents(tx, account_id=self.account, scan_id=scan_id, documents=[document])
        return scan_id

    def compare(self, scan_id: UUID) -> None:
        with self.db.unit(self.actor) as tx:
            scans.set_comparing(tx, scan_id)
        self.resume(scan_id)

    def resume(self, scan_id: UUID) -> None:
        deps = cast("ScanDeps", SimpleNamespace(db=self.db, clock=FakeClock(), sealer=lambda _org_id: self.seal))
        event = Event("e", {"scan_id": str(scan_id)})
        call = Call(actor=self.actor, path={}, query_values={}, headers={}, cookies={}, content=b"", event=event)
        assert comparing.work_comparison(call, deps).status == 204

    def scan(self, description: str = "d", **members: object) -> set[tuple[str, str, Any, Any]]:
        """See and compare; returns what is open as (detector, path, before, after)."""
        self.compare(self.see(description, **members))
        return self.open()

    def remembered(self) -> int:
        """Return how many baselines there are."""
        rows = self.database.owner.run(
            "select count(*) from scan.baselines where org_id = :org_id", org_id=self.actor.org_id
        )
        return int((rows or [])[0][0])

    def open(self) -> set[tuple[str, str, Any, Any]]:
        with self.db.unit(self.actor) as tx:
            rows = drift.list_items(tx, most=100, status="open")
        return {(row["detector"], row["path"], row["before"], row["after"]) for row in rows}


@pytest.fixture
def estate(database: ClonedDatabase) -> Estate:
    return Estate(database)


def test_a_change_that_no_mapping_covers_is_told_from_the_second_scan_until_it_is_gone(estate: Estate) -> None:
    assert estate.scan(KmsKeyIdentifier="a") == set()
    assert estate.scan(KmsKeyIdentifier="a") == set()
    assert estate.scan(KmsKeyIdentifier="b") == {("baseline", "KmsKeyIdentifier", "a", "b")}
    assert estate.scan(KmsKeyIdentifier="b") == {("baseline", "KmsKeyIdentifier", "a", "b")}
    assert estate.scan(KmsKeyIdentifier="a") == set()


def test_what_a_mapping_covers_is_told_once(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    found = estate.scan("other", KmsKeyIdentifier="b")
    assert found == {("declared", "description", "d", "other"), ("baseline", "KmsKeyIdentifier", "a", "b")}


def test_a_state_that_changed_the_resource_takes_the_baseline_anew(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    assert estate.scan(KmsKeyIdentifier="b")
    estate.take_in(state(2, note="b"))
    assert estate.scan(KmsKeyIdentifier="b") == set()
    assert estate.scan(KmsKeyIdentifier="a") == {("baseline", "KmsKeyIdentifier", "b", "a")}


def test_a_state_that_only_counted_up_keeps_the_baseline(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    estate.take_in(state(2))
    assert estate.scan(KmsKeyIdentifier="b") == {("baseline", "KmsKeyIdentifier", "a", "b")}


def test_a_document_from_before_the_state_is_no_measure(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    seen = estate.see(KmsKeyIdentifier="a")
    estate.take_in(state(2, note="b"))  # an apply came in between: what was seen is older than what it says
    estate.compare(seen)
    assert estate.scan(KmsKeyIdentifier="b") == set()
    assert estate.scan(KmsKeyIdentifier="b") == set()


def test_what_a_state_marks_later_leaves_every_document(estate: Estate) -> None:
    estate.scan(DeadLetter="hunter2")
    seen = estate.see(DeadLetter="hunter2")
    estate.take_in(state(2, sensitive=True))
    estate.compare(seen)
    for table in ("live_documents", "baselines"):
        assert "hunter2" not in str(estate.database.owner.run(f"select document from scan.{table}")), table
    assert estate.scan(DeadLetter="hunter2") == set()
    assert estate.scan(DeadLetter="other") == {("baseline", "DeadLetter", None, None)}


def test_what_no_state_declares_has_no_baseline(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    assert estate.database.owner.run("select count(*) from scan.baselines") == [[1]]
    with estate.db.unit(estate.actor) as tx:
        sources.replace_resources(tx, estate.source, [])
    estate.scan(KmsKeyIdentifier="a")
    assert estate.database.owner.run("select count(*) from scan.baselines") == [[0]]


def test_a_baseline_that_is_forgotten_is_taken_anew(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    assert estate.scan(KmsKeyIdentifier="b")
    with estate.db.unit(estate.actor) as tx:
        baselines.forget_baseline(tx, account_id=estate.account, type_name="aws_cloudwatch_event_bus", key=BUS)
    assert estate.scan(KmsKeyIdentifier="b") == set()


def test_a_change_that_somebody_acknowledged_becomes_the_baseline_and_the_next_one_is_told(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    estate.scan(KmsKeyIdentifier="b")
    estate.database.owner.run("update scan.drift_items set acknowledged_at = now(), acknowledged_by = 'user:x'")
    assert estate.scan(KmsKeyIdentifier="b") == set()
    assert estate.scan(KmsKeyIdentifier="c") == {("baseline", "KmsKeyIdentifier", "b", "c")}


def test_an_acknowledgement_speaks_for_no_other_value(estate: Estate) -> None:
    estate.scan(KmsKeyIdentifier="a")
    estate.scan(KmsKeyIdentifier="b")
    estate.database.owner.run("update scan.drift_items set acknowledged_at = now(), acknowledged_by = 'user:x'")
    assert estate.scan(KmsKeyIdentifier="c") == {("baseline", "KmsKeyIdentifier", "a", "c")}


def test_many_documents_are_looked_at_in_transactions_of_their_own_and_a_killed_worker_changes_nothing(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    buses = [f"{BUS}-{number}" for number in range(7)]
    estate.take_in(state(2, buses=buses))
    monkeypatch.setattr(baselining, "_BATCH", 2)
    monkeypatch.setattr(streaming, "PART", 2)
    killed = _KilledAt(4, comparing.step)
    monkeypatch.setattr(comparing, "step", killed)
    first = estate.see(buses=buses, KmsKeyIdentifier="a")
    with pytest.raises(KeyboardInterrupt):
        estate.compare(first)
    assert 0 < estate.remembered() < len(buses)
    estate.resume(first)
    assert (estate.remembered(), estate.open()) == (len(buses), set())
    second = estate.see(buses=buses, KmsKeyIdentifier="b")
    estate.compare(second)
    with estate.db.unit(estate.actor) as tx:
        rows = drift.list_items(tx, most=100, status="open")
    assert {(row["key"], row["path"]) for row in rows} == {(bus, "KmsKeyIdentifier") for bus in buses}
    assert len(rows) == len(buses)


class _KilledAt:
    """A step of the comparison whose worker is killed before one of them, once."""

    def __init__(self, number: int, step: Callable[..., Any]) -> None:
        self._left = number
        self._step = step

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._step(*arguments, **options)
