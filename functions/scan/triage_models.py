"""What comes in and goes out of calls on ignore rules, and on what people say of drift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.patterns import Glob, Reason

from .models import SeverityName

_STRICT = ConfigDict(extra="forbid")
_NAMES = ("type", "address", "cloud_id", "tag", "path")
_WILD = "*?"


class CreateIgnoreRule(BaseModel):
    """A wish not to see some drift. What a rule names must all fit."""

    model_config = _STRICT

    type: Glob | None = Field(None, description="glob over the resource type")
    address: Glob | None = Field(None, description="glob over the address")
    cloud_id: Glob | None = Field(None, description="glob over the cloud's own id")
    tag: Glob | None = Field(None, description="glob over `key=value` of a tag of the live resource")
    path: Glob | None = Field(None, description="glob over the path of a changed attribute")
    most_severity: SeverityName = Field("high", description="what is worse is shown all the same")
    reason: Reason
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if not any((getattr(self, name) or "").strip(_WILD) for name in _NAMES):
            raise ValueError("name at least one of type, address, cloud_id, tag and path by more than wildcards")
        return self


class IgnoreRuleView(BaseModel):
    """A rule by which drift is not shown."""

    id: UUID
    type: str | None
    address: str | None
    cloud_id: str | None
    tag: str | None
    path: str | None
    most_severity: str
    reason: str
    expires_at: datetime | None
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        same = ("id", "most_severity", "reason", "expires_at", "created_by", "created_at")
        patterns = {name: row[f"{name}_pattern"] for name in _NAMES}
        return cls(**patterns, **{name: row[name] for name in same})


class IgnoreRulePage(BaseModel):
    """One page of ignore rules."""

    items: list[IgnoreRuleView]
    next_cursor: str | None


class ChangeDrift(BaseModel):
    """What somebody says of an item; what is left out stays. It holds as long as the item is what it was: see `reason`."""

    model_config = _STRICT

    is_acknowledged: bool | None = None
    assignee: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = Field(
        None, description="a person or a team, in your own words; null for nobody"
    )
    ignored_until: AwareDatetime | None = Field(
        None, description="not in lists until then, at most a year ahead; null to show it again. Needs a reason"
    )
    reason: Reason | None = Field(
        None, description="why; an item that gets worse or changes again is shown again and no longer acknowledged"
    )

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.ignored_until is not None and self.reason is None:
            raise ValueError("say why it is ignored: reason")
        if not self.model_fields_set - {"reason"}:
            raise ValueError("say at least one of is_acknowledged, assignee and ignored_until")
        return self
