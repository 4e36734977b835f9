"""Members and invitations: what comes in and goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

RoleName: TypeAlias = Literal["viewer", "member", "admin", "owner"]
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*")


def _email(text: str) -> str:
    """Check the shape of an address; whether anybody reads it shows when the invitation is accepted."""
    if _EMAIL.fullmatch(text) is None or not text.isprintable():
        raise ValueError("not an e-mail address")
    return text


Email = Annotated[str, Field(min_length=3, max_length=320), AfterValidator(_email)]


class MemberView(BaseModel):
    """A member of an organisation."""

    user_id: UUID
    email: str
    name: str
    role: RoleName
    is_disabled: bool = Field(description="the account is switched off by the platform")
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(user_id=row["id"], **{name: row[name] for name in cls.model_fields if name != "user_id"})


class MemberPage(BaseModel):
    """One page of members."""

    items: list[MemberView]
    next_cursor: str | None


class ChangeMember(BaseModel):
    """A member's new role."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName


class TransferOwnership(BaseModel):
    """Who is to own the organisation."""

    model_config = ConfigDict(extra="forbid")

    user_id: UUID = Field(description="a member; becomes owner, and who hands over becomes admin")


class CreateInvitation(BaseModel):
    """Whom to invite, as what."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    role: RoleName = "member"


class InvitationView(BaseModel):
    """An invitation; its token is never shown again."""

    id: UUID
    email: str
    role: RoleName
    status: Literal["open", "accepted", "revoked", "expired", "void"] = Field(
        description="`void`: who made it could not make it today"
    )
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None


class NewInvitationView(InvitationView):
    """An invitation right after it was made: the only time that its token is shown."""

    token: str | None = Field(description="for `POST /api/v2/invitations/accept`")


class InvitationPage(BaseModel):
    """One page of invitations."""

    items: list[InvitationView]
    next_cursor: str | None


class AcceptInvitation(BaseModel):
    """The token of an invitation."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=100)
