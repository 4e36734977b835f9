"""The outbox: what a unit emits leaves after its commit, and at the latest with the relay."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from shared.data.database import Database
from shared.data.errors import OutcomeUnknown
from shared.ports.queue import Message
from shared.security.actor import Actor
from shared.testing.queue import MemoryQueue
from tests.support.database import ClonedDatabase, actor_in
from tests.support.wire import wire_to

TOPIC = "org-events"
RELAY = Actor(kind="event", id="outbox-relay")


def emit(db: Database, org_id: UUID, number: int = 1) -> None:
    with db.unit(actor_in(org_id)) as tx:
        tx.emit(TOPIC, {"number": number}, ordering_key="k")


def waiting(database: ClonedDatabase) -> int:
    return int(database.owner.run("select count(*) from core.outbox")[0][0])


def let_it_lie(database: ClonedDatabase) -> None:
    """Let a minute go by for the rows that wait."""
    database.owner.run(
        "update core.outbox set created_at = created_at - interval '1 minute', taken_at = taken_at - interval '1 minute'"
    )


class LookingQueue(MemoryQueue):
    """Notes how many outbox rows others can see at the moment of publishing."""

    def __init__(self, database: ClonedDatabase) -> None:
        super().__init__()
        self._database = database
        self.seen: list[int] = []

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        self.seen.append(waiting(self._database))
        super().publish(topic, messages)


def test_a_message_is_stored_before_it_is_published_and_gone_after(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    queue = LookingQueue(database)
    emit(database.build_database("keys", queue), org_id)
    assert queue.seen == [1], "published before the commit"
    assert waiting(database) == 0
    (message,) = queue.messages(TOPIC)
    assert message.payload == {"number": 1}
    assert message.ordering_key == "k"
    assert message.attributes["org_id"] == str(org_id)
    assert UUID(message.attributes["event_id"])


def test_messages_keep_their_order_within_a_unit(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    queue = MemoryQueue()
    with database.build_database("keys", queue).unit(actor_in(org_id)) as tx:
        for number in range(50):
            tx.emit(TOPIC, {"number": number}, ordering_key="k")
    assert [item.payload["number"] for item in queue.messages(TOPIC)] == list(range(50))


def test_a_message_survives_a_queue_that_is_away_and_is_sent_once(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    queue = MemoryQueue()
    queue.is_away = True
    db = database.build_database("webhook", queue)
    emit(db, org_id)  # the caller's work is done: a queue that is away is no failure of the request
    assert waiting(database) == 1
    ((stored_id,),) = database.owner.run("select id from core.outbox")
    queue.is_away = False
    assert db.relay(org_id, RELAY) == 0, "taken from under a function that is about to publish it"
    let_it_lie(database)
    assert db.relay(org_id, RELAY) == 1
    assert db.relay(org_id, RELAY) == 0
    (message,) = queue.messages(TOPIC)
    assert message.attributes["event_id"] == str(stored_id)
    assert waiting(database) == 0


def test_a_relay_that_starts_while_another_publishes_leaves_its_messages_alone(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    away = MemoryQueue()
    away.is_away = True
    emit(database.build_database("keys", away), org_id)
    let_it_lie(database)
    taken_meanwhile: list[int] = []

    class SlowQueue(MemoryQueue):
        def publish(self, topic: str, messages: Sequence[Message]) -> None:
            taken_meanwhile.append(database.build_database("webhook").relay(org_id, RELAY))
            super().publish(topic, messages)

    assert database.build_database("webhook", SlowQueue()).relay(org_id, RELAY) == 1
    assert taken_meanwhile == [0]


def test_a_relay_without_a_queue_loses_nothing(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    queue = MemoryQueue()
    queue.is_away = True
    db = database.build_database("webhook", queue)
    emit(db, org_id)
    let_it_lie(database)
    db.relay(org_id, RELAY)
    assert waiting(database) == 1
    queue.is_away = False
    let_it_lie(database)
    db.relay(org_id, RELAY)
    assert len(queue.messages(TOPIC)) == 1


def test_a_crash_between_publishing_and_forgetting_repeats_the_same_event_id(database: ClonedDatabase) -> None:
    org_id = database.make_org()

    class CrashingQueue(MemoryQueue):
        def publish(self, topic: str, messages: Sequence[Message]) -> None:
            super().publish(topic, messages)
            database.owner.run(f'alter database "{database.name}" connection limit 0')
            database.owner.run(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'keys_login'"
            )

    queue = CrashingQueue()
    emit(database.build_database("keys", queue), org_id)
    assert waiting(database) == 1
    database.owner.run(f'alter database "{database.name}" connection limit -1')
    let_it_lie(database)
    after = MemoryQueue()
    assert database.build_database("webhook", after).relay(org_id, RELAY) == 1
    assert [m.attributes["event_id"] for m in after.messages(TOPIC)] == [
        m.attributes["event_id"] for m in queue.messages(TOPIC)
    ], "a consumer could not tell that it is the same event"


def test_a_commit_whose_answer_is_lost_still_sends_its_messages(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    queue = MemoryQueue()
    with wire_to(database.url("keys_login")) as wire:
        wire.lose_answer_to = "commit"
        with pytest.raises(OutcomeUnknown):
            emit(database.build_database("keys", queue, database_url=wire.url), org_id)
    assert queue.messages(TOPIC) == []
    let_it_lie(database)
    assert database.build_database("webhook", queue).relay(org_id, RELAY) == 1
    assert len(queue.messages(TOPIC)) == 1


def test_two_relays_at_once_do_not_hold_each_other_up(database: ClonedDatabase) -> None:
    org_id = database.make_org()
    away = MemoryQueue()
    away.is_away = True
    for number in range(3):
        emit(database.build_database("keys", away), org_id, number)
    let_it_lie(database)
    both_in = Barrier(2, timeout=20)
    queue = MemoryQueue()

    def relay() -> int:
        db = database.build_database("webhook", queue)
        with db.unit_in(org_id, RELAY) as tx:
            taken = len(tx.take_outbox(500))
            both_in.wait()
        return taken

    with ThreadPoolExecutor(2) as threads:
        taken = [job.result(30) for job in [threads.submit(relay), threads.submit(relay)]]
    assert sum(taken) == 3, "each message is taken by one of them, whichever reaches its row first"
    assert len(queue.messages(TOPIC)) == 3


def test_the_relay_finds_organisations_with_waiting_messages_and_only_those(database: ClonedDatabase) -> None:
    from functions.webhook.queries.relay import list_orgs_with_outbox

    busy, idle = database.make_org("Busy"), database.make_org("Idle")
    queue = MemoryQueue()
    db = database.build_database("webhook", queue)
    emit(db, idle)
    queue.is_away = True
    emit(db, busy)
    assert list_orgs_with_outbox(db, older_than_seconds=5, most=10) == []
    let_it_lie(database)
    found = list_orgs_with_outbox(db, older_than_seconds=5, most=10)
    assert [(row["org_id"], row["waiting"]) for row in found] == [(busy, 1)]


def test_the_relay_of_one_organisation_leaves_the_others_alone(database: ClonedDatabase) -> None:
    mine, other = database.make_org("Mine"), database.make_org("Other")
    queue = MemoryQueue()
    queue.is_away = True
    db = database.build_database("webhook", queue)
    emit(db, mine)
    emit(db, other)
    let_it_lie(database)
    queue.is_away = False
    assert db.relay(mine, RELAY) == 1
    assert {item.attributes["org_id"] for item in queue.messages(TOPIC)} == {str(mine)}
    assert waiting(database) == 1
