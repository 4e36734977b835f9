"""What comes in and goes out on the routes that people call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

MOST_GROUP_ROLES = 200


def _in_utc(value: datetime) -> datetime:
    """Turn a time into UTC; near the ends of the calendar that leaves the years that can be stored."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


GivenRole = Literal["viewer", "member", "admin"]


class CreateScimToken(BaseModel):
    """A wish for a token of the organisation's directory."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    expires_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None


class ScimTokenView(BaseModel):
    """A token as admins see it; the token itself is never stored and never shown again."""

    id: UUID
    name: str
    prefix: str
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="true to ten minutes")
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        shown = {name: row[name] for name in cls.model_fields if name != "prefix"}
        return cls(prefix=f"dws_{row['public_id']}", **shown)


class NewScimTokenView(ScimTokenView):
    """A token right after it was made: the only time that it is shown."""

    raw_token: str | None
    scim_endpoint: str = Field(description="What the directory calls: its base URL, or tenant URL.")

    @classmethod
    def made(cls, row: Mapping[str, Any], *, raw_token: str, scim_endpoint: str) -> Self:
        """Make the view of a new token."""
        view = ScimTokenView.of(row)
        return cls(raw_token=raw_token, scim_endpoint=scim_endpoint, **view.model_dump())


class ScimTokenPage(BaseModel):
    """One page of tokens."""

    items: list[ScimTokenView]
    next_cursor: str | None


class GroupRole(BaseModel):
    """The role that a group gives to its people."""

    model_config = ConfigDict(extra="forbid")

    group: str = Field(min_length=1, max_length=320, description="The group's displayName, in any case.")
    role: GivenRole


class PutScimConfig(BaseModel):
    """Which roles the directory's groups give; owner is given by people alone."""

    model_config = ConfigDict(extra="forbid")

    default_role: GivenRole = Field("viewer", description="Of people whose groups give them none.")
    group_roles: list[GroupRole] = Field(default=[], max_length=MOST_GROUP_ROLES)

    @model_validator(mode="after")
    def _each_once(self) -> PutScimConfig:
        names = [item.group.casefold() for item in self.group_roles]
        if len(set(names)) != len(names):
            raise ValueError("a group is named twice")
        return self


class ScimConfigView(BaseModel):
    """Which roles the directory's groups give: the highest of a person's groups counts."""

    scim_endpoint: str | None = Field(description="What the directory calls; only in plans with SCIM.")
    default_role: GivenRole
    group_roles: list[GroupRole]
    updated_at: datetime | None
