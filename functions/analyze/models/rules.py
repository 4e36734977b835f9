"""Rules, those built in and an organisation's own: what is asked for and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from shared.http.paging import KeysetQuery, TextPageQuery
from shared.patterns import Glob, Reason
from shared.rules.levels import Severity
from shared.rules.rule import Flag, Rule

from .analyses import EvidenceView

_STRICT = ConfigDict(extra="forbid")
Provider = Literal["aws", "google", "azurerm"]


class BuiltinRulesQuery(TextPageQuery):
    """Query of the rules that are built in."""

    family: str | None = Field(None, max_length=50)
    flag: Flag | None = None
    type: str | None = Field(None, max_length=200, description="a resource type: the rules that look at it")
    provider: Provider | None = Field(None, description="the rules that look at some type of a provider")


class BuiltinRuleView(BaseModel):
    """One rule that is built in."""

    id: str
    family: str
    flag: Flag
    severity: Severity
    title: str
    reason: str
    remedy: str
    types: list[str] = Field(description="globs over resource types; none for rules about the plan as a whole")
    references: list[str]

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Make the view of a rule."""
        return cls(
            id=rule.id,
            family=rule.family,
            flag=rule.flag,
            severity=rule.severity,
            title=rule.title,
            reason=rule.reason,
            remedy=rule.remedy,
            types=list(rule.types),
            references=list(rule.references),
        )


class BuiltinRulePage(BaseModel):
    """One page of rules that are built in, by id."""

    items: list[BuiltinRuleView]
    next_cursor: str | None


class DisableRule(BaseModel):
    """A wish that a built-in rule says nothing."""

    model_config = _STRICT

    reason: Reason


class DisabledRuleView(BaseModel):
    """A built-in rule that says nothing, and why."""

    rule_id: str
    reason: str
    disabled_by: str
    disabled_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(
            rule_id=row["rule_id"],
            reason=row["reason"],
            disabled_by=row["disabled_by"],
            disabled_at=row["created_at"],
        )


class DisabledRulePage(BaseModel):
    """One page of rules that say nothing, by id."""

    items: list[DisabledRuleView]
    next_cursor: str | None


def _type_glob(pattern: str) -> str:
    if not all(character.isalnum() or character in "_-*?" for character in pattern):
        raise ValueError("a resource type has letters, digits, `_` and `-`")
    return pattern


TypeGlob = Annotated[Glob, AfterValidator(_type_glob)]
Expression = Annotated[
    str, Field(min_length=1, max_length=2_000, description="CEL over `change` and `plan`; true raises a finding")
]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=1_000)]


class CreateCustomRule(BaseModel):
    """A wish for a rule of one's own."""

    model_config = _STRICT

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", description="findings and policies know the rule as `custom-{name}`"
    )
    title: Title
    expression: Expression
    severity: Severity
    reason: Words = ""
    remedy: Words = ""
    resource_pattern: TypeGlob | None = Field(None, description="glob over the type; the rule is asked about no other")
    is_enabled: bool = True


class ChangeCustomRule(BaseModel):
    """A change of a rule; what is left out stays, and `resource_pattern: null` asks about every type."""

    model_config = _STRICT

    title: Title | None = None
    expression: Expression | None = None
    severity: Severity | None = None
    reason: Words | None = None
    remedy: Words | None = None
    resource_pattern: TypeGlob | None = None
    is_enabled: bool | None = None


class CustomRuleView(BaseModel):
    """One of the organisation's own rules."""

    id: UUID
    rule_id: str = Field(description="the id under which findings and policies know it")
    name: str
    title: str
    expression: str
    severity: Severity
    reason: str
    remedy: str
    resource_pattern: str | None
    is_enabled: bool
    created_by: str
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], *, rule_id: str) -> Self:
        """Make the view of a row."""
        return cls(rule_id=rule_id, **{name: row[name] for name in cls.model_fields if name != "rule_id"})


class CustomRulePage(BaseModel):
    """One page of the organisation's own rules, newest first."""

    items: list[CustomRuleView]
    next_cursor: str | None


class CustomRulesQuery(KeysetQuery):
    """Query of the organisation's own rules."""


class TryCustomRule(BaseModel):
    """An expression to try."""

    model_config = _STRICT

    expression: Expression
    change: dict[str, JsonValue] = Field(
        description="one element of `resource_changes`, as `terraform show -json` writes it"
    )


class CustomRuleTrial(BaseModel):
    """What an expression says about one change."""

    outcome: Literal["matched", "not_matched", "does_not_apply", "failed", "too_costly"]
    message: str = Field(description="what went wrong; empty when nothing did")
    evidence: list[EvidenceView] = Field(description="what a finding would show")
    unknown: list[str] = Field(description="what it looks at that is hidden or known only after the apply")
