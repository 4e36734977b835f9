"""Policies: what is asked for and what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.patterns import Glob, Reason
from shared.rules.levels import Level

MOST_RULES = 200
_STRICT = ConfigDict(extra="forbid")


class PolicyRule(BaseModel):
    """One override. The first rule that matches a finding decides."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", description="unique within the policy")
    flag_pattern: Glob = Field(description="glob over the finding's flag, or over its rule's id")
    resource_pattern: Glob | None = Field(
        None,
        description="glob over the resource's address or type; without it every finding, also those about the plan",
    )
    severity: Level = Field(description="what counts from then on; `none` accepts the finding, which stays visible")
    reason: Reason


def _unique(rules: list[PolicyRule]) -> list[PolicyRule]:
    twice = [name for name, number in Counter(rule.id for rule in rules).items() if number > 1]
    if twice:
        raise ValueError(f"the id {twice[0]} is there more than once")
    return rules


class PutPolicy(BaseModel):
    """The whole list of rules, in the place of the present one."""

    model_config = _STRICT

    rules: Annotated[list[PolicyRule], AfterValidator(_unique), Field(max_length=MOST_RULES)]
    version: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        strict=True,
        description="the version that this replaces; another one is 409 `policy_changed`",
    )


class PolicyQuery(BaseModel):
    """Query of the policy."""

    model_config = _STRICT

    version: int | None = Field(None, ge=1, le=2**31 - 1, description="an earlier version")


class PolicyView(BaseModel):
    """A version of the policy; 0 while there has been none."""

    version: int
    rules: list[PolicyRule]
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self:
        """Make the view of a row."""
        if row is None:
            return cls(version=0, rules=[], changed_by=None, changed_at=None)
        return cls(
            version=row["version"], rules=row["rules"], changed_by=row["changed_by"], changed_at=row["created_at"]
        )
