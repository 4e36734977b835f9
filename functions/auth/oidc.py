"""Signing in with OpenID Connect: the authorization code flow with PKCE, from our side.

Owns the protocol with the provider. Stores nothing. Source: OpenID Connect Core 1.0; RFC 7636; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway
from shared.ports.secret_store import Secret
from shared.security.egress import EgressResponse
from shared.security.errors import Unauthenticated
from shared.security.operator_calls import call, read_target
from shared.security.tokens import JwksCache, TokenRule, verify_token
from shared.telemetry.log import logger

from .domain.sign_in import Person
from .errors import LogoutTokenRefused, ProviderAway, SignInFailed

_DISCOVERY_SECONDS = 3600.0
_DISCOVERY_RETRY_SECONDS = 30.0
_FIRST_RETRY_SECONDS = 1.0  # while nothing is known of the provider: nobody can sign in, so try again soon
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")
_ERROR_WORD = re.compile(r"[a-z_]{1,50}")
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*")  # RFC 6750 section 2.1
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_log = logger("oidc")
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """What is known of a provider beforehand, and how far it is trusted.

    Attributes:
        issuer, client_id: exact.
        verified_claim: the claim that vouches for the e-mail address.
        domain_claim: the claim that must be the domain of the address as well, empty for none.
        trusted_domains, allowed_domains: as `domain.sign_in.Person` has them.
    """

    issuer: str
    client_id: str
    verified_claim: str = "email_verified"
    domain_claim: str = ""
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
        self._metadata: Mapping[str, Any] | None = None
        self._read_at = 0.0
        self._tried_at: float | None = None
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
        tokens = self._redeem(metadata, form, secret)
        claims = self._verify_id_token(tokens.get("id_token"), nonce)
        if "email" not in claims and "userinfo_endpoint" in metadata:
            claims = {**self._read_userinfo(metadata, tokens.get("access_token"), claims["sub"]), **claims}
        return self._person(claims)

    def _redeem(self, metadata: Mapping[str, Any], form: dict[str, str], secret: Secret) -> Mapping[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods:
            form |= {"client_id": self._client_id, "client_secret": secret.reveal().decode()}
        else:
            headers["Authorization"] = _basic(self._client_id, secret)
        reply = self._call("POST", metadata["token_endpoint"], headers, urlencode(form).encode())
        if reply.status != 200:
            _log.warning(
                "code not redeemed", issuer=self._issuer, status=reply.status, error=_error_word(reply.content)
            )
            raise SignInFailed
        return _object(reply.content)

    def _verify_id_token(self, token: object, nonce: str) -> Mapping[str, Any]:
        """Verify an ID token (OpenID Connect Core 1.0 section 3.1.3.7); returns its claims."""
        rule = TokenRule(self._issuer, self._client_id, frozenset({"jwt", ""}))
        if self._keys is None:
            raise ProviderAway(retry_after_seconds=5)
        if not isinstance(token, str):
            raise SignInFailed
        try:
            claims = verify_token(token, rule, self._keys, self._clock)
        except Unauthenticated as error:
            raise SignInFailed from error
        except ServiceAway as error:
            raise ProviderAway(retry_after_seconds=5) from error
        if claims.get("nonce") != nonce or claims.get("azp", self._client_id) != self._client_id:
            raise SignInFailed
        return claims

    def _read_userinfo(self, metadata: Mapping[str, Any], access_token: object, subject: str) -> Mapping[str, Any]:
        """Read what a strict provider tells of a person at this endpoint only (OpenID Connect Core 1.0 sections 5.3, 5.4)."""
        if not isinstance(access_token, str) or _BEARER.fullmatch(access_token) is None:
            raise SignInFailed
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        reply = self._call("GET", metadata["userinfo_endpoint"], headers)
        found = _object(reply.content) if reply.status == 200 else {}
        if found.get("sub") != subject:  # an answer about somebody else, section 5.3.2
            raise SignInFailed
        names = ("email", "name", self._rules.verified_claim, self._rules.domain_claim)
        return {name: found[name] for name in names if name in found}

    def _person(self, claims: Mapping[str, Any]) -> Person:
        email = claims.get("email")
        email = email if isinstance(email, str) and _EMAIL.fullmatch(email) else ""
        is_verified = _vouches(self._rules.verified_claim, claims) and self._manages(email, claims)
        return Person(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=email,
            is_email_verified=bool(email) and is_verified,
            name=str(claims.get("name") or "")[:200],
            signed_in_at=int(claims.get("auth_time") or claims["iat"]),
            issuer_session=str(claims.get("sid") or "")[:255],
            trusted_domains=self._rules.trusted_domains,
            allowed_domains=self._rules.allowed_domains,
        )

    def _manages(self, email: str, claims: Mapping[str, Any]) -> bool:
        """Say whether the provider manages the account's domain; else it vouches for what was true once, if at all."""
        domain = claims.get(self._rules.domain_claim)
        return not self._rules.domain_claim or str(domain).lower() == email.rpartition("@")[2].lower()

    def logout_url(self, *, post_logout_redirect_uri: str) -> str | None:
        """Return the provider's own sign-out page, None when it has none or does not answer.

        Source: OpenID Connect RP-Initiated Logout 1.0 section 2.
        """
        try:
            endpoint = self._discover().get("end_session_endpoint")
        except ProviderAway:
            return None
        if endpoint is None:
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
        except ServiceAway as error:
            raise ProviderAway(retry_after_seconds=5) from error
        events, jti = claims["events"], claims["jti"]
        subject, session = claims.get("sub"), claims.get("sid")
        is_notice = isinstance(events, dict) and isinstance(events.get(_LOGOUT_EVENT), dict) and "nonce" not in claims
        names = [value for value in (subject, session) if value is not None]
        texts = [*names, jti]
        if not is_notice or not names or not all(isinstance(text, str) and 0 < len(text) <= 255 for text in texts):
            raise LogoutTokenRefused
        return LogoutNotice(self._issuer, subject, session, jti, datetime.fromtimestamp(claims["exp"], UTC))

    def _discover(self) -> Mapping[str, Any]:
        """Read the provider's metadata (OpenID Connect Discovery 1.0 section 4); kept for an hour, longer while it is away.

        One thread at a time asks. While the provider is slow or away, who needs what is known already does not wait, and who
        waited for an answer that did not come does not ask again.
        """
        now = self._clock.monotonic_seconds()
        if self._metadata is not None and now - self._read_at <= _DISCOVERY_SECONDS:
            return self._metadata
        if self._metadata is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return self._metadata
        try:
            return self._read_again(now)
        finally:
            self._lock.release()

    def _read_again(self, now: float) -> Mapping[str, Any]:
        if self._metadata is not None and now - self._read_at <= _DISCOVERY_SECONDS:
            return self._metadata
        if self._metadata is None and self._tried_at is not None and now - self._tried_at < _FIRST_RETRY_SECONDS:
            raise ProviderAway(retry_after_seconds=5)
        self._tried_at = now
        try:
            found = self._read_metadata()
        except ProviderAway:
            if self._metadata is None:
                raise
            self._read_at = now - _DISCOVERY_SECONDS + _DISCOVERY_RETRY_SECONDS
            return self._metadata
        if self._metadata is None or found["jwks_uri"] != self._metadata["jwks_uri"]:
            self._keys = JwksCache(found["jwks_uri"], self._clock)
        self._metadata, self._read_at = found, now
        return found

    def _read_metadata(self) -> Mapping[str, Any]:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        reply = self._call("GET", url, {"Accept": "application/json"})
        try:
            found = _object(reply.content) if reply.status == 200 else {}
        except SignInFailed as error:
            raise ProviderAway(retry_after_seconds=5) from error
        named = {name: found[name] for name in (*_NEEDED, *_OPTIONAL) if found.get(name)}
        is_whole = found.get("issuer") == self._issuer and named.keys() >= set(_NEEDED)
        if not is_whole or not all(_is_address(url, self._issuer) for url in named.values()):
            raise ProviderAway("the provider's metadata does not fit its issuer", retry_after_seconds=60)
        return {name: value for name, value in found.items() if name in named or name not in _OPTIONAL}

    def _call(self, method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> EgressResponse:
        try:
            reply = call(method, url, service="provider", clock=self._clock, headers=headers, content=content)
        except ServiceAway as error:
            raise ProviderAway(retry_after_seconds=5) from error
        if reply.status >= 500:
            raise ProviderAway(retry_after_seconds=5)
        return reply


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SignInFailed from error
    if not isinstance(found, dict):
        raise SignInFailed
    return found


def _error_word(content: bytes) -> str:
    """Return the word by which a token endpoint says what is wrong, for the log (RFC 6749 section 5.2)."""
    try:
        word = _object(content).get("error")
    except SignInFailed:
        word = None
    return word if isinstance(word, str) and _ERROR_WORD.fullmatch(word) else ""


def _is_address(url: object, issuer: str) -> bool:
    """Say whether metadata name an address that can be used; none leads from an issuer with TLS to a place without."""
    try:
        target = read_target(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return target is not None and (target.scheme == "https" or not issuer.startswith("https://"))


def _basic(client_id: str, secret: Secret) -> str:
    """Return the client's credentials; both parts are form-encoded before they are joined (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal().decode())}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _vouches(claim: str, claims: Mapping[str, Any]) -> bool:
    """Say whether the provider vouches for the address; Entra ID's claim `xms_edov` comes as a boolean, a number or a text."""
    value = claims.get(claim)
    return value is True if claim == "email_verified" else value in (True, "1", "true")


def _challenge(code_verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
