"""Connections to code hosts: what comes in and goes out. Credentials are never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.rules.levels import Severity

_STRICT = ConfigDict(extra="forbid")
Kind = Literal["github", "gitlab", "terraform_cloud"]
Name = Annotated[str, Field(min_length=1, max_length=100)]
_Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
_PrivateKey = Annotated[SecretStr, Field(min_length=100, max_length=16_384)]
_Token = Annotated[SecretStr, Field(min_length=8, max_length=1_024)]
# Which members each kind has besides the common ones.
NEEDS: Mapping[str, frozenset[str]] = {
    "github": frozenset({"app_id", "installation_id", "private_key"}),
    "gitlab": frozenset({"token"}),
    "terraform_cloud": frozenset({"token"}),
}
_OWN = frozenset().union(*NEEDS.values())


class CreateCodeHost(BaseModel):
    """A wish for a connection by which pull requests are commented on, or plans of Terraform Cloud's runs are read."""

    model_config = _STRICT

    kind: Kind
    name: Name
    owner: Annotated[
        str, Field(max_length=255, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*){0,20}$")
    ] = Field(
        description="whose repositories it is for: a GitHub account, a GitLab group, or one repository as `owner/name`; or an "
        "organisation of Terraform Cloud, whose runs it is for"
    )
    url: Annotated[str, Field(min_length=9, max_length=300, pattern=r"^https?://[^\s?#@]+$")] | None = Field(
        default=None,
        description="where people open the host: `https://github.com`, `https://gitlab.com` or `https://app.terraform.io` unless it is one of your own. Must be "
        "public and https",
    )
    app_id: _Id | None = Field(default=None, description="of `github`")
    installation_id: _Id | None = Field(default=None, description="of `github`: the App's installation at the owner")
    private_key: _PrivateKey | None = Field(default=None, description="of `github`: the App's private key, as PEM")
    token: _Token | None = Field(
        default=None,
        description="of `gitlab`: a project's or group's access token with the scope `api`; of `terraform_cloud`: a user's or team's token with "
        "admin access to the workspaces, which Terraform Cloud asks for before it hands out plans as JSON",
    )
    comments_on_closed: bool = Field(
        default=False, description="comment also on pull requests that are closed or merged"
    )
    has_check_run: bool = Field(default=True, description="of `github`: add a check run with annotations")
    fail_on: Severity | None = Field(
        default=None, description="from which level on a check run fails, where the plan came without a gate of its own"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = {name for name in _OWN if getattr(self, name) is not None}
        if missing := NEEDS[self.kind] - given:
            raise ValueError(f"{self.kind} needs {', '.join(sorted(missing))}")
        if surplus := given - NEEDS[self.kind]:
            raise ValueError(f"{self.kind} has no {', '.join(sorted(surplus))}")
        return self


class ChangeCodeHost(BaseModel):
    """A change of a connection; what is left out stays. Where it leads to does not change: make a new one."""

    model_config = _STRICT

    name: Name | None = None
    private_key: _PrivateKey | None = Field(default=None, description="of `github`: takes the place of the present one")
    token: _Token | None = Field(
        default=None, description="of `gitlab` and `terraform_cloud`: takes the place of the present one"
    )
    is_disabled: bool | None = Field(default=None, description="a disabled connection comments on nothing")
    comments_on_closed: bool | None = None
    has_check_run: bool | None = None
    fail_on: Severity | None = Field(default=None, description="null: a check run fails by the plan's own gate alone")


class CodeHostView(BaseModel):
    """A connection as admins see it."""

    id: UUID
    kind: Kind
    name: str
    url: str
    owner: str
    app_id: int | None
    installation_id: int | None
    comments_on_closed: bool
    has_check_run: bool
    fail_on: Severity | None
    disabled_at: datetime | None
    last_used_at: datetime | None
    last_error_code: str | None = Field(description="why the last comment could not be written; null once one was")
    last_error_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class CodeHostPage(BaseModel):
    """One page of connections."""

    items: list[CodeHostView]
    next_cursor: str | None
