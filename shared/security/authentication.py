"""Finding out who calls: API keys, people's tokens, browsers' sessions, pushed events.

Owns the order of checks. Says nothing about what a caller may do (`shared.http.access` decides that).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.ports.clock import Clock
from shared.settings import Settings
from shared.telemetry.log import logger

from . import sessions
from .actor import Actor, Role
from .api_keys import PREFIX, SCIM_PREFIX
from .errors import Unauthenticated
from .key_authentication import KeyAuthenticator
from .peppers import Peppers
from .scim_tokens import ScimTokens
from .tokens import JwksCache, TokenRule, verify_token
from .trusted_issuers import TrustedIssuers

_FIND_SESSION = """
select session_id, bound_org_id, signed_in_at, last_seen_at, expires_at, user_id, email, name, is_platform_admin, role, plan,
  is_sso_required
from core.find_session(cast(:session_id as uuid), cast(:user_id as uuid), cast(:org_id as uuid))
"""
_FIND_BROWSER_SESSION = """
select session_id, bound_org_id, signed_in_at, last_seen_at, expires_at, user_id, email, name, is_platform_admin, role, plan,
  is_sso_required
from core.find_browser_session(:secret_hash, cast(:org_id as uuid))
"""
_FIND_FEDERATED = """
select user_id, email, name, is_platform_admin, role, plan, is_sso_required
from core.find_federated_principal(:issuer, :subject, cast(:org_id as uuid))
"""
_NOTE_SESSION_USE = "select core.note_session_use(:secret_hash) as is_noted"
_log = logger("authentication")


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request, before anybody is known.

    Attributes:
        method: of the request.
        address: None when it is not known; a key that is bound to networks is refused then.
        cookies: the browser's; its session counts where no other credential came.
    """

    method: str = "GET"
    address: IPv4Address | IPv6Address | None = None
    cookies: Mapping[str, str] = field(default_factory=dict[str, str])


class Authenticator:
    """Authenticates callers; at most one database round trip each."""

    def __init__(
        self,
        lookups: Lookups,
        peppers: Peppers,
        token_keys: JwksCache,
        settings: Settings,
        clock: Clock,
        trusted: TrustedIssuers | None = None,
        *,
        scim_tokens: ScimTokens | None = None,
    ) -> None:
        """Set up; tokens of directories are taken by the function alone that gives `scim_tokens`."""
        self._scim_tokens = scim_tokens
        self._lookups = lookups
        self._keys = KeyAuthenticator(lookups, peppers, clock)
        self._token_keys = token_keys
        self._clock = clock
        self._origin = settings.public_url
        self._rule = TokenRule(
            settings.public_url,
            settings.public_url,
            frozenset({"at+jwt"}),
            required=("exp", "iat", "iss", "aud", "sub", "sid"),
        )
        self._trusted = trusted or TrustedIssuers.of(settings, clock)

    def authenticate(
        self,
        headers: Mapping[str, str],
        org_id: UUID | None,
        client: Client,
    ) -> Actor:
        """Find out who calls.

        Args:
            headers: lower-case names; `x-api-key`, or `authorization: Bearer` with a key or a token.
            org_id: the organisation in the path.
            client: what is known of who sent the request.

        Returns:
            The actor; anonymous when no credential came.

        Raises:
            Unauthenticated: (401 `unauthenticated`) a credential came and is not valid.
            CsrfRefused: (403 `csrf_refused`) a browser's session without the token of our own pages.
            NotFound: (404 `not_found`) a key of another organisation.
        """
        credential = _credential(headers)
        if credential is None:
            secret = client.cookies.get(sessions.COOKIE)
            return Actor() if secret is None else self._by_cookie(secret, org_id, client.method, headers)
        if credential.startswith(PREFIX):
            return self._keys.authenticate(credential, org_id, client.address)
        if credential.startswith(SCIM_PREFIX) and self._scim_tokens is not None:
            return self._scim_tokens.authenticate(credential, org_id)
        return self._by_token(credential, org_id)

    def forget_key(self, key_id: UUID) -> None:
        """Let a key's end or change take effect in this process at once; call it after the commit."""
        self._keys.forget(key_id)

    def _by_token(self, token: str, org_id: UUID | None) -> Actor:
        foreign = self._trusted.issuer_of(token)
        if foreign is not None:
            claims = foreign.verify(token)
            rows = self._lookups.lookup(_FIND_FEDERATED, issuer=foreign.issuer, subject=claims["sub"], org_id=org_id)
            if not rows:
                raise Unauthenticated
            return _person(rows[0], org_id, signed_in_at=_moment(claims.get("auth_time")))
        claims = verify_token(token, self._rule, self._token_keys, self._clock)
        rows = self._lookups.lookup(
            _FIND_SESSION, session_id=_uuid(claims["sid"]), user_id=_uuid(claims["sub"]), org_id=org_id
        )
        if not rows or rows[0]["expires_at"] <= self._clock.now():
            raise Unauthenticated
        return _signed_in(rows[0], org_id)

    def _by_cookie(self, secret: str, org_id: UUID | None, method: str, headers: Mapping[str, str]) -> Actor:
        if not sessions.is_session_secret(secret):
            raise Unauthenticated
        sessions.check_csrf(secret, method, headers, self._origin)
        secret_hash = sessions.hash_session_secret(secret)
        rows = self._lookups.lookup(_FIND_BROWSER_SESSION, secret_hash=secret_hash, org_id=org_id)
        now = self._clock.now()
        if not rows or not sessions.is_live(rows[0], now):
            raise Unauthenticated
        if now - rows[0]["last_seen_at"] >= sessions.NOTE_EVERY:
            self._note_use(secret_hash)
        return _signed_in(rows[0], org_id)

    def _note_use(self, secret_hash: bytes) -> None:
        try:
            self._lookups.lookup(_NOTE_SESSION_USE, secret_hash=secret_hash)
        except Exception:  # noqa: BLE001  # no reason to refuse a valid session; the next call notes it
            _log.warning("use of a session not noted", exc_info=True)


