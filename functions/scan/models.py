"""What comes in and goes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from shared.http.paging import PageQuery

AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RegionName = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", max_length=600)
]
_STRICT = ConfigDict(extra="forbid")


class StaticKey(BaseModel):
    """An access key. Accepted and discouraged: a role leaves no long-lived secret behind."""

    model_config = _STRICT

    kind: Literal["static_key"]
    access_key_id: str = Field(pattern=r"^[A-Z0-9]{16,128}$")
    secret_access_key: SecretStr = Field(min_length=16, max_length=256)


class AssumedRole(BaseModel):
    """A role that DriftWise assumes, with an external id that DriftWise chose."""

    model_config = _STRICT

    kind: Literal["role"]
    role_arn: RoleArn


class CreateAccount(BaseModel):
    """A wish to connect a cloud account."""

    model_config = _STRICT

    provider: Literal["aws"]
    name: str = Field(min_length=1, max_length=100)
    external_account: AccountNumber = Field(description="the 12-digit AWS account id")
    regions: list[RegionName] = Field(default=["us-east-1"], min_length=1, max_length=50)
    auth: StaticKey | AssumedRole = Field(discriminator="kind")


class ChangeAccount(BaseModel):
    """A change of a connected account; what is left out stays."""

    model_config = _STRICT

    name: str | None = Field(None, min_length=1, max_length=100)
    regions: list[RegionName] | None = Field(None, min_length=1, max_length=50)


class RowView(BaseModel):
    """A view whose members are columns of the same name."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class AccountView(RowView):
    """A connected account; credentials are never shown."""

    id: UUID
    provider: str
    name: str
    external_account: str
    regions: list[str]
    auth_kind: str
    role_arn: str | None
    external_id: str | None
    verified_at: datetime | None
    created_at: datetime


class AccountPage(BaseModel):
    """One page of accounts."""

    items: list[AccountView]
    next_cursor: str | None


class GapView(BaseModel):
    """Something that could not be read, and why."""

    types: list[str]
    region: str
    reason: str
    permission: str | None
    detail: str
    key: str | None = None
    attributes: list[str] = []


class VerifyView(BaseModel):
    """What the credentials can read."""

    is_complete: bool
    identity: str
    missing_permissions: list[str]
    gaps: list[GapView]


class StartScan(BaseModel):
    """A wish to scan an account."""

    model_config = _STRICT

    account_id: UUID


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
    """What a scan read and what it could not read."""

    shards_total: int
    shards_done: int
    resources_by_type: dict[str, int]
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
    status: Literal["open", "fixed"] = "open"
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


class DriftPage(BaseModel):
    """One page of drift items."""

    items: list[DriftView]
    next_cursor: str | None
