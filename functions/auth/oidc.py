"""Signing in with OpenID Connect: the authorization code flow with PKCE, from our side.

Owns the protocol with the provider. Stores nothing. Source: OpenID Connect Core 1.0; RFC 7636; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.security.errors import Unauthenticated
from shared.security.tokens import JwksCache, TokenRule, verify_token

from .domain.sign_in import Person
from .errors import LogoutTokenRefused, ProviderAway, SignInFailed

_TIMEOUT_SECONDS = 5.0
_DISCOVERY_SECONDS = 3600.0
_DISCOVERY_RETRY_SECONDS = 30.0
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """What is known of a provider beforehand, and how far it is trusted.

    Attributes:
        issuer, client_id: exact.
        verified_claim: the claim that vouches for the e-mail address.
        trusted_domains, allowed_domains: as `domain.sign_in.Person` has them.
    """

    issuer: str
    client_id: str
    verified_claim: str = "email_verified"
    trusted_domains: frozenset[str] = frozenset()
    allowed_domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """A provider's notice that somebody signed out: of one session of theirs, or of all.

    Attributes:
        issuer, subject, issuer_session: whose; one of the last two may be None.
        jti: names the notice.
        expires_at: when it is too old to come again.
    """

    issuer: str
    subject: str | None
    issuer_session: str | None
    jti: str
    expires_at: datetime


class Provider:
    """One OpenID provider."""

    def __init__(self, rules: ProviderRules, clock: Clock) -> None:
        self._rules = rules
        self._issuer = rules.issuer
        self._client_id = rules.client_id
        self._clock = clock
        self._metadata: dict[str, Any] | None = None
        self._read_at = 0.0
        self._keys: JwksCache | None = None
        self._lock = threading.Lock()

    def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        code_verifier: str,
        hint: str | None = None,
        is_fresh: bool = False,
    ) -> str:
        """Return where to send the browser.

        Args:
            redirect_uri: where the provider sends the browser back to.
            state: ties the answer to this browser.
            nonce: ties the token to this sign-in.
            code_verifier: ties the code to this sign-in.
            hint: who is likely to sign in.
            is_fresh: the person must prove who they are again.

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
        if hint is not None:
            query["login_hint"] = hint
        if is_fresh:
            query |= {"prompt": "login", "max_age": "0"}
        endpoint = str(self._discover()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def finish(
        self, *, code: str, iss: str | None, redirect_uri: str, nonce: str, code_verifier: str, secret: Secret
    ) -> Person:
        """Turn the code into a person.

        Raises:
            SignInFailed: (401 `sign_in_failed`) the provider refused, or its token does not fit.
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
        return Person(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=email if isinstance(email, str) and _EMAIL.fullmatch(email) else "",
            is_email_verified=_vouches(self._rules.verified_claim, claims),
            name=str(claims.get("name") or "")[:200],
            signed_in_at=int(claims.get("auth_time") or claims["iat"]),
            issuer_session=str(claims.get("sid") or "")[:255],
            trusted_domains=self._rules.trusted_domains,
            allowed_domains=self._rules.allowed_domains,
        )

    def logout_url(self, *, post_logout_redirect_uri: str) -> str | None:
        """Return the provider's own sign-out page, None when it has none or does not answer.

        Source: OpenID Connect RP-Initiated Logout 1.0 section 2.
        """
        try:
            endpoint = self._discover().get("end_session_endpoint")
        except ProviderAway:
            return None
        if not isinstance(endpoint, str) or not endpoint:
            return None
        query = {"client_id": self._client_id, "post_logout_redirect_uri": post_logout_redirect_uri}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def read_logout_token(self, token: str) -> LogoutNotice:
        """Verify a provider's notice that somebody signed out.

        Raises:
            LogoutTokenRefused: (400 `logout_token_refused`).
            ProviderAway: (503 `provider_away`).

        Source: OpenID Connect Back-Channel Logout 1.0 section 2.6.
        """
        self._discover()
        rule = TokenRule(
            self._issuer,
            self._client_id,
            frozenset({"logout+jwt", "jwt", ""}),
            required=("iss", "aud", "iat", "exp", "jti", "events"),
            has_subject=False,
        )
        if self._keys is None:
            raise ProviderAway(retry_after_seconds=5)
        try:
            claims = verify_token(token, rule, self._keys, self._clock)
        except Unauthenticated as error:
            raise LogoutTokenRefused from error
        events, jti = claims["events"], claims["jti"]
        subject, session = claims.get("sub"), claims.get("sid")
        is_notice = isinstance(events, dict) and isinstance(events.get(_LOGOUT_EVENT), dict) and "nonce" not in claims
        names = [value for value in (subject, session) if value is not None]
        texts = [*names, jti]
        if not is_notice or not names or not all(isinstance(text, str) and 0 < len(text) <= 255 for text in texts):
            raise LogoutTokenRefused
        return LogoutNotice(self._issuer, subject, session, jti, datetime.fromtimestamp(claims["exp"], UTC))

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


def _vouches(claim: str, claims: Mapping[str, Any]) -> bool:
    """Say whether the provider vouches for the address; Entra ID's claim `xms_edov` comes as a boolean, a number or a text."""
    value = claims.get(claim)
    return value is True if claim == "email_verified" else value in (True, "1", "true")


def _challenge(code_verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
