"""Which OpenID providers people sign in with: the operator's setting, read once.

Owns `DW_OIDC_PROVIDERS`. Source: OpenID Connect Discovery 1.0 section 2 (issuer).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.settings import Settings

from .errors import ProviderAway, ProviderUnknown
from .oidc import Provider, ProviderRules

DEFAULT = "default"


class ProviderConfig(BaseModel):
    """One provider, an element of `DW_OIDC_PROVIDERS`."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    name: str = Field("", max_length=100, description="Shown to people.")
    issuer: str = Field(min_length=1, max_length=500)
    client_id: str = Field(min_length=1, max_length=500)
    trusted_domains: frozenset[str] = Field(
        frozenset(), description="E-mail domains it speaks for: it may join accounts of theirs that exist."
    )
    allowed_domains: frozenset[str] = Field(
        frozenset(), description="The only e-mail domains that it signs in; empty for all."
    )
    verified_claim: str = Field(
        "email_verified", description="The claim that vouches for the address; `xms_edov` for Microsoft Entra ID."
    )

    domain_claim: str = Field(
        "",
        max_length=100,
        description="The claim that must be the address's domain as well; `hd` for Google Workspace.",
    )
    signs_out: bool = Field(
        default=True, description="Offer its sign-out page; not where that page wants an ID token, as Okta's does."
    )

    @model_validator(mode="after")
    def _lower_domains(self) -> ProviderConfig:
        if any(domain != domain.lower() for domain in self.trusted_domains | self.allowed_domains):
            raise ValueError("write domains in lower case")
        return self


class Providers:
    """The configured providers, by id, in the order of the setting."""

    def __init__(self, configs: list[ProviderConfig], clock: Clock) -> None:
        if len({config.id for config in configs}) != len(configs):
            raise ValueError("DW_OIDC_PROVIDERS names one id twice")
        self._configs: Mapping[str, ProviderConfig] = {config.id: config for config in configs}
        self._providers = {config.id: Provider(_rules(config), clock) for config in configs}

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Providers:
        """Read the settings: the list, or the one provider of `DW_OIDC_ISSUER` and `DW_OIDC_CLIENT_ID`.

        Raises:
            ValueError: the setting cannot be read.
        """
        return cls(read_providers(settings), clock)

    def __iter__(self) -> Iterator[ProviderConfig]:
        return iter(self._configs.values())

    def find(self, provider_id: str | None) -> tuple[ProviderConfig, Provider]:
        """Return a provider; the first one without an id.

        Raises:
            ProviderUnknown: (404 `provider_unknown`).
        """
        chosen = provider_id if provider_id is not None else next(iter(self._configs), "")
        if chosen not in self._configs:
            raise ProviderUnknown
        return self._configs[chosen], self._providers[chosen]

    def logout_url(self, issuer: str, back_to: str) -> str | None:
        """Return the sign-out page of the provider with this issuer, None when there is none."""
        found = next((item for item in self._configs.values() if item.issuer == issuer), None)
        if found is None or not found.signs_out:
            return None
        return self._providers[found.id].logout_url(post_logout_redirect_uri=back_to)


def client_secret(stored: Secret, provider_id: str) -> Secret:
    """Return one provider's client secret.

    Args:
        stored: the suite's secret: one secret for one provider, or a JSON object of provider id to secret.
        provider_id: whose.

    Raises:
        ProviderAway: (503 `provider_away`) the object cannot be read, or holds none for this provider.
    """
    content = stored.reveal().strip()  # a file's last line break comes along easily
    if not content.startswith(b"{"):
        return Secret(content)
    try:
        found = json.loads(content).get(provider_id)
    except (ValueError, RecursionError):
        found = None  # and no cause: an error's text would show a part of what it could not read
    if not isinstance(found, str) or not found:
        raise ProviderAway("the provider's client secret is missing", retry_after_seconds=60)
    return Secret(found.encode())


def read_providers(settings: Settings) -> list[ProviderConfig]:
    """Read the settings; empty when there is no provider."""
    if settings.oidc_providers:
        return TypeAdapter(list[ProviderConfig]).validate_json(settings.oidc_providers)
    if not settings.oidc_issuer:
        return []
    only = {"id": DEFAULT, "issuer": settings.oidc_issuer, "client_id": settings.oidc_client_id}
    return [ProviderConfig.model_validate(only)]


def _rules(config: ProviderConfig) -> ProviderRules:
    return ProviderRules(
        issuer=config.issuer,
        client_id=config.client_id,
        verified_claim=config.verified_claim,
        domain_claim=config.domain_claim,
        trusted_domains=config.trusted_domains,
        allowed_domains=config.allowed_domains,
    )
