"""What comes in and goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from shared.http.paging import PageQuery

AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RegionName = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", max_length=600)
]
_STRICT = ConfigDict(extra="forbid")
_SAS = re.compile(
    r"\??(?:[a-z]{2,6}=[A-Za-z0-9%:.,_~+/*-]*&)*sig=[A-Za-z0-9%+/=_-]+(?:&[a-z]{2,6}=[A-Za-z0-9%:.,_~+/*-]*)*"
)
_TOKEN = re.compile(r"[!-~]+")


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


class _RowView(BaseModel):
    """A view whose members are columns of the same name."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class AccountView(_RowView):
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


class AccountAccess(BaseModel):
    """The credentials of the account that is scanned."""

    model_config = _STRICT

    kind: Literal["account"]


class RoleAccess(BaseModel):
    """A role of the account that holds the states, with an external id that DriftWise chose.

    `role` is taken on by DriftWise itself, `account_role` with the credentials of the account that is scanned (a chain).
    """

    model_config = _STRICT

    kind: Literal["role", "account_role"]
    role_arn: RoleArn


class WorkloadIdentity(BaseModel):
    """A workload identity provider of Google Cloud's that trusts DriftWise, with the source's external id as its only audience."""

    model_config = _STRICT

    kind: Literal["workload_identity"]
    provider: str = Field(
        pattern=r"^projects/[0-9]{1,20}/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}/providers/[a-z0-9-]{4,32}$"
    )
    service_account: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$",
        description="to act as; the pool's own principal unless said",
    )


class ServiceAccountKey(BaseModel):
    """A Google service account's key file, as JSON. Accepted and discouraged."""

    model_config = _STRICT

    kind: Literal["service_account_key"]
    key_json: SecretStr = Field(min_length=100, max_length=10_000)


class FederatedAccess(BaseModel):
    """A Microsoft Entra app or identity with a federated credential for DriftWise; its audience is the source's external id."""

    model_config = _STRICT

    kind: Literal["federated"]
    tenant_id: UUID
    client_id: UUID


class ClientSecret(BaseModel):
    """A Microsoft Entra app's secret. Accepted and discouraged."""

    model_config = _STRICT

    kind: Literal["client_secret"]
    tenant_id: UUID
    client_id: UUID
    client_secret: SecretStr = Field(min_length=8, max_length=256)


class SasToken(BaseModel):
    """A shared access signature with the rights to read, and to list where there is a prefix."""

    model_config = _STRICT

    kind: Literal["sas"]
    sas_token: SecretStr = Field(min_length=20, max_length=2000)

    @field_validator("sas_token")
    @classmethod
    def _is_query(cls, value: SecretStr) -> SecretStr:
        if not _SAS.fullmatch(value.get_secret_value()):
            raise ValueError("this is no shared access signature, such as `sv=…&sig=…`")
        return value


class BasicAccess(BaseModel):
    """A user name and a password, as the `http` backend takes them."""

    model_config = _STRICT

    kind: Literal["basic"]
    username: str = Field(min_length=1, max_length=256, pattern=r"^[^:\x00-\x1f\x7f]+$")
    password: SecretStr = Field(min_length=1, max_length=2000)


class BearerAccess(BaseModel):
    """A token, such as a team's of HCP Terraform."""

    model_config = _STRICT

    kind: Literal["bearer"]
    token: SecretStr = Field(min_length=8, max_length=4000)

    @field_validator("token")
    @classmethod
    def _is_token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("a token has no spaces and no characters beyond ASCII")
        return value


class NoAccess(BaseModel):
    """Nobody has to sign in."""

    model_config = _STRICT

    kind: Literal["none"]


SourceAccess = Annotated[
    AccountAccess
    | RoleAccess
    | StaticKey
    | WorkloadIdentity
    | ServiceAccountKey
    | FederatedAccess
    | ClientSecret
    | SasToken
    | BasicAccess
    | BearerAccess
    | NoAccess,
    Field(discriminator="kind"),
]


class CreateSource(BaseModel):
    """A wish for a state source. Which fields a kind has is said by the errors of a wish that gets it wrong."""

    model_config = _STRICT

    account_id: UUID
    kind: Literal["upload", "s3", "gcs", "azure_blob", "http", "tfc"]
    name: str = Field(min_length=1, max_length=100)
    bucket: str | None = Field(
        None, pattern=r"^[$a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", description="a bucket, or a container of azure_blob"
    )
    object_key: str | None = Field(
        None, min_length=1, max_length=1024, description="one key, object, blob or workspace"
    )
    object_prefix: str | None = Field(None, max_length=1024, description="every state whose name begins so")
    object_suffix: str | None = Field(None, max_length=100, description="how their names end: `.tfstate` unless said")
    bucket_region: RegionName | None = Field(None, description="where an S3 bucket lies; found out unless said")
    storage_account: str | None = Field(None, pattern=r"^[a-z0-9]{3,24}$")
    url: str | None = Field(
        None, min_length=9, max_length=2000, description="of http, or the host of tfc: HCP Terraform unless said"
    )
    organization: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,100}$")
    auth: SourceAccess | None = None


class ChangeSource(BaseModel):
    """A change of a state source; what is left out stays. Where a source lies does not change: that would be another one."""

    model_config = _STRICT

    name: str | None = Field(None, min_length=1, max_length=100)
    auth: SourceAccess | None = None


class SourceView(_RowView):
    """A state source and the outcome of its last fetch."""

    id: UUID
    account_id: UUID
    kind: str
    name: str
    bucket: str | None
    object_key: str | None
    object_prefix: str | None
    object_suffix: str | None
    bucket_region: str | None
    storage_account: str | None
    url: str | None
    organization: str | None
    auth_kind: str
    auth: dict[str, str]
    serial: int | None
    lineage: str | None
    terraform_version: str | None
    resource_count: int
    state_count: int
    fetched_at: datetime | None
    error_code: str | None
    error_detail: str | None
    created_at: datetime


class SourcePage(BaseModel):
    """One page of state sources."""

    items: list[SourceView]
    next_cursor: str | None


class UploadQuery(BaseModel):
    """Query of a state upload."""

    model_config = _STRICT

    force: bool = Field(default=False, description="take a state with a lower serial or another lineage")


class StartScan(BaseModel):
    """A wish to scan an account."""

    model_config = _STRICT

    account_id: UUID


class ScanView(_RowView):
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


class ResourceView(_RowView):
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
    format: Literal["json", "csv", "sarif", "markdown"] = "json"


class DriftView(_RowView):
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


class DriftPage(BaseModel):
    """One page of drift items."""

    items: list[DriftView]
    next_cursor: str | None
