"""What comes in and goes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _in_utc(value: datetime) -> datetime:
    """Turn a time into UTC; near the ends of the calendar that leaves the years that can be stored."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class CreateKey(BaseModel):
    """A wish for a new key."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(min_length=1, max_length=10, description="`read`, `write`, `admin`")
    expires_at: Moment | None = None


class KeyView(BaseModel):
    """A key as members see it; the key itself is never stored and never shown again."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        shown = {name: row[name] for name in cls.model_fields if name != "prefix"}
        return cls(prefix=f"dw2_{row['public_id']}", **shown)


class NewKeyView(KeyView):
    """A key right after it was made: the only time that it is shown."""

    raw_key: str | None


class KeyPage(BaseModel):
    """One page of keys."""

    items: list[KeyView]
    next_cursor: str | None
