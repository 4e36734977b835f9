"""Organisations: what comes in and goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class OrgView(BaseModel):
    """An organisation, as one of its members sees it."""

    id: UUID
    name: str
    plan: str
    role: str
    created_at: datetime


class OrgPage(BaseModel):
    """One page of organisations."""

    items: list[OrgView]
    next_cursor: str | None


class CreateOrg(BaseModel):
    """A wish for a new organisation."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class ChangeOrg(BaseModel):
    """What to change about an organisation."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class LimitView(BaseModel):
    """One limit of the plan and how much of it is used."""

    name: str
    used: int
    cap: int | None = Field(description="none: no limit")
    required_plan: str | None = Field(description="the plan that allows one more, when this one does not")
    window: str | None = Field(
        default=None, description="`hour` or `week` (ISO 8601, UTC) for what is counted in windows"
    )
    resets_at: datetime | None = Field(default=None, description="when the window ends")


class FeatureView(BaseModel):
    """A feature that depends on the plan."""

    name: str
    is_included: bool
    required_plan: str
    window_days: int | None = Field(
        default=None, description="how far back it reaches, when it is included and not for all"
    )


class UsageView(BaseModel):
    """What an organisation's plan allows and what is used of it."""

    plan: str
    limits: list[LimitView]
    features: list[FeatureView]
    history_seconds: int | None = Field(description="how long scans, drift and analyses are kept; none: for ever")
    shortest_interval_seconds: int = Field(description="between two runs of a schedule")
