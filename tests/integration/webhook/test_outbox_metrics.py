"""The relay says how late the outbox is, and how much it had to send, in numbers that an alert can stand on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import structlog

from functions.webhook.handlers import relay
from local_emulator.collector import CollectorServer, Point
from shared.data import database as database_module
from shared.ports.queue import Message
from shared.telemetry import metrics
from shared.testing.queue import MemoryQueue
from tests.support.collecting import address_of, running_collector
from tests.support.database import ClonedDatabase, actor_in
from tests.support.http_app import SETTINGS
from tests.support.logs import fresh_loggers
from tests.support.redis_server import free_port
from tests.support.webhook_function import WebhookFunction, WebhookOrg

LAG, RELAYED = "driftwise.outbox.lag", "driftwise.outbox.relayed"


@pytest.fixture
def collector() -> Iterator[CollectorServer]:
    with running_collector() as server:
        yield server
    metrics.configure(SETTINGS)


@pytest.fixture
def org(database: ClonedDatabase, collector: CollectorServer) -> WebhookOrg:
    settings = replace(SETTINGS, otlp_endpoint=address_of(collector), entry_point="webhook_worker")
    return WebhookOrg.make(WebhookFunction(database, settings=settings))


def leave_behind(org: WebhookOrg, messages: int, age_seconds: int) -> None:
    """Let a function end between its commit and its publishing, so long ago."""
    org.function.queue.is_away = True
    with org.function.db.unit(actor_in(org.id)) as tx:
        for number in range(messages):
            tx.emit("org-events", {"event": "test:thing:done", "number": number})
    org.function.queue.is_away = False
    org.function.database.owner.run(
        "update core.outbox set created_at = now() - make_interval(secs => :age), taken_at = null", age=age_seconds
    )


def last(collector: CollectorServer, name: str) -> Point:
    return next(point for point in collector.points.last() if point.name == name)


def test_the_lag_is_the_age_of_the_oldest_message_and_what_was_sent_adds_up(
    org: WebhookOrg, collector: CollectorServer
) -> None:
    other = WebhookOrg.make(org.function)
    leave_behind(other, 1, 30)
    leave_behind(org, 3, 90)
    org.function.database.owner.run(
        "update core.outbox set created_at = now() - interval '30 seconds' where org_id = :id", id=other.id
    )
    assert org.function.tick("outbox-relay") == {"relayed": 4}
    lag, relayed = last(collector, LAG), last(collector, RELAYED)
    assert 90 <= lag.value < 110
    assert (lag.kind, lag.unit, lag.service) == ("gauge", "s", "webhook_worker")
    assert (relayed.value, relayed.kind, relayed.unit) == (4, "sum", "{message}")
    assert relayed.instance == lag.instance != ""
    assert org.function.tick("outbox-relay") == {"relayed": 0}
    assert last(collector, LAG).value == 0
    assert last(collector, LAG).time_ns > lag.time_ns
    assert last(collector, RELAYED).value == 4
    leave_behind(org, 2, 15)
    org.function.tick("outbox-relay")
    assert last(collector, RELAYED).value == 6


def test_each_run_writes_the_line_that_alerts_count(org: WebhookOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(org, 3, 90)
    fresh_loggers(monkeypatch)
    with structlog.testing.capture_logs() as lines:
        org.function.tick("outbox-relay")
        org.function.tick("outbox-relay")
    runs = [(line["messages"], line["lag_seconds"] >= 90) for line in lines if line["event"] == "outbox relayed"]
    assert runs == [(3, True), (0, False)]


def test_a_queue_that_is_away_shows_as_lag_that_grows_and_nothing_sent(
    org: WebhookOrg, collector: CollectorServer
) -> None:
    leave_behind(org, 2, 20)
    org.function.queue.is_away = True
    assert org.function.tick("outbox-relay") == {"relayed": 0}
    first = last(collector, LAG).value
    org.function.database.owner.run(
        "update core.outbox set created_at = created_at - interval '1 minute', taken_at = null"
    )
    assert org.function.tick("outbox-relay") == {"relayed": 0}
    assert 55 < last(collector, LAG).value - first < 75
    assert last(collector, RELAYED).value == 0


def test_the_lag_is_told_also_by_a_tick_that_fails(
    org: WebhookOrg, collector: CollectorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(org, 1, 40)

    class BrokenQueue(MemoryQueue):
        def publish(self, topic: str, messages: Sequence[Message]) -> None:
            raise RuntimeError("no")

    monkeypatch.setattr(org.function.db, "_queue", BrokenQueue())
    with pytest.raises(AssertionError, match="internal_error"):
        org.function.tick("outbox-relay")
    assert last(collector, LAG).value >= 40
    assert last(collector, RELAYED).value == 0


def test_a_backlog_of_many_batches_leaves_in_one_tick(org: WebhookOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(org, 1203, 60)
    assert org.function.tick("outbox-relay") == {"relayed": 1203}
    leave_behind(org, 1203, 60)
    monkeypatch.setattr(database_module, "_MOST_BATCHES", 2)
    assert org.function.tick("outbox-relay") == {"relayed": 1000}


def test_a_collector_that_is_away_costs_no_message_and_little_time(database: ClonedDatabase) -> None:
    settings = replace(SETTINGS, otlp_endpoint=f"http://127.0.0.1:{free_port()}")
    org = WebhookOrg.make(WebhookFunction(database, settings=settings))
    leave_behind(org, 1, 60)
    began = time.monotonic()
    assert org.function.tick("outbox-relay") == {"relayed": 1}
    assert time.monotonic() - began < 8
    metrics.configure(SETTINGS)


def test_names_are_those_that_the_runbook_and_its_alert_know() -> None:
    assert (relay._LAG.name, relay._RELAYED.name) == (LAG, RELAYED)
