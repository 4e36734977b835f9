"""Packs for auditors: what is asked for and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class CreateAuditExport(BaseModel):
    """Which window to build a pack of."""

    model_config = ConfigDict(extra="forbid")

    from_at: AwareDatetime | None = Field(
        None, description="What happened at this time or later; as far back as the plan allows without it."
    )
    to_at: AwareDatetime | None = Field(None, description="And before this time; until now without it.")


class AuditExportView(BaseModel):
    """One pack."""

    id: UUID
    status: Literal["pending", "running", "done", "failed"]
    requested_by: str
    from_at: datetime
    to_at: datetime
    sections_done: int = Field(description="How many of `sections` are whole.")
    sections: int
    files: int = Field(description="How many files it holds so far.")
    content_bytes: int = Field(description="How long they are together, unpacked.")
    packed_bytes: int = Field(description="How long the ZIP is so far.")
    error_code: str | None = Field(
        description="Why it failed: `too_large` (ask for a shorter window), `too_many_tries`."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime = Field(description="When it is deleted.")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, sections: int) -> AuditExportView:
        """Show a row."""
        shown = {name: row[name] for name in cls.model_fields if name not in {"sections_done", "sections"}}
        return cls(sections_done=min(row["section"], sections), sections=sections, **shown)


class AuditExportPage(BaseModel):
    """One page of packs, newest first."""

    items: list[AuditExportView]
    next_cursor: str | None
