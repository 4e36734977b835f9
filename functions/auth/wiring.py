"""The one place that builds this function's clients."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

from shared.http.deps import Deps, build_deps
from shared.ports.clock import SystemClock
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.object_store import GoogleObjectStore, ObjectStore
from shared.security.token_issuer import TokenIssuer
from shared.settings import Settings

from .oidc import Provider

SIGNING_KEY = "token-signing"
AUDIT_ANCHORS = "audit-anchors"


@dataclass(frozen=True, slots=True)
class AuthDeps(Deps):
    """Clients of the auth function.

    Attributes:
        issuer: makes access tokens.
        provider: where people sign in.
        anchors: the bucket that keeps heads of audit chains.
    """

    issuer: TokenIssuer
    provider: Provider
    anchors: ObjectStore


def load_deps(settings: Settings) -> AuthDeps:
    """Build the clients of one process."""
    clock = SystemClock()
    issuer = TokenIssuer(
        GoogleKeyManager(settings),
        SIGNING_KEY,
        settings.public_url,
        clock,
        activation_seconds=settings.token_activation_seconds,
    )
    common = build_deps(settings, fetch_token_keys=lambda _url: json.dumps(issuer.jwks()).encode())
    provider = Provider(settings.oidc_issuer, settings.oidc_client_id, clock)
    return AuthDeps(
        **{field.name: getattr(common, field.name) for field in fields(common)},
        issuer=issuer,
        provider=provider,
        anchors=GoogleObjectStore(settings, AUDIT_ANCHORS),
    )
