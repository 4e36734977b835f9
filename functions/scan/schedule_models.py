"""What comes in and goes out of calls on schedules and trends."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.time_zones import ZoneName

from .models import DriftKind, RowView, SeverityName

_STRICT = ConfigDict(extra="forbid")
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Cron = Annotated[
    str,
    Field(
        min_length=9,
        max_length=100,
        pattern=r"^[0-9A-Za-z*/,#\- ]+$",
        description="five fields: minute, hour, day of the month, month, day of the week; on the clock of the time zone",
        examples=["30 2 * * 1-5"],
    ),
]
_Jitter = Annotated[
    int,
    Field(
        ge=0,
        le=3600,
        description="runs start at most so many seconds later, and never by more than half the time between two of them; how much "
        "is the schedule's own and always the same",
    ),
]


class CreateSchedule(BaseModel):
    """A wish to scan an account again and again."""

    model_config = _STRICT

    account_id: UUID
    name: _Name
    cron: _Cron
    time_zone: ZoneName = "UTC"
    jitter_seconds: _Jitter = 300


class ChangeSchedule(BaseModel):
    """A change of a schedule; what is left out stays."""

    model_config = _STRICT

    name: _Name | None = None
    cron: _Cron | None = None
    time_zone: ZoneName | None = None
    jitter_seconds: _Jitter | None = None
    is_disabled: bool | None = Field(None, description="a disabled schedule never runs by itself")


class ScheduleView(RowView):
    """A schedule, when it runs next, and what became of its last run."""

    id: UUID
    account_id: UUID
    name: str
    cron: str
    time_zone: str
    jitter_seconds: int
    next_run_at: datetime | None
    last_due_at: datetime | None
    last_scan_id: UUID | None
    last_outcome: Literal["running", "done", "failed", "cancelled", "skipped", "waiting", "over_plan"] | None = Field(
        description="`skipped`: the account was being scanned already; `waiting`: for the plan's number of scans at the same time; "
        "`over_plan`: the plan allows fewer schedules"
    )
    failures: int = Field(
        description="scans in a row that failed or could read nothing; after five the schedule is disabled"
    )
    disabled_at: datetime | None
    disabled_because: Literal["person", "failing", "never"] | None
    created_at: datetime


class SchedulePage(BaseModel):
    """One page of schedules."""

    items: list[ScheduleView]
    next_cursor: str | None


class TrendQuery(BaseModel):
    """Query of trends."""

    model_config = _STRICT

    days: int = Field(30, ge=1, le=366, description="today included; not more than the plan keeps")
    time_zone: ZoneName = "UTC"
    account_id: UUID | None = None
    kind: DriftKind | None = None
    severity: SeverityName | None = None


class TrendDay(BaseModel):
    """One day; the parts count what is open at its end."""

    day: date
    opened: int
    fixed: int
    open: int
    by_severity: dict[str, int]
    by_kind: dict[str, int]
    by_account: dict[str, int]


class CoverageDay(BaseModel):
    """What the scans of one day compared, and what they could not check."""

    day: date
    scans: int
    compared: int
    not_checked: int


class TrendView(BaseModel):
    """How drift went, day by day, oldest first."""

    first_day: date
    last_day: date
    days: list[TrendDay]
    coverage: list[CoverageDay]
    mean_seconds_to_fix: int | None = Field(description="from first seen to gone; null when nothing was fixed")
    mean_seconds_to_fix_by_severity: dict[str, int]
    mean_seconds_to_fix_by_kind: dict[str, int]
    mean_seconds_to_fix_by_account: dict[str, int]
