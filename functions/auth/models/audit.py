"""Audit logs: what is asked of them and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.http.paging import SeqPageQuery
from shared.security.audit import ProblemKind, Verdict


class AuditLogQuery(SeqPageQuery):
    """Which entries of the audit log to list; what is given must hold together."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    actor: str | None = Field(None, max_length=200, description="Id of who did it.")
    action: str | None = Field(
        None, max_length=200, description="`source:subject:action`, or the beginning of one, which ends in a colon."
    )
    target: str | None = Field(None, max_length=500, description="Id of what it was done to.")
    from_at: AwareDatetime | None = Field(None, alias="from", description="At this time or later.")
    to_at: AwareDatetime | None = Field(None, alias="to", description="Before this time.")


class AuditEntryView(BaseModel):
    """One entry of the audit log."""

    seq: int = Field(description="1, 2, 3, … in the organisation or on the platform, without gaps.")
    id: UUID
    at: datetime
    action: str
    actor_kind: str
    actor_id: str
    target_kind: str
    target_id: str
    facts: dict[str, Any]
    request_id: str
    hash: str = Field(description="SHA-256 over this entry and the hash of the one before it, in hexadecimal.")


class AuditLogPage(BaseModel):
    """One page of the audit log, newest first."""

    items: list[AuditEntryView]
    next_cursor: str | None


class VerifyQuery(BaseModel):
    """What the caller knows of the chain from before."""

    model_config = ConfigDict(extra="forbid")

    expected_min_seq: int = Field(
        0, ge=0, lt=1 << 63, description="The highest `seq` seen so far: the chain must not end below it."
    )


class AuditProblemView(BaseModel):
    """The first thing that is wrong with the chain."""

    seq: int = Field(description="The first entry that cannot be trusted.")
    kind: ProblemKind


class AuditVerdictView(BaseModel):
    """What verifying the whole chain found; keep `head_seq` and `head_hash` to verify against them later."""

    ok: bool
    entries: int = Field(description="How many entries are in order, from the first on.")
    head_seq: int = Field(description="Number of the last of them.")
    head_hash: str = Field(description="Its hash, in hexadecimal.")
    anchors: int = Field(description="How many heads, kept outside of the database, it was compared with.")
    problem: AuditProblemView | None

    @classmethod
    def of(cls, verdict: Verdict, *, anchors: int) -> AuditVerdictView:
        """Show a verdict."""
        found = verdict.problem
        return cls(
            ok=verdict.is_ok,
            entries=verdict.entries,
            head_seq=verdict.head.seq,
            head_hash=verdict.head.hash.hex(),
            anchors=anchors,
            problem=None if found is None else AuditProblemView(seq=found.seq, kind=found.kind),
        )
