"""Language models: how an organisation sets its own up, and what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_STRICT = ConfigDict(extra="forbid")
_PRINTABLE = re.compile(r"[!-~]{8,4096}")

Provider = Literal["anthropic", "openai", "azure_openai", "gemini", "bedrock", "openai_compatible"]
Source = Literal["own", "platform"]
# Which members a provider's configuration has besides `provider` and `model`: needed ones, then those that may stand there.
NEEDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "anthropic": (frozenset({"api_key"}), frozenset()),
    "openai": (frozenset({"api_key"}), frozenset()),
    "azure_openai": (frozenset({"api_key", "endpoint"}), frozenset()),
    "gemini": (frozenset({"api_key"}), frozenset()),
    "bedrock": (frozenset({"region", "access_key_id", "secret_access_key"}), frozenset({"session_token"})),
    "openai_compatible": (frozenset({"endpoint"}), frozenset({"api_key"})),
}


def _printable(secret: SecretStr) -> SecretStr:
    if _PRINTABLE.fullmatch(secret.get_secret_value()) is None:
        raise ValueError("a credential has 8 to 4096 printable ASCII characters and no space")
    return secret


_Credential = Annotated[SecretStr, AfterValidator(_printable)]


class Credentials(BaseModel):
    """What the vendor wants to see; never shown again."""

    model_config = _STRICT

    api_key: _Credential | None = None
    access_key_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{16,128}$")] | None = None
    secret_access_key: _Credential | None = None
    session_token: _Credential | None = None

    def given(self) -> dict[str, str]:
        """Return what was given, in the clear."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in found.items()
            if value is not None
        }


class PutLlmConfig(BaseModel):
    """A language model of the organisation's own. Replaces the one before as a whole, credentials included."""

    model_config = _STRICT

    provider: Provider
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,255}$")] = Field(
        description="as the vendor calls it; of `azure_openai` the deployment, of `bedrock` also an ARN"
    )
    endpoint: Annotated[str, Field(min_length=9, max_length=500)] | None = Field(
        default=None,
        description="of `azure_openai` the resource, such as `https://example.openai.azure.com`; of `openai_compatible` what "
        "`/chat/completions` stands below. Must be public and https, without a query",
    )
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]{2,10}){1,3}-[0-9]$")] | None = Field(
        default=None, description="of `bedrock`"
    )
    credentials: Credentials = Field(default_factory=Credentials)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed, possible = NEEDS[self.provider]
        given = set(self.credentials.given()) | {name for name in ("endpoint", "region") if getattr(self, name)}
        if missing := needed - given:
            raise ValueError(f"{self.provider} needs {', '.join(sorted(missing))}")
        if surplus := given - needed - possible:
            raise ValueError(f"{self.provider} has no {', '.join(sorted(surplus))}")
        if self.endpoint is not None and re.search(r"[?#\s]", self.endpoint):
            raise ValueError("an endpoint has neither a query nor a fragment")
        return self


class LlmConfigView(BaseModel):
    """Which language model explains this organisation's plans. Credentials are never shown."""

    source: Literal["own", "platform", "none"] = Field(description="`none`: texts are written from templates")
    provider: Provider | None
    model: str | None
    endpoint: str | None
    region: str | None
    updated_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of the organisation's own."""
        return cls(
            source="own",
            provider=row["provider"],
            model=row["model"],
            endpoint=row["endpoint"],
            region=row["region"],
            updated_at=row["updated_at"],
        )

    @classmethod
    def of_platform(cls, provider: Provider | None, model: str | None) -> Self:
        """Make the view of the platform's; where it is asked is the operator's business."""
        source: Literal["platform", "none"] = "platform" if provider else "none"
        return cls(source=source, provider=provider, model=model, endpoint=None, region=None, updated_at=None)


class LlmTestView(BaseModel):
    """The model answered in the form that is asked for."""

    is_working: Literal[True]
    seconds: float
    input_tokens: int
    output_tokens: int


class LlmUsageQuery(BaseModel):
    """How far back."""

    model_config = _STRICT

    days: Annotated[int, Field(ge=1, le=90)] = 30


class LlmUsageView(BaseModel):
    """What one model was asked on one day (UTC)."""

    day: date
    source: Source
    provider: str
    model: str
    calls: int
    failures: int = Field(description="of the calls, those without an answer that could be used")
    input_tokens: int
    output_tokens: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Make the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class LlmTotalsView(BaseModel):
    """Everything together."""

    calls: int
    failures: int
    input_tokens: int
    output_tokens: int


class LlmUsagePage(BaseModel):
    """Newest day first, a thousand lines at most."""

    items: list[LlmUsageView]
    totals: LlmTotalsView
