"""What the broker publishes about itself: its metadata, its keys, where people sign in and report vulnerabilities."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.security.signing_keys import JWKS_MAX_AGE_SECONDS

from ..models.sign_in import ProviderList, ProviderView
from ..wiring import AuthDeps


def show_configuration(_call: Call, deps: AuthDeps) -> Reply:
    """Publish the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414); public by nature."""
    issuer = deps.settings.public_url
    body = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "authorization_endpoint": f"{issuer}/auth/login",
        "token_endpoint": f"{issuer}/auth/token",
        "device_authorization_endpoint": f"{issuer}/auth/device/code",
        "grant_types_supported": ["refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    reply = Reply.ok(body)
    reply.headers["Cache-Control"] = "public, max-age=300"
    return reply


def show_jwks(_call: Call, deps: AuthDeps) -> Reply:
    """Publish the token keys (RFC 7517); public by nature."""
    reply = Reply.ok(deps.issuer.jwks())
    reply.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_SECONDS}"
    return reply


def show_export_keys(_call: Call, deps: AuthDeps) -> Reply:
    """Publish the keys that packs for auditors are signed with (RFC 7517); public by nature."""
    reply = Reply.ok(deps.export_key.jwks())
    reply.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_SECONDS}"
    return reply


def show_security_txt(_call: Call, deps: AuthDeps) -> Reply:
    """Publish where vulnerabilities are reported (RFC 9116), as long as the operator vouches for it; public by nature."""
    found = deps.disclosure
    if found is None or not found.holds(deps.clock.now()):
        raise NotFound
    reply = Reply.text(found.text(deps.settings.public_url), "text/plain")
    reply.headers["Cache-Control"] = "public, max-age=300"
    return reply


def list_providers(_call: Call, deps: AuthDeps) -> Reply:
    """List where people can sign in; anyone may ask, it is what the first page shows."""
    items = [ProviderView(id=item.id, name=item.name or item.issuer) for item in deps.providers]
    return Reply.ok(ProviderList(items=items))
