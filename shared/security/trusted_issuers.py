"""Issuers besides our own whose access tokens are taken, as the operator says.

Owns reading that setting. A token chooses only which of the configured issuers checks it; everything it says is verified then.
Source: RFC 9068; RFC 8725 section 3.8 (validate issuer and subject).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.ports.clock import Clock
from shared.settings import Settings

from .tokens import JwksCache, TokenRule, verify_token

_MOST_CHARACTERS = 16_384


class IssuerConfig(BaseModel):
    """One trusted issuer, an element of `DW_TRUSTED_ISSUERS`."""

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(min_length=1, max_length=500)
    jwks_url: str = Field(min_length=1, max_length=2000)
    audience: str = Field(min_length=1, max_length=500)
    token_type: str = Field(
        "at+jwt", pattern=r"^[a-z0-9+.-]{1,50}$", description="The `typ` that its access tokens carry, lower case."
    )


class TrustedIssuer:
    """One issuer with its keys."""

    def __init__(self, config: IssuerConfig, clock: Clock, fetch: Callable[[str], bytes] | None = None) -> None:
        self.issuer = config.issuer
        self._clock = clock
        self._keys = JwksCache(config.jwks_url, clock, fetch=fetch)
        self._rule = TokenRule(config.issuer, config.audience, frozenset({config.token_type}))

    def verify(self, token: str) -> Mapping[str, Any]:
        """Verify a token and return its claims. Raises: Unauthenticated, ServiceAway."""
        return verify_token(token, self._rule, self._keys, self._clock)


class TrustedIssuers:
    """The configured issuers; usually none."""

    def __init__(self, issuers: Mapping[str, TrustedIssuer]) -> None:
        self._issuers = issuers

    @classmethod
    def of(cls, settings: Settings, clock: Clock, fetch: Callable[[str], bytes] | None = None) -> TrustedIssuers:
        """Read the setting.

        Raises:
            ValueError: it is not the JSON that it must be, names an issuer twice, or this suite itself.
        """
        configs = read_trusted_issuers(settings.trusted_issuers)
        names = [config.issuer for config in configs]
        if len(set(names)) != len(names):
            raise ValueError("DW_TRUSTED_ISSUERS names one issuer twice")
        if settings.public_url in names:  # else somebody else's keys would speak for our sessions
            raise ValueError("DW_TRUSTED_ISSUERS names this suite itself")
        return cls({config.issuer: TrustedIssuer(config, clock, fetch) for config in configs})

    def issuer_of(self, token: str) -> TrustedIssuer | None:
        """Return the configured issuer that a token names; None for our own tokens and for anything else."""
        if not self._issuers:
            return None
        return self._issuers.get(_named_issuer(token))


def read_trusted_issuers(text: str) -> list[IssuerConfig]:
    """Read `DW_TRUSTED_ISSUERS`, a JSON list; empty for none."""
    return TypeAdapter(list[IssuerConfig]).validate_json(text) if text else []


def _named_issuer(token: str) -> str:
    """Read which issuer a token claims, trusting nothing; empty when it cannot be read."""
    if len(token) > _MOST_CHARACTERS or token.count(".") != 2:
        return ""
    body = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""
