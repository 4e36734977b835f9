"""What comes in and goes out of calls on asset feeds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

# Source: IAM, "Service account names"; a project of a domain (`example.com:name`) stands there as `name.example.com`.
PUSH_ACCOUNT = (
    r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9](\.[a-z0-9-]{1,63}){0,8}\.iam\.gserviceaccount\.com$"
)


class PutAssetFeed(BaseModel):
    """A wish that changes in a Google Cloud account start scans."""

    model_config = ConfigDict(extra="forbid")

    push_account: str = Field(
        pattern=PUSH_ACCOUNT,
        max_length=300,
        description="a service account of yours, which the set-up makes: pushes come with its tokens, and with no others",
    )
    is_disabled: bool = Field(False, description="a disabled feed lets nothing in, and starts no scan")


class AssetFeedView(BaseModel):
    """The feed of an account: where to push, what came, and what it is about to start.

    `commands` and `terraform` make the feed, its topic and its push subscription in your project, ready to paste; all of it is yours.
    """

    id: UUID
    account_id: UUID
    push_account: str
    endpoint: str = Field(description="where the push subscription delivers to")
    audience: str = Field(description="what its tokens are made for")
    disabled_at: datetime | None
    welcomed_at: datetime | None = Field(
        description="when the message of a new feed came: the way from your project to here works"
    )
    changed_at: datetime | None = Field(description="the latest change that was told, within a few seconds")
    due_at: datetime | None = Field(description="when changes start the next scan; null when none wait")
    last_started_at: datetime | None
    last_scan_id: UUID | None
    created_at: datetime
    commands: str = Field(description="for a shell with gcloud")
    terraform: str = Field(description="further arguments of the module `terraform/customer/gcp`")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, endpoint: str, commands: str, terraform: str) -> Self:
        """Make the view of a row."""
        made = {"endpoint": endpoint, "audience": endpoint, "commands": commands, "terraform": terraform}
        return cls(**made, **{name: row[name] for name in cls.model_fields if name not in made})


class PushAnswer(BaseModel):
    """What became of a pushed message: `already_processed` (200) when it changes nothing, `ignored` (200) when it tells of no change."""

    status: Literal["accepted", "already_processed", "ignored"]
