"""What goes out about how a drift is put right."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class ImportView(BaseModel):
    """How to take an unmanaged resource into Terraform: put both texts into the configuration and plan."""

    to: str = Field(description="address of the resource; rename it in both texts at will")
    id: str | None = Field(description="import id")
    import_block: str | None
    configuration: str | None = Field(description="variables for secrets, and the resource block")
    notes: list[str]


class RevertedView(BaseModel):
    """One attribute that an apply would set back."""

    path: str
    live: Any
    state: Any
    is_sensitive: bool
    replaces: bool | None = Field(description="whether that replaces the resource; null where it is not known")


class RevertView(BaseModel):
    """A preview of what `terraform apply` would do; nothing was run for it."""

    address: str
    action: Literal["update", "replace", "create"]
    changes: list[RevertedView]
    command: str = Field(description="the plan that shows it")
    notes: list[str]


class FixView(BaseModel):
    """How to put a drift right: `import` for what is unmanaged, `revert` for what is missing or changed."""

    item_id: UUID
    kind: Literal["import", "revert"]
    importing: ImportView | None
    reverting: RevertView | None
