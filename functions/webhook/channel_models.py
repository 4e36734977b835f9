"""What comes in and goes out of the calls on notification channels, and deliveries that went out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.rules.globs import glob_problem
from shared.rules.levels import Level
from shared.time_zones import ZoneName

DAY_SECONDS = 24 * 3600
_STRICT = ConfigDict(extra="forbid")
_MOST_URL = 2048
# Plain addresses only: what SMTP takes without quoting, in ASCII.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")

Kind = Literal["webhook", "slack", "teams", "email"]
Digest = Literal["immediately", "hourly", "daily"]
OutStatus = Literal["collecting", "pending", "delivered", "failed"]
DEFAULT_EVENTS = ("scan:*", "analyze:*", "keys:api_key:leaked", "webhook:*:disabled", "webhook:*:failed")


def _glob(pattern: str) -> str:
    if (problem := glob_problem(pattern)) is not None:
        raise ValueError(problem)
    return pattern


def _url(url: SecretStr) -> SecretStr:
    if not 0 < len(url.get_secret_value()) <= _MOST_URL:
        raise ValueError(f"a URL has 1 to {_MOST_URL} characters")
    return url


def _address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError("not a plain e-mail address")
    return text


Name = Annotated[str, Field(min_length=1, max_length=100)]
Events = Annotated[list[Annotated[str, AfterValidator(_glob)]], Field(min_length=1, max_length=20)]
Url = Annotated[SecretStr, AfterValidator(_url)]
Recipients = Annotated[list[Annotated[str, AfterValidator(_address)]], Field(min_length=1, max_length=20)]
Accounts = Annotated[list[UUID], Field(max_length=100)]
Hour = Annotated[int, Field(ge=0, le=23)]


class QuietHours(BaseModel):
    """Hours in which nothing is sent; what happened in them comes as one message when they end."""

    model_config = _STRICT

    start: time = Field(description="on the clock of the channel's time zone, such as 22:00")
    end: time

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.start == self.end:
            raise ValueError("quiet hours that start when they end are none, or all")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("the channel's time zone says where these hours are")
        return self


class CreateChannel(BaseModel):
    """A wish for a place where the organisation is told what happened."""

    model_config = _STRICT

    kind: Kind
    name: Name
    url: Url | None = Field(default=None, description="of all kinds but `email`; never shown again")
    recipients: Recipients | None = Field(default=None, description="of `email`")
    events: Events = Field(
        default_factory=lambda: list(DEFAULT_EVENTS), description="globs over `source:subject:action`"
    )
    least_severity: Level = "none"
    account_ids: Accounts = Field(default_factory=list, description="cloud accounts; none for everything")
    digest: Digest = "immediately"
    digest_hour: Hour = Field(default=9, description="of a daily digest")
    quiet_hours: QuietHours | None = None
    time_zone: ZoneName = "UTC"

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if (self.kind == "email") != (self.recipients is not None) or (self.kind == "email") == (self.url is not None):
            raise ValueError("`email` takes `recipients`, every other kind takes `url`")
        return self


class ChangeChannel(BaseModel):
    """A change of a channel; what is left out stays. `quiet_hours: null` ends them."""

    model_config = _STRICT

    name: Name | None = None
    url: Url | None = None
    recipients: Recipients | None = None
    events: Events | None = None
    least_severity: Level | None = None
    account_ids: Accounts | None = None
    digest: Digest | None = None
    digest_hour: Hour | None = None
    quiet_hours: QuietHours | None = None
    time_zone: ZoneName | None = None
    is_disabled: bool | None = Field(default=None, description="a disabled channel is told nothing")
    end_grace: Literal[True] | None = Field(default=None, description="stop signing with the previous secret now")


class RotateChannelSecret(BaseModel):
    """A wish for a new secret in the place of the present one."""

    model_config = _STRICT

    grace_seconds: int = Field(
        default=DAY_SECONDS,
        ge=0,
        le=7 * DAY_SECONDS,
        description="how long messages are signed with both",
        strict=True,
    )


class ChannelView(BaseModel):
    """A channel as admins see it; its address and its secrets are never shown again."""

    id: UUID
    kind: str
    name: str
    target: str = Field(description="host and last characters of the URL; first letter and domain of addresses")
    events: list[str]
    least_severity: str
    account_ids: list[UUID]
    digest: str
    digest_hour: int
    quiet_hours: QuietHours | None
    time_zone: str
    previous_expires_at: datetime | None = Field(description="until when messages are signed with two secrets")
    rotated_at: datetime | None
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_because: str | None = Field(
        description="`person`, `gone` (410, or what Slack says of an app that was uninstalled) or `failing` (for 24 hours)"
    )
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], *, now: datetime, **more: Any) -> Self:
        """Make the view of a row; a grace that is over is not shown any more."""
        ends_at = row["previous_expires_at"]
        own = {"target", "quiet_hours", "previous_expires_at", *more}
        quiet = None
        if row["quiet_from"] is not None:
            quiet = QuietHours(start=row["quiet_from"], end=row["quiet_until"])
        return cls(
            **{name: row[name] for name in cls.model_fields if name not in own},
            target=row["target_hint"],
            quiet_hours=quiet,
            previous_expires_at=ends_at if ends_at is not None and ends_at > now else None,
            **more,
        )


class NewChannelView(ChannelView):
    """A channel right after it got a secret: the only time that it is shown; null of kinds that sign nothing."""

    secret: str | None


class ChannelPage(BaseModel):
    """One page of channels."""

    items: list[ChannelView]
    next_cursor: str | None


class BeginSlackInstall(BaseModel):
    """A wish for a Slack channel; which one is chosen at Slack."""

    model_config = _STRICT

    name: Name | None = Field(default=None, description="of the channel here; without one, Slack's")


class SlackInstallView(BaseModel):
    """An installation that begins."""

    authorize_url: str = Field(description="where the same person, in a browser, chooses workspace and channel")
    expires_at: datetime


class SlackCallbackQuery(BaseModel):
    """What Slack sends back through the browser (RFC 6749 section 4.1.2)."""

    model_config = ConfigDict(extra="ignore")

    state: str = Field(min_length=1, max_length=200)
    code: str | None = Field(None, pattern=r"^[!-~]{1,500}$")
    error: str | None = Field(None, max_length=200)


class ChannelTestView(BaseModel):
    """What came of a test."""

    is_delivered: bool
    response_status: int | None
    error_code: str | None


class OutgoingView(BaseModel):
    """A delivery that goes or went out. What it said is not shown."""

    id: UUID
    direction: Literal["out"]
    channel_id: UUID
    seq: int
    event_kind: str
    status: str
    due_at: datetime
    tries: int
    replays: int
    last_tried_at: datetime | None
    delivered_at: datetime | None
    response_status: int | None
    response_start: str | None
    error_code: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(direction="out", **{name: row[name] for name in cls.model_fields if name != "direction"})
