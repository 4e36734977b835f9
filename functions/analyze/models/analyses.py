"""Analyses: what is asked for and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.http.paging import PageQuery
from shared.rules.levels import Level, Severity
from shared.rules.rule import Flag

from .narratives import NarrativeView

_STRICT = ConfigDict(extra="forbid")
Action = Literal["create", "update", "replace", "delete", "forget", "read", "import", "move", "no-op"]


class CiFacts(BaseModel):
    """Where a plan comes from, as a CI system tells it. Shown, and searched by; nothing is decided on it."""

    model_config = _STRICT

    repo_owner: str | None = Field(None, max_length=255)
    repo_name: str | None = Field(None, max_length=150)
    repo_url: str | None = Field(None, max_length=500)
    pr_number: int | None = Field(None, ge=1, le=2**31 - 1)
    branch: str | None = Field(None, max_length=300)
    commit_sha: str | None = Field(None, pattern=r"^[0-9a-fA-F]{7,64}$")
    actor: str | None = Field(None, max_length=200)


class AnalyzeQuery(CiFacts):
    """Query of an analysis: the gate, and what else a body that is the plan itself has no place for."""

    fail_on: Severity | None = Field(None, description="answer 409 `risk_gate` when the risk reaches this level")


class AnalyzePlan(BaseModel):
    """A plan to judge. The body may also be the plan itself, as `terraform show -json` writes it."""

    model_config = _STRICT

    plan_json: str | dict[str, JsonValue] = Field(
        description="output of `terraform show -json`, as text or as an object"
    )
    ci: CiFacts | None = None
    fail_on: Severity | None = None


class PlanEvent(BaseModel):
    """What stands beside a plan that a webhook delivered."""

    model_config = _STRICT

    ci: CiFacts | None = None
    fail_on: Severity | None = None


class EvidenceView(BaseModel):
    """What a rule saw: an attribute before and after. Sensitive values are never shown."""

    path: str
    before: JsonValue
    after: JsonValue


class OverrideView(BaseModel):
    """How the organisation's policy changed a finding's severity."""

    rule: str
    severity_before: Severity
    reason: str


class FindingView(BaseModel):
    """One risk."""

    id: str
    rule: str
    flag: Flag
    severity: Level
    address: str
    type: str
    title: str
    reason: str
    remedy: str
    note: str
    references: list[str]
    evidence: list[EvidenceView]
    override: OverrideView | None


class ChangeView(BaseModel):
    """What the plan does to one resource."""

    address: str
    type: str
    provider: str
    action: Action
    actions: list[str]
    reason: str | None
    replace_paths: list[str]
    changed_attributes: list[str]
    previous_address: str | None
    is_import: bool
    deferred: str | None
    deposed: str | None
    risk_level: Level
    findings: list[str]
    dependents: list[str]
    dependents_total: int


class NoiseView(BaseModel):
    """A difference that changes nothing, or that the organisation chose not to see."""

    address: str
    attribute: str
    why: str
    is_recurring: bool
    suppression_id: UUID | None


class DriftLinkView(BaseModel):
    """What the plan would do to one open drift."""

    drift_id: str
    address: str
    kind: str
    path: str | None
    severity: Severity
    effect: Literal["reverted", "replaced", "deleted", "recreated", "adopted", "kept"]
    is_certain: bool


class PlanNoiseView(BaseModel):
    """Differences that change nothing, how many of the changes are nothing else, and how many are not shown."""

    changes_only_noise: int
    changes_hidden: int
    differences: list[NoiseView]
    differences_total: int


class ScanRunView(BaseModel):
    """The run that made an analysis."""

    id: UUID
    status: Literal["done"]


class AnalysisView(BaseModel):
    """One judgement of one plan."""

    id: UUID
    scan_run: ScanRunView
    created_at: datetime
    requested_by: str
    risk_level: Level
    summary: str
    counts: dict[str, int]
    changes: list[ChangeView]
    changes_total: int
    findings: list[FindingView]
    findings_total: int
    narrative: NarrativeView
    plan_noise: PlanNoiseView
    drift: list[DriftLinkView]
    uncovered: dict[str, int]
    checks: list[list[str]]
    notes: list[str]
    policy_version: int
    ci: CiFacts | None
    fail_on: Severity | None
    terraform_version: str
    format_version: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row; what was stored is what was answered."""
        return cls(
            id=row["id"],
            scan_run=ScanRunView(id=row["id"], status="done"),
            created_at=row["created_at"],
            requested_by=row["requested_by"],
            fail_on=row["fail_on"],
            **row["answer"],
        )


class AnalysisSummary(BaseModel):
    """One line of the history."""

    id: UUID
    created_at: datetime
    requested_by: str
    risk_level: Level
    is_refused: bool
    summary: str
    repository: str
    branch: str
    pull_request: int | None
    terraform_version: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class AnalysisPage(BaseModel):
    """A page of the history, newest first."""

    items: list[AnalysisSummary]
    next_cursor: str | None


class AnalysesQuery(PageQuery):
    """Query of the history."""

    risk_level: Level | None = None
    repository: str | None = Field(None, max_length=410, description="`owner/name`")
    branch: str | None = Field(None, max_length=300)
    pull_request: int | None = Field(None, ge=1, le=2**31 - 1)


class AnalysisQuery(BaseModel):
    """Query of one analysis."""

    model_config = _STRICT

    format: Literal["json", "sarif", "markdown", "junit"] = "json"
