"""Counting drift by day, and how long it took to put right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain.trends import mean_seconds_to_fix, series, window_of

NOW = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)  # past midnight in Berlin
FIRST, LAST = date(2026, 3, 27), date(2026, 3, 29)


def row(items: int, number: int = 0, severity: str = "high", **more: Any) -> dict[str, Any]:
    return {"items": items, "number": number, "severity": severity, "kind": "changed", "account_id": "a", **more}


def test_days_are_those_of_the_zone_that_is_asked_for() -> None:
    berlin = window_of(3, "Europe/Berlin", now=NOW, kept=None)
    assert (berlin.first, berlin.last) == (date(2026, 3, 28), date(2026, 3, 30))
    assert berlin.starts()[0] == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert window_of(3, "UTC", now=NOW, kept=None).days() == [FIRST, date(2026, 3, 28), LAST]


def test_a_day_of_a_change_of_the_clock_is_shorter_or_longer() -> None:
    starts = window_of(3, "Europe/Berlin", now=NOW, kept=None).starts()
    assert [later - earlier for earlier, later in pairwise(starts)] == [timedelta(hours=24), timedelta(hours=23)]


def test_no_more_days_are_shown_than_the_plan_keeps() -> None:
    window = window_of(30, "UTC", now=NOW, kept=timedelta(days=1))
    assert window.days() == [date(2026, 3, 28), LAST]


def test_what_is_open_goes_on_from_day_to_day() -> None:
    window = window_of(3, "UTC", now=NOW, kept=None)
    found = series(window, before=[row(5)], opened=[row(2, 1, "low"), row(1, 3)], fixed=[row(3, 2)])
    assert [(day.opened, day.fixed, day.open) for day in found.values()] == [(2, 0, 7), (0, 3, 4), (1, 0, 5)]
    assert found[LAST].by_severity == {"high": 3, "low": 2}
    assert found[LAST].by_account == {"a": 5}
    assert found[FIRST].by_severity == {"high": 5, "low": 2}


_COUNTS = st.lists(st.integers(0, 50), min_size=3, max_size=3)


@given(_COUNTS, _COUNTS)
def test_the_parts_of_a_day_add_up_to_what_is_open(opened: list[int], fixed: list[int]) -> None:
    window = window_of(3, "UTC", now=NOW, kept=None)
    found = series(
        window,
        before=[row(200)],
        opened=[row(items, number, "low") for number, items in enumerate(opened, 1)],
        fixed=[row(items, number) for number, items in enumerate(fixed, 1)],
    )
    for day in found.values():
        assert day.by_severity.total() == day.by_kind.total() == day.by_account.total() == day.open
    assert found[LAST].open == 200 + sum(opened) - sum(fixed)


def test_the_mean_time_to_fix_weighs_every_item_alike() -> None:
    fixed = [row(1, seconds=100), row(3, severity="low", seconds=3 * 500)]
    assert mean_seconds_to_fix(fixed) == {"all": 400}
    assert mean_seconds_to_fix(fixed, "severity") == {"high": 100, "low": 500}
    assert mean_seconds_to_fix([]) == {}
