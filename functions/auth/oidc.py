"""Signing in with OpenID Connect: the authorization code flow with PKCE, from our side.

Owns the protocol with the provider. Stores nothing. Source: OpenID Connect Core 1.0; RFC 7636; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.security.errors import Unauthenticated
from shared.security.tokens import JwksCache, TokenRule, verify_token

from .errors import EmailUnverified, ProviderAway, SignInFailed

_TIMEOUT_SECONDS = 5.0
_DISCOVERY_SECONDS = 3600.0
_DISCOVERY_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the provider vouches.

    Attributes:
        issuer, subject: the provider's lasting name of the person.
        email: verified by the provider.
        name: may be empty.
        signed_in_at: `auth_time`, seconds since 1970; when the provider does not tell, the token's `iat`.
    """

    issuer: str
    subject: str
    email: str
    name: str
    signed_in_at: int


class Provider:
    """One OpenID provider."""

    def __init__(self, issuer: str, client_id: str, clock: Clock) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._clock = clock
        self._metadata: dict[str, Any] | None = None
        self._read_at = 0.0
        self._keys: JwksCache | None = None
        self._lock = threading.Lock()

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, code_verifier: str) -> str:
        """Return where to send the browser.

        Raises:
            ProviderAway: (503 `provider_away`) its metadata cannot be read.
        """
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(code_verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._discover()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def finish(
        self, *, code: str, iss: str | None, redirect_uri: str, nonce: str, code_verifier: str, secret: Secret
    ) -> Person:
        """Turn the code into a person.

        Raises:
            SignInFailed: (401 `sign_in_failed`) the provider refused, or its token does not fit.
            EmailUnverified: (403 `email_unverified`).
            ProviderAway: (503 `provider_away`).
        """
        metadata = self._discover()
        must_name_itself = metadata.get("authorization_response_iss_parameter_supported") is True
        if (iss is None and must_name_itself) or (iss is not None and iss != self._issuer):
            raise SignInFailed
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        token = self._redeem(str(metadata["token_endpoint"]), form, secret)
        return self._read_id_token(token, nonce)

    def _redeem(self, endpoint: str, form: dict[str, str], secret: Secret) -> str:
        import httpx

        try:
            reply = httpx.post(
                endpoint,
                data=form,
                auth=(self._client_id, secret.reveal().decode()),
                timeout=_TIMEOUT_SECONDS,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise ProviderAway(retry_after_seconds=5) from error
        if reply.status_code >= 500:
            raise ProviderAway(retry_after_seconds=5)
        try:
            token = reply.json().get("id_token")
        except (ValueError, AttributeError) as error:
            raise SignInFailed from error
        if reply.status_code != 200 or not isinstance(token, str):
            raise SignInFailed
        return token

    def _read_id_token(self, token: str, nonce: str) -> Person:
        rule = TokenRule(self._issuer, self._client_id, frozenset({"jwt", ""}))
        if self._keys is None:
            raise ProviderAway(retry_after_seconds=5)
        try:
            claims = verify_token(token, rule, self._keys, self._clock)
        except Unauthenticated as error:
            raise SignInFailed from error
        if claims.get("nonce") != nonce or claims.get("azp", self._client_id) != self._client_id:
            raise SignInFailed
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") is not True:
            raise EmailUnverified
        return Person(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=email,
            name=str(claims.get("name") or "")[:200],
            signed_in_at=int(claims.get("auth_time") or claims["iat"]),
        )

    def _discover(self) -> dict[str, Any]:
        """Read the provider's metadata (OpenID Connect Discovery 1.0 section 4); kept for an hour, longer while it is away."""
        with self._lock:
            now = self._clock.monotonic_seconds()
            if self._metadata is not None and now - self._read_at <= _DISCOVERY_SECONDS:
                return self._metadata
            try:
                found = self._read_metadata()
            except ProviderAway:
                if self._metadata is None:
                    raise
                self._read_at = now - _DISCOVERY_SECONDS + _DISCOVERY_RETRY_SECONDS
                return self._metadata
            if self._metadata is None or found["jwks_uri"] != self._metadata["jwks_uri"]:
                self._keys = JwksCache(str(found["jwks_uri"]), self._clock)
            self._metadata, self._read_at = found, now
            return found

    def _read_metadata(self) -> dict[str, Any]:
        import httpx

        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            reply = httpx.get(url, timeout=_TIMEOUT_SECONDS, trust_env=False)
            reply.raise_for_status()
            found = reply.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderAway(retry_after_seconds=5) from error
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if (
            not isinstance(found, dict)
            or found.get("issuer") != self._issuer
            or not all(found.get(name) for name in needed)
        ):
            raise ProviderAway("the provider's metadata does not fit its issuer", retry_after_seconds=60)
        return found


def _challenge(code_verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