class EventVerifier:
    """Authenticates pushes of the queue and the scheduler by their OpenID tokens.

    Source: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    """

    def __init__(self, keys: JwksCache, settings: Settings, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._sender = settings.events_sender
        self._rule = TokenRule(settings.events_issuer, settings.events_audience, frozenset({"jwt", ""}))

    def verify(self, headers: Mapping[str, str]) -> str:
        """Check the sender's token; returns the sender's e-mail address.

        Raises:
            Unauthenticated: (401 `unauthenticated`) not our queue.
            ServiceAway: (503 `service_away`) Google's keys cannot be had.
        """
        if not self._sender or self.sender_of(headers, self._rule.audience) != self._sender:
            raise Unauthenticated
        return self._sender

    def sender_of(self, headers: Mapping[str, str], audience: str) -> str:
        """Check the token of somebody's Pub/Sub; returns the service account whose token it is.

        Anybody can have a token of an account of theirs made for any audience: who trusts it compares the account, too.

        Args:
            headers: lower-case names.
            audience: what the token must be made for, and nothing else.

        Raises:
            Unauthenticated: (401 `unauthenticated`).
            ServiceAway: (503 `service_away`) Google's keys cannot be had.
        """
        credential = _credential(headers)
        if credential is None:
            raise Unauthenticated
        claims = verify_token(credential, replace(self._rule, audience=audience), self._keys, self._clock)
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") is not True:
            raise Unauthenticated
        return email


def _credential(headers: Mapping[str, str]) -> str | None:
    key = headers.get("x-api-key")
    bearer = headers.get("authorization")
    if key is not None and bearer is not None:
        raise Unauthenticated("send one credential, not two")
    if key is not None:
        if not key.startswith(PREFIX):
            raise Unauthenticated
        return key
    if bearer is None:
        return None
    scheme, _, value = bearer.partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise Unauthenticated
    return value.strip()


def _signed_in(found: Row, org_id: UUID | None) -> Actor:
    actor = _person(found, org_id, signed_in_at=found["signed_in_at"])
    return replace(actor, session_id=found["session_id"], bound_org_id=found["bound_org_id"])


def _person(found: Row, org_id: UUID | None, *, signed_in_at: datetime | None) -> Actor:
    is_member = found["role"] is not None
    return Actor(
        kind="human",
        id=str(found["user_id"]),
        org_id=org_id if is_member else None,
        role=Role.named(found["role"]) if is_member else None,
        email=found["email"],
        name=found["name"],
        is_platform_admin=found["is_platform_admin"],
        signed_in_at=signed_in_at,
        plan=found["plan"] or "free",
        is_sso_required=bool(found["is_sso_required"]) and is_member,
    )


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Unauthenticated from error


def _moment(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
