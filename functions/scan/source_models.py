"""What comes in and goes out of calls on state sources."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from .access_models import (
    ClientSecret,
    FederatedAccess,
    RegionName,
    RoleArn,
    ServiceAccountKey,
    StaticKey,
    WorkloadIdentity,
)
from .models import RowView

_STRICT = ConfigDict(extra="forbid")
_PAIRS = r"(?:[a-z]{2,6}=[A-Za-z0-9%:.,_~+/*-]*&)*"
_SAS = re.compile(rf"\??{_PAIRS}sig=[A-Za-z0-9%+/=_-]+(?:&[a-z]{{2,6}}=[A-Za-z0-9%:.,_~+/*-]*)*")
_TOKEN = re.compile(r"[!-~]+")


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
    bucket_region: RegionName | None = Field(
        None,
        description="where an S3 bucket lies; found out unless said, but in the partitions of China and the US government",
    )
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


class SourceView(RowView):
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
