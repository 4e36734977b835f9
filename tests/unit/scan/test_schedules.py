"""When schedules run: the clock, changes of the clock, jitter, missed runs, and what counts as failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import schedules
from functions.scan.domain.schedules import (
    CronRefused,
    Timetable,
    catch_up,
    check_cron,
    delay_of,
    next_run,
    shortest_gap,
)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CRONS = [
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "15 1,2,3 * * *",
    "0 9 * * 1-5",
    "0 0 29 2 *",
    "0 3 L * *",
]
ZONES = ["UTC", BERLIN, NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def runs(cron: str, zone: str, after: str, number: int) -> list[str]:
    """Return the next runs, as the clock on the wall and the offset from UTC tell them."""
    found, moment = [], at(after, zone)
    for _ in range(number):
        following = next_run(Timetable(cron, zone), moment)
        assert following is not None
        moment = following
        found.append(moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z"))
    return found


# --- The clock ---------------------------------------------------------------------------------------------------------


def test_a_time_is_read_on_the_clock_of_its_zone() -> None:
    assert next_run(Timetable("30 2 * * *", "Asia/Kolkata"), at("2026-05-01T00:00")) == at("2026-05-01T21:00")


def test_a_fixed_time_that_the_clock_leaves_out_is_at_the_first_minute_there_is() -> None:
    assert runs("30 2 * * *", BERLIN, "2026-03-28T12:00", 2) == ["29 03:00 +0200", "30 02:30 +0200"]
    assert runs("30 2 * * *", NEW_YORK, "2026-03-07T12:00", 2) == ["08 03:00 -0400", "09 02:30 -0400"]


def test_several_fixed_times_that_the_clock_leaves_out_are_one_run() -> None:
    assert runs("0,30 2,3 * * *", BERLIN, "2026-03-29T00:00", 3) == [
        "29 03:00 +0200",
        "29 03:30 +0200",
        "30 02:00 +0200",
    ]


def test_a_fixed_time_that_comes_twice_is_run_the_first_time_alone() -> None:
    assert runs("30 2 * * *", BERLIN, "2026-10-24T12:00", 2) == ["25 02:30 +0200", "26 02:30 +0100"]
    assert runs("30 1 * * *", NEW_YORK, "2026-10-31T12:00", 2) == ["01 01:30 -0400", "02 01:30 -0500"]


def test_a_fixed_time_is_not_run_again_in_the_hour_that_comes_a_second_time() -> None:
    second_hour = at("2026-10-25T01:10")  # 02:10 in Berlin for the second time
    found = next_run(Timetable("45 2 * * *", BERLIN), second_hour)
    assert found == at("2026-10-26T02:45", BERLIN)


def test_runs_of_every_hour_go_on_by_the_time_that_passes() -> None:
    assert runs("0 * * * *", BERLIN, "2026-03-29T00:30", 3) == ["29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200"]
    assert runs("0 * * * *", BERLIN, "2026-10-25T01:30", 3) == ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"]


def test_half_an_hour_of_daylight_saving_is_reckoned_too() -> None:
    assert runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2) == ["04 02:30 +1100", "05 02:15 +1100"]


@given(
    st.sampled_from(CRONS),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001  # hypothesis makes them naive
    st.integers(0, 3600),
)
def test_the_next_run_is_always_later_and_nothing_lies_between(
    cron: str, zone: str, moment: datetime, delay: int
) -> None:
    timetable = Timetable(cron, zone, timedelta(seconds=delay))
    after = moment.replace(tzinfo=UTC, microsecond=0)
    found = next_run(timetable, after)
    assert found is not None
    assert found > after
    assert found.utcoffset() == timedelta(0)
    assert next_run(timetable, found - timedelta(seconds=1)) == found


@pytest.mark.parametrize(
    "cron",
    ["", "* * * *", "* * * * * *", "61 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 31 2 *", "@daily", "a b c d e", "*/0 * * * *",
     "1-0 * * * *", "0 0 * * 1#9", "99999999999999999999 * * * *", "1/1/1 * * * *", "0 0 5# * *", "0 0 * * 1L/2"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(cron: str) -> None:
    with pytest.raises(CronRefused):
        check_cron(cron)


@given(st.text(alphabet="0123456789*/,#-LWlwMONmon ", min_size=9, max_size=100))
def test_any_text_is_refused_or_has_a_next_run(cron: str) -> None:
    try:
        clean = check_cron(cron)
    except CronRefused:
        return
    assert next_run(Timetable(clean, BERLIN), at("2026-01-01T00:00")) is not None
    assert timedelta(minutes=1) <= shortest_gap(clean) <= DAY


def test_an_expression_is_stored_in_one_form() -> None:
    assert check_cron("  0   9 *  * mon-fri ") == "0 9 * * MON-FRI"


@pytest.mark.parametrize(
    ("cron", "gap"),
    [
        ("0 0 * * *", DAY), ("0 9 * * 1-5", DAY), ("0 0 1 * *", DAY), ("0 */6 * * *", 6 * HOUR), ("0 0,23 * * *", HOUR),
        ("*/5 * * * *", HOUR / 12), ("0,58 0,23 * * *", HOUR / 30), ("* * * * *", HOUR / 60), ("0 0 */2 * *", DAY),
    ],
)  # fmt: skip
def test_the_shortest_gap_is_that_between_two_runs_as_if_every_day_fitted(cron: str, gap: timedelta) -> None:
    assert shortest_gap(cron) == gap


# --- Jitter ------------------------------------------------------------------------------------------------------------


@given(st.uuids(), st.integers(0, 3600))
def test_jitter_is_the_same_every_time_and_within_its_bound(schedule_id: UUID, most: int) -> None:
    bound = timedelta(seconds=most)
    assert delay_of(schedule_id, bound) == delay_of(schedule_id, bound)
    assert timedelta() <= delay_of(schedule_id, bound) <= bound


def test_jitter_spreads_schedules() -> None:
    delays = {delay_of(UUID(int=number), timedelta(seconds=299)) for number in range(300)}
    assert len(delays) > 150


def test_jitter_moves_every_run_by_the_same() -> None:
    delay = timedelta(seconds=77)
    plain, late = Timetable("0 * * * *", BERLIN), Timetable("0 * * * *", BERLIN, delay)
    moment = at("2026-03-28T20:00")
    for _ in range(10):
        one, other = next_run(plain, moment), next_run(late, moment + delay)
        assert one is not None
        assert other == one + delay
        moment = one


def test_jitter_is_never_more_than_half_the_time_between_two_runs() -> None:
    row = {"id": UUID(int=5), "cron": "*/5 * * * *", "time_zone": "UTC", "jitter_seconds": 3600}
    assert schedules.timetable_of(row).delay <= timedelta(seconds=150)


# --- Missed runs -------------------------------------------------------------------------------------------------------


@given(st.sampled_from(CRONS), st.sampled_from(ZONES), st.integers(0, 60 * 24 * 60))
def test_however_many_runs_were_missed_the_next_one_lies_ahead(cron: str, zone: str, late_minutes: int) -> None:
    timetable = Timetable(cron, zone)
    due = next_run(timetable, at("2026-03-01T00:00"))
    assert due is not None
    now = due + timedelta(minutes=late_minutes)
    assert catch_up(timetable, due, now=now, shortest=timedelta(minutes=1)) == next_run(timetable, now)


def test_a_timetable_that_a_lower_plan_would_refuse_is_thinned_out() -> None:
    hourly, due = Timetable("0 * * * *", "UTC"), at("2026-05-01T06:00")
    assert catch_up(hourly, due, now=due + timedelta(seconds=20), shortest=DAY) == due + DAY
    assert catch_up(hourly, due, now=due + timedelta(seconds=20), shortest=HOUR) == due + HOUR


def test_a_daily_run_stays_daily_over_a_change_of_the_clock() -> None:
    timetable, due = Timetable("0 4 * * *", BERLIN), at("2026-03-28T04:00", BERLIN)
    assert catch_up(timetable, due, now=due, shortest=DAY) == at("2026-03-29T04:00", BERLIN)


# --- What counts as failed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "summary", "has_failed"),
    [
        ("failed", {}, True),
        ("cancelled", {}, False),
        ("done", {"live_resources": 3, "not_checked": {"types": ["aws_vpc"]}}, False),
        ("done", {"live_resources": 0, "not_checked": {"types": ["aws_vpc"]}}, True),
        ("done", {"live_resources": 0, "not_checked": {"types": []}}, False),
    ],
)
def test_a_scan_that_could_read_nothing_has_failed(status: str, summary: dict[str, Any], has_failed: bool) -> None:  # noqa: FBT001
    assert schedules.is_failure(status, summary) is has_failed
