"""When changes start a scan: bursts, late and repeated messages, the inventory's lag, and plans. Laws over random histories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain.asset_feeds import (
    LONGEST_WAIT,
    NOTED_EVERY,
    SETTLED,
    VOLATILE,
    answer,
    is_answered,
    postponed,
    take_change,
)
from shared.security.plans import PLANS, SHORTEST_INTERVALS
from shared.testing.clock import START

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Feed:
    """A row of a feed, with the statements that the handlers make on it."""

    def __init__(self, plan: str = "enterprise") -> None:
        self.plan = plan
        self.row: dict[str, Any] = dict.fromkeys(
            ("pending_since", "changed_at", "due_at", "read_until", "last_started_at")
        )
        self.scans: list[Any] = []

    def push(self, published_at: Any, now: Any) -> bool:
        pending = take_change(self.row, published_at, now=now, plan=self.plan)
        if pending is None:
            return False
        self.row |= {"pending_since": pending.since, "changed_at": pending.changed_at, "due_at": pending.due_at}
        return True

    def tick(self, now: Any) -> None:
        if self.row["due_at"] is None or self.row["due_at"] > now:
            return
        if (due_at := postponed(self.row, now=now, plan=self.plan)) is not None:
            self.row["due_at"] = due_at
            return
        found = answer(self.row, now, plan=self.plan)
        left = found.left
        self.row |= {
            "read_until": found.read_until,
            "pending_since": left.since if left else None,
            "due_at": left.due_at if left else None,
            "last_started_at": now,
        }
        self.scans.append(now)


def test_a_burst_is_one_scan_once_the_inventory_has_settled() -> None:
    feed = Feed()
    news = [feed.push(START + number * SECOND, START + number * SECOND) for number in range(60)]
    assert news.count(True) == 10, "one in six seconds is noted"
    feed.tick(feed.row["due_at"] - SECOND)
    assert not feed.scans
    feed.tick(feed.row["due_at"])
    assert len(feed.scans) == 1
    assert feed.scans[0] >= START + 59 * SECOND + VOLATILE
    assert feed.row["pending_since"] is None
    feed.tick(START + HOUR)
    assert len(feed.scans) == 1


def test_changes_that_never_end_hold_a_scan_off_for_ten_minutes_and_the_last_of_them_wait_for_the_next() -> None:
    feed = Feed()
    for number in range(700):
        feed.push(START + number * SECOND, START + number * SECOND)
        feed.tick(START + number * SECOND)
    assert feed.scans == [START + LONGEST_WAIT]
    assert feed.row["pending_since"] == START + LONGEST_WAIT
    assert feed.row["due_at"] >= START + LONGEST_WAIT + SHORTEST_INTERVALS["enterprise"]


def test_a_message_that_comes_again_changes_nothing_before_and_after_its_scan() -> None:
    feed = Feed()
    assert feed.push(START, START + SECOND)
    assert not feed.push(START, START + 2 * SECOND)
    feed.tick(START + SETTLED)
    assert len(feed.scans) == 1
    assert not feed.push(START, START + HOUR)


def test_a_change_within_the_lag_of_a_scan_that_just_began_starts_another() -> None:
    feed = Feed()
    feed.push(START, START)
    feed.tick(START + SETTLED)
    assert feed.push(START + SETTLED - SECOND, START + SETTLED + SECOND)
    feed.tick(feed.row["due_at"])
    assert feed.scans[1] - feed.scans[0] == SHORTEST_INTERVALS["enterprise"]


def test_a_message_that_was_held_up_for_hours_is_due_at_once_and_one_from_the_future_counts_as_now() -> None:
    feed = Feed()
    feed.push(START, START + 3 * HOUR)
    assert feed.row["due_at"] < START + 3 * HOUR
    ahead = Feed()
    ahead.push(START + HOUR, START)
    assert ahead.row["changed_at"] == START


@pytest.mark.parametrize("plan", PLANS)
def test_changes_start_no_scans_more_often_than_a_plan_has_it(plan: str) -> None:
    feed = Feed(plan)
    for number in range(3000):
        now = START + number * timedelta(minutes=1)
        feed.push(now, now)
        feed.tick(now)
    gaps = [later - earlier for earlier, later in zip(feed.scans, feed.scans[1:], strict=False)]
    assert gaps
    assert min(gaps) >= SHORTEST_INTERVALS[plan]


def test_a_lower_plan_holds_for_what_waits_already() -> None:
    feed = Feed()
    feed.push(START, START)
    feed.tick(START + SETTLED)
    feed.push(START + HOUR, START + HOUR)
    feed.plan = "free"
    feed.tick(START + 2 * HOUR)
    assert len(feed.scans) == 1
    assert feed.row["due_at"] == START + SETTLED + SHORTEST_INTERVALS["free"]


def test_somebody_elses_scan_answers_when_it_began_late_enough() -> None:
    row = {"pending_since": START, "changed_at": START, "last_started_at": None}
    assert is_answered(row, START + SETTLED)
    assert not is_answered(row, START + SETTLED - SECOND)
    assert not is_answered(row, None)


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=40),
    st.integers(1, 60),
)
def test_every_change_is_read_by_a_scan_that_began_after_the_lag_however_messages_come(
    messages: Sequence[tuple[int, int, int]], every: int
) -> None:
    """Each message is published, arrives late and out of order, and arrives once more; ticks are regular."""
    feed = Feed()
    arrivals = sorted(
        (published + delay, published) for published, first, second in messages for delay in (first, first + second)
    )
    now = 0
    for arrives, published in arrivals:
        while now < arrives:
            feed.tick(START + now * SECOND)
            now += every
        feed.push(START + published * SECOND, START + max(arrives, published) * SECOND)
    for step in range(0, 4000, every):
        feed.tick(START + (now + step) * SECOND)
    assert feed.row["pending_since"] is None, "something waits for ever"
    latest = max(published for published, _, _ in messages)
    assert feed.scans[-1] >= START + latest * SECOND + VOLATILE
    assert len(feed.scans) <= len({published for published, _, _ in messages}) + 1
    assert NOTED_EVERY < VOLATILE
