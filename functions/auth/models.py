"""What comes in and goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class CallbackQuery(BaseModel):
    """What the provider sends back through the browser (OpenID Connect Core 3.1.2.5, RFC 9207)."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(min_length=1, max_length=200)
    code: str | None = Field(None, max_length=4096)
    error: str | None = Field(None, max_length=200)
    iss: str | None = Field(None, max_length=500)


class TokenView(BaseModel):
    """A fresh access token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # the name of a token type
    expires_in: int = Field(description="seconds")


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

    name: str = Field(min_length=1, max_length=100)


class MeView(BaseModel):
    """Who is calling."""

    kind: str
    id: str
    email: str | None
    name: str | None
    is_platform_admin: bool
    org_id: UUID | None
    scopes: list[str]
