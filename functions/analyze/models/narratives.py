"""Narratives: what is said in words."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from shared.rules.levels import Level, Severity


class PieceView(BaseModel):
    """Some sentences, and who wrote them."""

    text: str
    author: Literal["template", "model"]


class ExplanationView(BaseModel):
    """What is said about one finding. The severity is always the rules'."""

    finding: str
    severity: Severity
    address: str
    why: PieceView
    action: PieceView


class NarrativeView(BaseModel):
    """What happens, what is wrong with it and what to do. Plain sentences: no markup, no links."""

    level: Level
    headline: str
    summary: list[PieceView]
    explanations: list[ExplanationView]
    not_judged: list[str]
    reverted: list[str]
    source: Literal["template", "platform", "own"]
    model: str
    note: str
    dropped: int


class DriftNarrativeView(BaseModel):
    """What is said about one drift: the templates' words at once, a model's when they are there."""

    drift_id: UUID
    status: Literal["pending", "done"]
    narrative: NarrativeView
    written_at: datetime | None
