"""Idempotency-Key: the same request twice has one effect and one answer."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from uuid import UUID

import pytest

from shared.data.database import Database
from shared.data.errors import IdempotencyMismatch
from shared.data.unit_of_work import Idempotency, Replayed
from shared.http.reply import Reply
from tests.support.database import ClonedDatabase, actor_in
from tests.support.waiting import wait_until


def key(name: str = "key-1", body: bytes = b"body") -> Idempotency:
    return Idempotency(name, hashlib.sha256(body).digest())


def handle(db: Database, org_id: UUID, idempotency: Idempotency, answer: object = "first") -> Reply:
    """Do something countable (one event claim more) and answer."""
    with db.unit(actor_in(org_id), idempotency) as tx:
        tx.audit("keys:test:happened")
        return tx.settle(Reply(201, {"answer": answer, "secret": "shown once"}, shown_once=("secret",)))


def effects(database: ClonedDatabase) -> int:
    return int(database.owner.run("select count(*) from core.audit_log")[0][0])


def test_a_repeated_request_gets_the_first_answer_without_what_is_shown_once(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("keys")
    assert handle(db, org_id, key()).body == {"answer": "first", "secret": "shown once"}
    with pytest.raises(Replayed) as caught:
        handle(db, org_id, key(), "second")
    assert caught.value.status == 201
    assert caught.value.body == {"answer": "first", "secret": None}
    assert effects(database) == 1
    assert "shown once" not in str(database.owner.run("select body from core.idempotency_keys"))


def test_the_same_key_with_another_body_is_409(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("keys")
    handle(db, org_id, key())
    with pytest.raises(IdempotencyMismatch) as caught:
        handle(db, org_id, key(body=b"another body"))
    assert (caught.value.status, caught.value.code) == (409, "idempotency_mismatch")
    assert effects(database) == 1


def test_keys_of_organisations_do_not_meet(database: ClonedDatabase) -> None:
    db = database.build_database("keys")
    handle(db, database.make_org("One"), key())
    handle(db, database.make_org("Two"), key(body=b"another body"))
    assert effects(database) == 2


def test_a_failed_request_leaves_its_key_free(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    db = database.build_database("keys")
    with pytest.raises(ZeroDivisionError), db.unit(actor_in(org_id), key()):
        _ = 1 / 0
    handle(db, org_id, key())
    assert effects(database) == 1


@pytest.mark.parametrize(("hours", "is_replayed"), [(23, True), (25, False)])
def test_a_key_is_remembered_for_24_hours(database: ClonedDatabase, hours: int, is_replayed: bool) -> None:
    org_id = database.make_org()
    db = database.build_database("keys")
    handle(db, org_id, key())
    database.owner.run(
        "update core.idempotency_keys set created_at = now() - make_interval(hours => :hours)", hours=hours
    )
    if is_replayed:
        with pytest.raises(Replayed):
            handle(db, org_id, key())
    else:
        assert handle(db, org_id, key(body=b"another body"), "new").body["answer"] == "new"
        with pytest.raises(Replayed) as caught:
            handle(db, org_id, key(body=b"another body"))
        assert caught.value.body["answer"] == "new"


def second_request_meets_the_first(
    database: ClonedDatabase, org_id: UUID, *, first_fails: bool
) -> tuple[BaseException | None, BaseException | None]:
    """Let a request come while one with the same key is under way; returns how both ended."""
    db = database.build_database("keys")
    first_is_in, first_may_end = Event(), Event()

    def first() -> None:
        with db.unit(actor_in(org_id), key()) as tx:
            first_is_in.set()
            assert first_may_end.wait(20)
            tx.audit("keys:test:happened")
            tx.settle(Reply(201, {"answer": "first"}))
            if first_fails:
                raise ZeroDivisionError

    def is_waiting() -> bool:
        found = database.owner.run(
            "select count(*) from pg_stat_activity where usename = 'keys_login' and wait_event_type = 'Lock'"
        )
        return bool(found[0][0])

    with ThreadPoolExecutor(2) as threads:
        jobs: list[Future[object]] = [threads.submit(first)]
        assert first_is_in.wait(20)
        jobs.append(threads.submit(handle, db, org_id, key(), "second"))
        wait_until(is_waiting, "the second request does not wait for the first")
        first_may_end.set()
        one, two = (job.exception(30) for job in jobs)
        return one, two


def test_a_request_that_comes_while_its_twin_is_under_way_waits_and_has_no_second_effect(
    database: ClonedDatabase,
) -> None:
    org_id = database.make_org()
    one, two = second_request_meets_the_first(database, org_id, first_fails=False)
    assert one is None
    assert isinstance(two, Replayed)
    assert two.body == {"answer": "first"}
    assert effects(database) == 1


def test_a_request_whose_twin_fails_is_carried_out(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    one, two = second_request_meets_the_first(database, org_id, first_fails=True)
    assert isinstance(one, ZeroDivisionError)
    assert two is None
    assert effects(database) == 1
