"""Finding out who calls: API keys, people's tokens, pushed events.

Owns the order of checks. Says nothing about what a caller may do (`shared.http.access` decides that).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups
from shared.ports.clock import Clock
from shared.settings import Settings

from .actor import Actor, Role
from .api_keys import PREFIX
from .errors import Unauthenticated
from .key_authentication import KeyAuthenticator
from .peppers import Peppers
from .tokens import JwksCache, TokenRule, verify_token

_FIND_PRINCIPAL = """
select email, name, is_platform_admin, role, plan
from core.find_principal(cast(:user_id as uuid), cast(:org_id as uuid))
"""


class Authenticator:
    """Authenticates callers; at most one database round trip each."""

    def __init__(
        self, lookups: Lookups, peppers: Peppers, token_keys: JwksCache, settings: Settings, clock: Clock
    ) -> None:
        self._lookups = lookups
        self._keys = KeyAuthenticator(lookups, peppers, clock)
        self._token_keys = token_keys
        self._clock = clock
        self._rule = TokenRule(settings.public_url, settings.public_url, frozenset({"at+jwt"}))

    def authenticate(
        self, headers: Mapping[str, str], org_id: UUID | None, address: IPv4Address | IPv6Address | None = None
    ) -> Actor:
        """Find out who calls.

        Args:
            headers: lower-case names; `x-api-key`, or `authorization: Bearer` with a key or a token.
            org_id: the organisation in the path.
            address: the client's; a key that is bound to networks is refused without one.

        Returns:
            The actor; anonymous when no credential came.

        Raises:
            Unauthenticated: (401 `unauthenticated`) a credential came and is not valid.
            NotFound: (404 `not_found`) a key of another organisation.
        """
        credential = _credential(headers)
        if credential is None:
            return Actor()
        if credential.startswith(PREFIX):
            return self._keys.authenticate(credential, org_id, address)
        return self._by_token(credential, org_id)

    def forget_key(self, key_id: UUID) -> None:
        """Let a key's end or change take effect in this process at once; call it after the commit."""
        self._keys.forget(key_id)

    def _by_token(self, token: str, org_id: UUID | None) -> Actor:
        claims = verify_token(token, self._rule, self._token_keys, self._clock)
        user_id = _uuid(claims["sub"])
        rows = self._lookups.lookup(_FIND_PRINCIPAL, user_id=user_id, org_id=org_id)
        if not rows:
            raise Unauthenticated
        person = rows[0]
        return Actor(
            kind="human",
            id=str(user_id),
            org_id=org_id if person["role"] else None,
            role=Role.named(person["role"]) if person["role"] else None,
            email=person["email"],
            name=person["name"],
            is_platform_admin=person["is_platform_admin"],
            signed_in_at=_moment(claims.get("auth_time")),
            plan=person["plan"] or "free",
        )


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
        """
        credential = _credential(headers)
        if credential is None or not self._sender:
            raise Unauthenticated
        claims = verify_token(credential, self._rule, self._keys, self._clock)
        if claims.get("email") != self._sender or claims.get("email_verified") is not True:
            raise Unauthenticated
        return self._sender


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


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Unauthenticated from error


def _moment(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
