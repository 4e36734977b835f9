"""What comes in and goes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from shared.http.paging import PageQuery

from .attribution_models import AttributionView

_STRICT = ConfigDict(extra="forbid")
Trigger = Literal["person", "key", "schedule", "event"]
MOST_ACCOUNTS = 50  # that one call starts a scan of


class RowView(BaseModel):
    """A view whose members are columns of the same name."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class GapView(BaseModel):
    """Something that could not be read, and why."""

    types: list[str]
    region: str
    reason: str
    permission: str | None
    detail: str
    key: str | None = None
    attributes: list[str] = []


class StartScan(BaseModel):
    """A wish to scan an account, or each of several: all of them or none."""

    model_config = _STRICT

    account_id: UUID | None = None
    account_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=MOST_ACCOUNTS, description="instead of `account_id`: each once"
    )

    @model_validator(mode="after")
    def _is_one_or_several(self) -> Self:
        if (self.account_id is None) == (self.account_ids is None):
            raise ValueError("either `account_id` or `account_ids`")
        if self.account_ids is not None and len(set(self.account_ids)) < len(self.account_ids):
            raise ValueError("`account_ids` names each account once")
        return self


_TRIGGERS: Mapping[str, Trigger] = {"human": "person", "key": "key", "schedule": "schedule", "feed": "event"}


class ScanView(RowView):
    """A scan: where it stands and what it found."""

    id: UUID
    account_id: UUID
    status: str
    shards_total: int
    shards_done: int
    resources: int
    summary: dict[str, Any]
    error_code: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    regions: list[str] | None = Field(description="null until they are looked up, and when they could not be")
    trigger: Trigger = Field(
        description="who or what started it: `event` is a change that the account's asset feed told of, `key` also a cluster's operator"
    )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Build it from a row of `scans`, whose `requested_by` says `kind:id`."""
        return super().of({**row, "trigger": _TRIGGERS.get(row["requested_by"].partition(":")[0], "person")})


class StartedScans(BaseModel):
    """The scans that one call started, in the order of its `account_ids`."""

    items: list[ScanView]


class StartedScan(RootModel[ScanView | StartedScans]):
    """A scan for `account_id`, a list of scans for `account_ids`."""


class ScanPage(BaseModel):
    """One page of scans."""

    items: list[ScanView]
    next_cursor: str | None


class ResourceQuery(BaseModel):
    """Query of the resources a scan saw; paged by type and key."""

    model_config = _STRICT

    limit: int = Field(50, ge=1, le=200)
    type: str | None = Field(None, max_length=100)
    cursor: str | None = Field(None, max_length=8000)


class ResourceView(RowView):
    """A live resource."""

    type: str
    key: str
    region: str
    cloud_id: str
    tags: dict[str, str]


class ResourcePage(BaseModel):
    """One page of live resources."""

    items: list[ResourceView]
    next_cursor: str | None


class CoverageView(BaseModel):
    """What a scan read and what it could not read; how many types of its provider there are, and are compared by attribute."""

    shards_total: int
    shards_done: int
    resources_by_type: dict[str, int]
    types_known: int
    types_mapped: int
    not_checked: list[GapView]
    unread: list[GapView]


DriftKind = Literal["missing", "unmanaged", "extra", "changed"]
SeverityName = Literal["low", "medium", "high", "critical"]


class DriftQuery(PageQuery):
    """Query of drift items."""

    kind: DriftKind | None = None
    severity: SeverityName | None = None
    type: str | None = Field(None, max_length=100)
    account_id: UUID | None = None
    actor: str | None = Field(None, max_length=2048, description="ARN, user name or session name of who made it")
    status: Literal["open", "fixed"] = "open"
    min_age_days: int | None = Field(None, ge=0, le=36_500, description="first seen at least so many days ago")
    max_age_days: int | None = Field(None, ge=0, le=36_500, description="first seen at most so many days ago")
    assignee: str | None = Field(None, max_length=200)
    is_acknowledged: bool | None = None
    ignored: Literal["hide", "show", "only"] = Field(
        "hide", description="what is ignored, by a rule or until some day, is left out unless it is asked for"
    )
    format: Literal["json", "csv", "sarif", "markdown", "html"] = Field(
        "json", description="other forms than JSON hold the 10,000 worst items, without pages"
    )


class DriftView(RowView):
    """One difference between state and cloud."""

    id: UUID
    account_id: UUID
    scan_id: UUID
    kind: str
    type: str
    key: str
    address: str | None
    cloud_id: str | None
    region: str | None
    path: str | None
    before: Any
    after: Any
    is_sensitive: bool
    severity: str
    rule: str
    detector: str
    status: str
    first_seen_at: datetime
    last_seen_at: datetime
    ignore_rule_id: UUID | None = Field(
        description="the rule that hides it; without effect once that is deleted or over"
    )
    ignored_until: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assignee: str | None
    note: str | None
    attribution: AttributionView

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Build it from a row of `drift_items`."""
        attribution = AttributionView(status=row["attribution_status"], **row["attribution"])
        return super().of({**row, "attribution": attribution})


class DriftPage(BaseModel):
    """One page of drift items."""

    items: list[DriftView]
    next_cursor: str | None
