"""What the people who run the platform send and see."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.http.paging import KeysetQuery

from .members import RoleName

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{3,253}}$)(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")


def is_domain(text: str) -> bool:
    """Say whether a text is a domain in its stored form: lower case, ASCII, at least two labels."""
    return _DOMAIN.fullmatch(text) is not None


def _domain(text: str) -> str:
    if not is_domain(found := text.lower()):
        raise ValueError("not a domain such as example.com (write other scripts in their ASCII form)")
    return found


class PlatformMeView(BaseModel):
    """Whether the caller runs the platform."""

    id: str
    is_platform_admin: bool


class CreateDomain(BaseModel):
    """A domain whose people run the platform."""

    model_config = ConfigDict(extra="forbid")

    domain: Annotated[str, Field(max_length=253), AfterValidator(_domain)]


class DomainView(BaseModel):
    """A domain whose people run the platform."""

    domain: str
    created_by: UUID | None
    created_at: datetime


class DomainPage(BaseModel):
    """One page of domains, in order of the alphabet."""

    items: list[DomainView]
    next_cursor: str | None


class UserQuery(KeysetQuery):
    """Which people to list; what is given must hold together."""

    search: str | None = Field(
        default=None, min_length=1, max_length=100, description="part of the e-mail address or the name"
    )
    is_platform_admin: bool | None = None
    is_disabled: bool | None = None


class UserView(BaseModel):
    """A person with an account."""

    id: UUID
    email: str
    name: str
    is_platform_admin: bool
    created_at: datetime
    disabled_at: datetime | None


class UserPage(BaseModel):
    """One page of people, newest first."""

    items: list[UserView]
    next_cursor: str | None


class MembershipView(BaseModel):
    """An organisation that a person belongs to."""

    org_id: UUID
    name: str
    role: RoleName
    deleted_at: datetime | None
    is_only_owner: bool


class UserDetailView(UserView):
    """A person with the organisations they belong to."""

    memberships: list[MembershipView]


class _SomeChange(BaseModel):
    """A change that must say something."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("name what to change")
        return self


class ChangeUser(_SomeChange):
    """What to change about a person."""

    is_platform_admin: bool | None = Field(default=None, strict=True)
    is_disabled: bool | None = Field(default=None, strict=True, description="`true` ends every session at once")


class PlatformOrgQuery(KeysetQuery):
    """Which organisations to list; what is given must hold together."""

    search: str | None = Field(default=None, min_length=1, max_length=100, description="part of the name")
    state: Literal["live", "deleted", "purged"] | None = None


class PlatformOrgView(BaseModel):
    """An organisation, as the people who run the platform see it: nothing of what is in it."""

    id: UUID
    name: str
    plan: str
    members: int
    created_at: datetime
    deleted_at: datetime | None
    purge_at: datetime | None = Field(description="when a deleted one is given up; until then it can be restored")
    purged_at: datetime | None


class PlatformOrgPage(BaseModel):
    """One page of organisations, newest first."""

    items: list[PlatformOrgView]
    next_cursor: str | None


class ChangePlatformOrg(_SomeChange):
    """What to change about an organisation."""

    plan: Literal["free", "team", "enterprise"] | None = None
    is_deleted: Literal[False] | None = Field(default=None, description="`false` restores a deleted organisation")
