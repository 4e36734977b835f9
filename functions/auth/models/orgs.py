"""Organisations: what comes in and goes out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


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
