"""Purging: what is old goes, a batch at a time, whoever else is at work; what may still be needed stays."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, cast
from uuid import UUID

import pytest

import functions.auth.handlers.sign_in_purge as auth_purge
from functions.auth.wiring import AuthDeps
from functions.webhook.handlers import purge
from infra.suite import load_suite
from shared.data.database import Database
from shared.data.unit_of_work import Idempotency
from shared.http.call import Call
from shared.http.deps import Deps
from shared.security.actor import Actor
from shared.testing.clock import FakeClock
from tests.support.database import ClonedDatabase, actor_in
from tests.support.logs import fresh_loggers

TICK = Call(Actor("event", "scheduler"), path={}, query_values={}, headers={}, cookies={}, content=b"")
DAY = 24 * 3600
QUEUE_SECONDS = 7 * DAY  # for how long Pub/Sub delivers a message again
KEPT = {
    "core.idempotency_keys": purge.KEYS_KEPT_SECONDS,
    "core.event_claims": purge.CLAIMS_KEPT_SECONDS,
    "core.outbox": purge.OUTBOX_KEPT_SECONDS,
}
INSERTS = {
    "core.idempotency_keys": "insert into core.idempotency_keys (org_id, key, fingerprint, created_at) "
    "select cast(:org_id as uuid), 'key ' || n, sha256('x'), {at} from generate_series(1, cast(:how_many as integer)) n",
    "core.event_claims": "insert into core.event_claims (org_id, subscription, event_id, created_at) "
    "select cast(:org_id as uuid), 's', 'event ' || n, {at} from generate_series(1, cast(:how_many as integer)) n",
    "core.outbox": "insert into core.outbox (org_id, topic, payload, created_at, taken_at) "
    "select cast(:org_id as uuid), 'gone-topic', '{{}}', {at}, {at} from generate_series(1, cast(:how_many as integer)) n",
}
each_table = pytest.mark.parametrize("table", KEPT)


@dataclass
class Process:
    """A process of a worker, as far as a purge needs one."""

    db: Database
    clock: FakeClock = field(default_factory=FakeClock)

    def purge(self) -> dict[str, Any]:
        return self._body(purge.purge_shared_tables(TICK, cast("Deps", self)))

    def purge_sign_ins(self) -> dict[str, Any]:
        return self._body(auth_purge.purge_sign_ins(TICK, cast("AuthDeps", self)))

    @staticmethod
    def _body(reply: Any) -> dict[str, Any]:
        assert reply.status == 200
        found: dict[str, Any] = reply.body
        return found


@pytest.fixture
def process(database: ClonedDatabase) -> Process:
    return Process(database.build_database("webhook"))


def lay(database: ClonedDatabase, table: str, org_id: UUID, *, age_seconds: float, how_many: int = 1) -> None:
    """Put rows of an age into a table; names repeat from call to call, so one call for each organisation and table."""
    sql = INSERTS[table].format(at="now() - make_interval(secs => cast(:age as double precision))")
    database.owner.run(sql, org_id=org_id, age=age_seconds, how_many=how_many)


def count(database: ClonedDatabase, table: str, org_id: UUID | None = None) -> int:
    sql = f"select count(*) from {table} where cast(:org_id as uuid) is null or org_id = cast(:org_id as uuid)"
    return int(database.owner.run(sql, org_id=org_id)[0][0])


@each_table
def test_what_is_old_goes_and_what_is_younger_stays(database: ClonedDatabase, process: Process, table: str) -> None:
    old, young, none = database.make_org("Old"), database.make_org("Young"), database.make_org("None")
    lay(database, table, old, age_seconds=KEPT[table] + 60, how_many=3)
    lay(database, table, young, age_seconds=KEPT[table] - 60, how_many=2)
    assert process.purge() == {"deleted": {table.removeprefix("core."): 3}, "is_complete": True}
    assert [count(database, table, org_id) for org_id in (old, young, none)] == [0, 2, 0]
    assert process.purge() == {"deleted": {}, "is_complete": True}


@each_table
def test_an_organisation_that_was_deleted_is_cleared_too(
    database: ClonedDatabase, process: Process, table: str
) -> None:
    org_id = database.make_org()
    lay(database, table, org_id, age_seconds=KEPT[table] + 60)
    database.owner.run("update core.orgs set deleted_at = now() where id = :org_id", org_id=org_id)
    process.purge()
    assert count(database, table) == 0


def test_a_claim_is_kept_for_longer_than_its_event_can_come_again() -> None:
    assert purge.CLAIMS_KEPT_SECONDS > purge.OUTBOX_KEPT_SECONDS + QUEUE_SECONDS
    assert all(item.every_seconds < DAY for item in load_suite().schedules.values())


def test_a_message_that_nobody_tried_to_send_is_never_given_up(database: ClonedDatabase, process: Process) -> None:
    org_id = database.make_org()
    lay(database, "core.outbox", org_id, age_seconds=100 * DAY)
    database.owner.run("update core.outbox set taken_at = null")
    process.purge()
    assert count(database, "core.outbox") == 1


def test_messages_that_are_given_up_are_told(
    database: ClonedDatabase, process: Process, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_loggers(monkeypatch)
    lay(database, "core.outbox", database.make_org(), age_seconds=8 * DAY, how_many=2)
    process.purge()
    out = capsys.readouterr().out
    assert "messages given up" in out
    assert "gone-topic" in out


def test_a_key_that_a_request_takes_over_at_this_moment_is_that_requests(
    database: ClonedDatabase, process: Process
) -> None:
    org_id = database.make_org()
    lay(database, "core.idempotency_keys", org_id, age_seconds=2 * DAY, how_many=3)
    request = Idempotency("key 2", bytes(32))
    with database.build_database("keys").unit(actor_in(org_id), request):
        assert process.purge()["deleted"] == {"idempotency_keys": 2}, (
            "the purge waits for the request, or takes its key"
        )
    rows = database.owner.run("select key, created_at > now() - interval '1 hour' from core.idempotency_keys")
    assert rows == [["key 2", True]]
    assert process.purge()["deleted"] == {}


def test_a_key_that_was_purged_can_be_used_again(database: ClonedDatabase, process: Process) -> None:
    org_id = database.make_org()
    lay(database, "core.idempotency_keys", org_id, age_seconds=2 * DAY)
    process.purge()
    with database.build_database("keys").unit(actor_in(org_id), Idempotency("key 1", bytes(32))):
        pass
    assert count(database, "core.idempotency_keys", org_id) == 1


def test_a_big_backlog_goes_a_batch_at_a_time(
    database: ClonedDatabase, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    big, small = database.make_org("Big"), database.make_org("Small")
    for table, kept in KEPT.items():
        lay(database, table, big, age_seconds=kept + 60, how_many=20_500)
        lay(database, table, small, age_seconds=kept + 60, how_many=1)
    units: list[UUID | None] = []
    begin = process.db._begin

    def counted(org_id: UUID | None) -> Any:
        units.append(org_id)
        return begin(org_id)

    monkeypatch.setattr(process.db, "_begin", counted)
    deleted = process.purge()["deleted"]
    assert set(deleted.values()) == {20_501}
    assert units.count(big) > 20, "one unit deletes a whole backlog"
    assert sum(count(database, table) for table in KEPT) == 0


def test_a_run_ends_in_time_and_the_next_one_goes_on(
    database: ClonedDatabase, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "_BATCH_ROWS", 10)

    class Hurrying(FakeClock):
        def monotonic_seconds(self) -> float:
            self.advance(50)
            return super().monotonic_seconds()

    process.clock = Hurrying()
    lay(database, "core.event_claims", database.make_org(), age_seconds=30 * DAY, how_many=75)
    found = [process.purge() for _ in range(3)]
    assert [item["is_complete"] for item in found] == [False, False, True]
    assert [item["deleted"] for item in found] == [{"event_claims": 30}, {"event_claims": 30}, {"event_claims": 15}]


def test_two_purgers_at_once_delete_everything_once(database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "_BATCH_ROWS", 50)
    for number in range(6):
        org_id = database.make_org(f"Org {number}")
        for table, kept in KEPT.items():
            lay(database, table, org_id, age_seconds=kept + 60, how_many=400)
    ready = Barrier(3, timeout=20)

    def run() -> Mapping[str, int]:
        process = Process(database.build_database("webhook"))
        ready.wait()
        found: Mapping[str, int] = process.purge()["deleted"]
        return found

    with ThreadPoolExecutor(3) as pool:
        found = [job.result(120) for job in [pool.submit(run) for _ in range(3)]]
    left = sum(count(database, table) for table in KEPT)
    assert sum(sum(item.values()) for item in found) + left == 6 * 3 * 400
    assert Process(database.build_database("webhook")).purge()["is_complete"]
    assert sum(count(database, table) for table in KEPT) == 0


def test_who_finds_another_purger_at_an_organisation_passes_it_by(database: ClonedDatabase, process: Process) -> None:
    busy, free = database.make_org("Busy"), database.make_org("Free")
    for org_id in (busy, free):
        lay(database, "core.event_claims", org_id, age_seconds=30 * DAY)
    with database.build_database("webhook").unit_in(busy, TICK.actor) as tx:
        assert tx.try_lock("purge")
        process.purge()
    assert [count(database, "core.event_claims", org_id) for org_id in (busy, free)] == [1, 0]
    process.purge()
    assert count(database, "core.event_claims") == 0


# --- sign-ins --------------------------------------------------------------------------------------------------------


def lay_sign_ins(database: ClonedDatabase, how_many: int, expires: str) -> None:
    database.owner.run(
        "insert into core.sign_ins (state_hash, nonce, code_verifier, return_path, expires_at) "
        f"select sha256(gen_random_uuid()::text::bytea), 'n', 'v', '/', {expires} from generate_series(1, :how_many) n",
        how_many=how_many,
    )


def test_expired_sign_ins_go_a_batch_at_a_time_and_those_under_way_stay(database: ClonedDatabase) -> None:
    lay_sign_ins(database, 2500, "now() - interval '1 second'")
    lay_sign_ins(database, 2, "now() + interval '1 minute'")
    process = Process(database.build_database("auth"))
    assert process.purge_sign_ins() == {"deleted": 2500}
    assert database.owner.run("select count(*) from core.sign_ins") == [[2]]
    assert process.purge_sign_ins() == {"deleted": 0}


def test_two_purgers_of_sign_ins_at_once_hold_each_other_up_no_further(database: ClonedDatabase) -> None:
    lay_sign_ins(database, 10, "now() - interval '1 second'")
    with database.build_database("auth").unit_in(None, TICK.actor) as tx:
        assert tx.try_lock("purge of sign-ins")
        assert Process(database.build_database("auth")).purge_sign_ins() == {"deleted": 0}
    assert Process(database.build_database("auth")).purge_sign_ins() == {"deleted": 10}
