"""Plan noise: what is asked for and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.http.paging import KeysetQuery
from shared.patterns import Glob, Reason

_STRICT = ConfigDict(extra="forbid")


class NoiseQuery(KeysetQuery):
    """Query of plan noise."""

    type: str | None = Field(None, max_length=200, description="of one resource type")


class PutNoiseSettings(BaseModel):
    """How noise in plans is treated."""

    model_config = _STRICT

    is_enabled: bool = Field(True, strict=True, description="remember noise, and let suppressions hold")
    times: int = Field(3, ge=1, le=20, strict=True, description="how often within `days` makes a noise recurring")
    days: int = Field(30, ge=1, le=90, strict=True)
    hides_recurring: bool = Field(
        False,
        strict=True,
        description="leave updates that are nothing but recurring noise out of an analysis's changes",
    )


class NoiseSettingsView(BaseModel):
    """How noise in plans is treated."""

    is_enabled: bool
    times: int
    days: int
    hides_recurring: bool
    changed_at: datetime | None = Field(description="null while the defaults hold")


class Suppress(BaseModel):
    """A wish not to see differences of an attribute in updates.

    It hides no creation, deletion or replacement, no finding, and nothing of a resource with a finding that is high or critical.
    """

    model_config = _STRICT

    attribute: Glob = Field(description="glob over the top-level attribute")
    type: Glob | None = Field(None, description="glob over the resource type")
    address: Glob | None = Field(None, description="glob over the address, with or without index keys")
    reason: Reason
    expires_at: AwareDatetime | None = None


class SuppressionView(BaseModel):
    """Differences that are not shown."""

    id: UUID
    attribute: str
    type: str | None
    address: str | None
    reason: str
    expires_at: datetime | None
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(
            attribute=row["attribute_pattern"],
            type=row["type_pattern"],
            address=row["address_pattern"],
            **{name: row[name] for name in ("id", "reason", "expires_at", "created_by", "created_at")},
        )


class NoiseSeenView(BaseModel):
    """One difference that changes nothing, wherever it showed."""

    id: UUID
    type: str
    address: str = Field(description="without index keys")
    attribute: str
    rule: str = Field(description="why it is noise")
    times: int
    first_seen_at: datetime
    last_seen_at: datetime
    is_recurring: bool
    suppressed_by: UUID | None
    suppressed_until: datetime | None = Field(description="null also when it is suppressed for ever, or not at all")


class PlanNoiseView(BaseModel):
    """Settings, everything that is suppressed, and one page of what was seen, what is new first."""

    settings: NoiseSettingsView
    suppressions: list[SuppressionView]
    items: list[NoiseSeenView]
    next_cursor: str | None
