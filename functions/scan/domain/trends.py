"""Trends: how much drift there was on each day, and how long it took to put right. Decides, stores nothing.

A day is that of the time zone in which it is asked for. What a plan no longer keeps is in no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from shared.time_zones import zone_of

_DAY = timedelta(days=1)
_PARTS = ("severity", "kind", "account_id")


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are looked at.

    Attributes:
        first, last: of them, both included.
        zone: where they begin at midnight.
    """

    first: date
    last: date
    zone: tzinfo

    def starts(self) -> list[datetime]:
        """Return when each day begins, UTC; where the clock leaves midnight out, when it would have been."""
        return [datetime.combine(day, time(), self.zone).astimezone(UTC) for day in self.days()]

    def days(self) -> list[date]:
        """Return every day, oldest first."""
        return [self.first + number * _DAY for number in range((self.last - self.first).days + 1)]


def window_of(days: int, time_zone: str, *, now: datetime, kept: timedelta | None) -> Window:
    """Return the last days, today included; not more than the plan keeps.

    Args:
        days: how many, at least 1.
        time_zone: IANA's name.
        now: aware.
        kept: how long the plan keeps what was fixed; None for ever.
    """
    zone = zone_of(time_zone)
    last = now.astimezone(zone).date()
    first = last - (days - 1) * _DAY
    if kept is not None:
        first = max(first, (now - kept).astimezone(zone).date())
    return Window(first, last, zone)


@dataclass(slots=True)
class Day:
    """One day: what was seen for the first time, what was gone, and what was open at its end, also by part."""

    opened: int = 0
    fixed: int = 0
    open: int = 0
    by_severity: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)
    by_account: Counter[str] = field(default_factory=Counter)


def series(
    window: Window,
    *,
    before: Iterable[Mapping[str, Any]],
    opened: Iterable[Mapping[str, Any]],
    fixed: Iterable[Mapping[str, Any]],
) -> dict[date, Day]:
    """Return every day of a window; the parts count what is open at its end.

    Args:
        window: which days.
        before: what was open when the first day began: rows of `severity kind account_id items`.
        opened: what was seen first: the same, with `number`: 1 for the first day.
        fixed: what was gone, likewise.
    """
    open_by = {name: Counter[str]() for name in _PARTS}
    total = 0

    def count(row: Mapping[str, Any], sign: int) -> int:
        for name in _PARTS:
            open_by[name][str(row[name])] += sign * int(row["items"])
        return int(row["items"])

    for row in before:
        total += count(row, 1)
    opened_on, fixed_on = _by_day(opened), _by_day(fixed)
    found: dict[date, Day] = {}
    for number, day in enumerate(window.days(), 1):
        came = sum(count(row, 1) for row in opened_on.get(number, ()))
        went = sum(count(row, -1) for row in fixed_on.get(number, ()))
        total += came - went
        severity, kind, account = (+open_by[name] for name in _PARTS)
        found[day] = Day(came, went, total, severity, kind, account)
    return found


def mean_seconds_to_fix(fixed: Iterable[Mapping[str, Any]], by: str | None = None) -> dict[str, int]:
    """Return the mean time from first seen to gone, in seconds, by a part; under the name `all` without one.

    Args:
        fixed: rows of `items seconds`, and of the part.
        by: `severity`, `kind` or `account_id`.
    """
    items: Counter[str] = Counter()
    seconds: dict[str, float] = {}
    for row in fixed:
        name = str(row[by]) if by else "all"
        items[name] += int(row["items"])
        seconds[name] = seconds.get(name, 0.0) + float(row["seconds"])
    return {name: round(seconds[name] / number) for name, number in sorted(items.items()) if number}


def _by_day(rows: Iterable[Mapping[str, Any]]) -> dict[int, Sequence[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(int(row["number"]), []).append(row)
    return {number: tuple(of_day) for number, of_day in found.items()}
