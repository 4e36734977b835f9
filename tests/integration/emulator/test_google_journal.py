"""The emulated Pub/Sub when its disk is full: nobody is told that a message is kept which is not, and all goes on afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from google.pubsub_v1 import types

from local_emulator.google.backlog import Delivery
from local_emulator.google.broker import Broker
from local_emulator.google.issuer import Issuer
from local_emulator.google.push import Poster
from local_emulator.google.storage import Database, Journal, Message, Records
from tests.support.google_emulator import receiver
from tests.support.waiting import wait_until

TOPIC, NAME = "projects/driftwise-local/topics/full", "projects/driftwise-local/subscriptions/full"
LARGE = b"x" * 100_000
THREADS = 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "pubsub.sqlite")) as found:
        yield found


@contextmanager
def broker_on(database: Database, tmp_path: Path) -> Iterator[Broker]:
    poster = Poster(Issuer(tmp_path / "key.pem", "http://127.0.0.1", served_at="http://127.0.0.1"))
    broker = Broker(Records(database), Journal(database), poster, lambda _: THREADS)
    try:
        yield broker
    finally:
        broker.close(5)
        poster.close()


@pytest.fixture
def broker(database: Database, tmp_path: Path) -> Iterator[Broker]:
    with broker_on(database, tmp_path) as found:
        yield found


def subscribe(broker: Broker, endpoint: str = "") -> None:
    broker.save_topic(types.Topic(name=TOPIC))
    retry = types.RetryPolicy(minimum_backoff=timedelta(seconds=0.1), maximum_backoff=timedelta(seconds=0.2))
    broker.create_subscription(
        types.Subscription(
            name=NAME,
            topic=TOPIC,
            ack_deadline_seconds=10,
            message_retention_duration=timedelta(days=1),
            retry_policy=retry,
            push_config=types.PushConfig(push_endpoint=endpoint),
        )
    )


def message(data: bytes) -> Message:
    return Message(0, data, {}, "", datetime.now(UTC))


def take(broker: Broker, lease_seconds: float = 60) -> list[Delivery]:
    return broker.take(NAME, 10, lease_seconds=lease_seconds, wait_seconds=0, cancelled=lambda: False)


@contextmanager
def writes_refused(database: Database) -> Iterator[None]:
    """Let sqlite refuse every write, as on a disk that has turned read-only."""
    with database.transaction() as connection:
        connection.execute("pragma query_only = on")
    try:
        yield
    finally:
        connection.execute("pragma query_only = off")


def test_a_commit_that_fails_leaves_no_transaction_open(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("create table parents (id integer primary key)")
        connection.execute("create table child (parent integer references parents (id) deferrable initially deferred)")
    connection.execute("pragma foreign_keys = on")
    with pytest.raises(sqlite3.IntegrityError), database.transaction():
        connection.execute("insert into child values (1)")  # refused by the commit, as what a full disk cannot take
    assert not connection.in_transaction, "what comes next would join it, and never be committed"
    assert connection.execute("select count(*) from child").fetchone() == (0,)


def test_what_cannot_be_kept_is_refused_and_not_delivered(database: Database, broker: Broker) -> None:
    subscribe(broker)
    with database.transaction() as connection:
        (pages,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        broker.publish(TOPIC, [message(LARGE)])
    assert take(broker) == []
    with database.transaction():
        connection.execute("pragma max_page_count = 1000000")
    (sequence,) = broker.publish(TOPIC, [message(LARGE)])
    assert [found.message.sequence for found in take(broker)] == [sequence]


def test_pushing_goes_on_when_the_disk_has_room_again(
    database: Database, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Each thread that pushes meets the full disk when it settles what it has pushed."""
    held = Event()
    with receiver(lambda _: held.wait(20) and 204) as endpoint:
        subscribe(broker, endpoint.url)
        broker.publish(TOPIC, [message(b"now")] * THREADS)
        endpoint.wait_for(THREADS)
        with writes_refused(database):
            held.set()
            wait_until(lambda: caplog.text.count("push_waits") >= THREADS, "no acknowledgement was refused")
        broker.publish(TOPIC, [message(b"later")] * 3)
        endpoint.wait_for(THREADS + 3)
        wait_until(lambda: database_is_empty(database), "pushed messages stay in the journal")


def test_an_acknowledgement_that_was_refused_can_be_repeated(database: Database, broker: Broker) -> None:
    subscribe(broker)
    broker.publish(TOPIC, [message(b"one")])
    (found,) = take(broker)
    with writes_refused(database), pytest.raises(sqlite3.OperationalError):
        broker.acknowledge(NAME, [found.ack_id])
    broker.acknowledge(NAME, [found.ack_id])
    assert len(broker.subscription(NAME).backlog) == 0
    assert database_is_empty(database)


def test_a_lease_that_ended_while_the_disk_was_full_comes_again(database: Database, broker: Broker) -> None:
    subscribe(broker)
    broker.publish(TOPIC, [message(b"one")])
    assert len(take(broker, lease_seconds=0)) == 1
    with writes_refused(database), pytest.raises(sqlite3.OperationalError):
        take(broker)
    wait_until(lambda: take(broker), "the message is held for ever")


def test_a_message_whose_acknowledgement_was_refused_comes_again_after_a_restart(
    database: Database, broker: Broker, tmp_path: Path
) -> None:
    subscribe(broker)
    broker.publish(TOPIC, [message(b"one")])
    (found,) = take(broker)
    with writes_refused(database), pytest.raises(sqlite3.OperationalError):
        broker.acknowledge(NAME, [found.ack_id])
    with broker_on(database, tmp_path) as again:
        assert [item.message.data for item in take(again)] == [b"one"]


def database_is_empty(database: Database) -> bool:
    return Journal(database).load(NAME) == []
