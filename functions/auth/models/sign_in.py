"""Signing in and staying signed in: what comes in and goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

RETURN_PATH = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"  # a path of ours: no second slash, no backslash, nothing invisible


class LoginQuery(BaseModel):
    """How to sign in."""

    model_config = ConfigDict(extra="forbid")

    provider: str | None = Field(
        None, max_length=64, description="One of `GET /auth/providers`; the first of them without."
    )
    email: str | None = Field(
        None, max_length=320, description="Goes to the provider as a hint; finds the organisation's own."
    )
    return_to: str = Field("/", max_length=500, pattern=RETURN_PATH, description="Path of ours to come back to.")
    fresh: bool = Field(default=False, description="Prove who you are again, even if the provider still knows you.")


class CallbackQuery(BaseModel):
    """What the provider sends back through the browser (OpenID Connect Core 3.1.2.5, RFC 9207)."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(min_length=1, max_length=200)
    code: str | None = Field(None, max_length=4096)
    error: str | None = Field(None, max_length=200)
    iss: str | None = Field(None, max_length=500)


class ProviderView(BaseModel):
    """A provider to sign in with."""

    id: str
    name: str


class ProviderList(BaseModel):
    """Where people can sign in, in the order to show."""

    items: list[ProviderView]


class TokenRequest(BaseModel):
    """A request for an access token (RFC 6749 section 6, RFC 8628 section 3.4)."""

    model_config = ConfigDict(extra="ignore")

    grant_type: Literal["refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]
    refresh_token: str | None = Field(None, max_length=200)
    device_code: str | None = Field(None, max_length=200)
    client_id: str | None = Field(None, max_length=200)


class TokenView(BaseModel):
    """A fresh access token and what gets the next one (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # the name of a token type
    expires_in: int = Field(description="seconds")
    refresh_token: str = Field(description="Works once; the answer to it carries the next one.")


class DeviceRequest(BaseModel):
    """A terminal that wants to be signed in (RFC 8628 section 3.1)."""

    model_config = ConfigDict(extra="ignore")

    client_id: str | None = Field(None, max_length=200)
    client_name: str = Field("", max_length=100, description="Shown to the person who approves.")


class DeviceCodesView(BaseModel):
    """What the terminal shows and what it polls with (RFC 8628 section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int = Field(description="seconds")
    interval: int = Field(description="seconds to wait between two polls")


class DeviceQuery(BaseModel):
    """Which waiting terminal to show."""

    model_config = ConfigDict(extra="forbid")

    user_code: str = Field(min_length=8, max_length=20)


class DeviceAnswer(BaseModel):
    """A person's answer to a waiting terminal."""

    model_config = ConfigDict(extra="forbid")

    user_code: str = Field(min_length=8, max_length=20)
    approve: bool


class DeviceView(BaseModel):
    """A terminal that waits."""

    client_name: str
    address: str
    created_at: datetime
    expires_at: datetime


class SessionView(BaseModel):
    """One of the caller's sessions."""

    id: UUID
    kind: Literal["browser", "terminal"]
    is_current: bool
    user_agent: str
    address: str
    signed_in_at: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class SessionPage(BaseModel):
    """One page of sessions."""

    items: list[SessionView]
    next_cursor: str | None


class EndedView(BaseModel):
    """How many sessions ended."""

    ended: int


class LogoutView(BaseModel):
    """Where else to sign out."""

    logout_url: str | None = Field(description="The provider's own sign-out page, when it has one.")


class LogoutTokenForm(BaseModel):
    """A provider's notice that somebody signed out there (OpenID Connect Back-Channel Logout 1.0 section 2.5)."""

    model_config = ConfigDict(extra="ignore")

    logout_token: str = Field(min_length=1, max_length=16384)


class MeView(BaseModel):
    """Who is calling."""

    kind: str
    id: str
    email: str | None
    name: str | None
    is_platform_admin: bool
    org_id: UUID | None
    scopes: list[str]
    session_id: UUID | None
    signed_in_at: datetime | None
    csrf_token: str | None = Field(
        description="To be sent as X-CSRF-Token with every change that the browser's cookie makes."
    )
