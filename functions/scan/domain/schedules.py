"""Schedules: when a scan starts by itself, what becomes of runs that were missed, and when one is switched off.

Decides, stores nothing. Times on the clock are cronsim's, which are Debian cron's. What a change of clocks does:

- A run at a fixed time that the clock leaves out (02:30 on the day when 02:00 is followed by 03:00) is at the first minute that there
  is, 03:00. One at a time that comes twice is run the first time alone.
- Runs of every hour or every few minutes (`*` or `*/N` in the minute or the hour) go on by the time that passes: nothing is left out
  and nothing is made up for.

Source: cron(8) of Debian, "Special considerations for daylight savings time"; https://github.com/cuu508/cronsim.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from cronsim import CronSim, CronSimError

from shared.time_zones import zone_of

Outcome: TypeAlias = Literal["running", "done", "failed", "cancelled", "skipped", "waiting", "over_plan"]

MOST_FAILURES = 5
_FIELDS = 5
_DAY = timedelta(days=1)
_ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


class CronRefused(ValueError):
    """It is no expression of five fields, or no moment fits it; the text says which."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a schedule runs.

    Attributes:
        cron: five fields: minute, hour, day of the month, month, day of the week.
        time_zone: IANA's name of the clock that these are read on.
        delay: how much later than the clock says it starts; the same for every run, see `delay_of`.
    """

    cron: str
    time_zone: str
    delay: timedelta = timedelta()


def timetable_of(row: Mapping[str, Any]) -> Timetable:
    """Return the timetable of a row: `id cron time_zone jitter_seconds`."""
    most = timedelta(seconds=row["jitter_seconds"])
    return Timetable(row["cron"], row["time_zone"], delay_of(row["id"], min(most, shortest_gap(row["cron"]) / 2)))


def check_cron(cron: str) -> str:
    """Return an expression as it is stored.

    Raises:
        CronRefused: it is no expression of five fields, or no moment fits it.
    """
    clean = " ".join(cron.split()).upper()
    if len(clean.split()) != _FIELDS:
        raise CronRefused("five fields: minute, hour, day of the month, month, day of the week")
    if next(_parsed(clean, _ANY_MOMENT), None) is None:
        raise CronRefused("no moment fits it")
    return clean


def shortest_gap(cron: str) -> timedelta:
    """Return the least time between two runs on a clock that nobody changes, as if every day fitted."""
    parsed = _parsed(cron, _ANY_MOMENT)
    times = sorted(timedelta(hours=hour, minutes=minute) for hour in parsed.hours for minute in parsed.minutes)
    following = [*times[1:], times[0] + _DAY]
    return min(later - earlier for earlier, later in zip(times, following, strict=True))


def delay_of(schedule_id: UUID, most: timedelta) -> timedelta:
    """Return a schedule's own part of its jitter: drawn from its id, so that it is spread over schedules and never changes."""
    seconds = int(most.total_seconds())
    drawn = int.from_bytes(hashlib.sha256(schedule_id.bytes).digest()[:8], "big")
    return timedelta(seconds=drawn % (seconds + 1))


def next_run(timetable: Timetable, after: datetime) -> datetime | None:
    """Return the first run after a moment; None when there will be none within fifty years.

    Args:
        timetable: when it runs.
        after: aware.
    """
    asked = (after - timetable.delay).astimezone(UTC)
    for found in _parsed(timetable.cron, asked.astimezone(zone_of(timetable.time_zone))):
        moment = found.astimezone(UTC)
        if moment > asked:  # in an hour that comes twice, a fixed time that has passed is found again
            return moment + timetable.delay
    return None


def catch_up(timetable: Timetable, due_at: datetime, *, now: datetime, shortest: timedelta) -> datetime | None:
    """Return when a schedule that is due, and runs now, runs again: runs that were missed are one run, never a burst.

    Args:
        timetable: when it runs.
        due_at: when it should have run, not after `now`.
        now: time of the decision.
        shortest: what the organisation's plan wants between two runs; a timetable from before a plan was lowered is thinned out.
    """
    earliest = now
    if shortest_gap(timetable.cron) < shortest:
        earliest = max(now, due_at + shortest - timedelta(seconds=1))
    return next_run(timetable, earliest)


def is_failure(status: str, summary: Mapping[str, Any]) -> bool:
    """Say whether a scan that ended counts as failed: it did not go through, or could read nothing at all."""
    if status != "done":
        return status == "failed"
    not_checked = (summary.get("not_checked") or {}).get("types") or ()
    return bool(not_checked) and not summary.get("live_resources")


def _parsed(cron: str, start: datetime) -> CronSim:
    try:
        return CronSim(cron, start)
    except (CronSimError, AssertionError) as error:
        raise CronRefused(str(error) or "no such expression") from error
