"""What an operator sends, and what it is answered. The operator's side is `infra/operator/driftwise_operator/report.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_OBJECTS_PER_PART = 2_000
_STRICT = ConfigDict(extra="forbid")
# Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and the API conventions on kinds and groups
_KIND = r"^[A-Z][0-9A-Za-z]{0,62}(\.[a-z0-9.-]{1,253})?$"
_API_VERSION = r"^([a-z0-9.-]{1,253}/)?v[0-9a-z]{1,20}$"
KindName = Annotated[str, StringConstraints(pattern=_KIND)]
ApiVersion = Annotated[str, StringConstraints(pattern=_API_VERSION)]
ObjectName = Annotated[str, StringConstraints(pattern=r"^[^/%\x00]{1,253}$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,63}$")]


def _is_object(value: dict[str, Any]) -> dict[str, Any]:
    """Take an object that says what it is; of the rest nothing is known here."""
    Identity.model_validate(
        {
            "apiVersion": value.get("apiVersion"),
            "kind": value.get("kind"),
            **_named(value.get("metadata")),
        }
    )
    return value


def _named(metadata: object) -> dict[str, object]:
    if not isinstance(metadata, Mapping):
        return {}
    return {"name": metadata.get("name"), "namespace": metadata.get("namespace") or ""}


class Identity(BaseModel):
    """Which object it is."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    api_version: ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9A-Za-z]{0,62}$")]
    name: ObjectName
    namespace: Namespace = ""

    @property
    def kind_name(self) -> str:
        """The kind with its API group, e.g. `Deployment.apps`."""
        group, _, _ = self.api_version.rpartition("/")
        return f"{self.kind}.{group}" if group else self.kind

    @property
    def key(self) -> str:
        """Namespace and name, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class KindFailure(BaseModel):
    """A kind that could not be listed."""

    model_config = _STRICT

    kind: KindName
    reason: Literal["access_denied", "throttled", "unavailable", "not_enabled", "malformed"]
    permission: str | None = Field(None, max_length=400)
    detail: str = Field("", max_length=500)


class ClusterFacts(BaseModel):
    """What the operator read, told with the part that ends the listing."""

    model_config = _STRICT

    kinds: list[KindName] = Field(max_length=500, description="listed from the first to the last page")
    failures: list[KindFailure] = Field(default_factory=list[KindFailure], max_length=500)
    server_version: str = Field("", max_length=100)
    operator_version: str = Field("", max_length=100)


class ReportPart(BaseModel):
    """One part of a report. Parts come in order; those after the one that ends the listing are changes, or tell that nothing did."""

    model_config = _STRICT

    account_id: UUID
    report_id: UUID
    part: int = Field(ge=1, le=10_000_000)
    objects: list[Annotated[dict[str, Any], AfterValidator(_is_object)]] = Field(
        default_factory=list[dict[str, Any]], max_length=MOST_OBJECTS_PER_PART
    )
    deleted: list[Identity] = Field(default_factory=list[Identity], max_length=MOST_OBJECTS_PER_PART)
    listing: ClusterFacts | None = Field(None, description="set on the part that ends the listing")

    @model_validator(mode="after")
    def _is_plain(self) -> ReportPart:
        if self.listing is not None and self.deleted:
            raise ValueError("a listing deletes nothing: what it does not hold is gone")
        return self


class ReportAnswer(BaseModel):
    """What became of a part."""

    status: Literal["accepted", "already_processed"]
    next_part: int
    is_complete: bool
    scan_id: UUID | None = Field(None, description="of the scan that this part started")
