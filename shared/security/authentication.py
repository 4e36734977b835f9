"""Finding out who calls: API keys, people's tokens, pushed events.

Owns the order of checks and the caches. Says nothing about what a caller may do (`shared.http.access` decides that).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret, SecretStore
from shared.settings import Settings

from .actor import SCOPE_ROLES, Actor, Role
from .api_keys import PREFIX, ApiKey, matches, parse_key
from .errors import NotFound, Unauthenticated
from .tokens import JwksCache, TokenRule, verify_token

_FIND_KEY = """
select org_id, key_id, secret_hash, pepper_version, scopes, expires_at, revoked_at, maker_id, maker_role, plan
from core.find_api_key(:public_id)
"""
_FIND_PRINCIPAL = """
select email, name, is_platform_admin, role, plan
from core.find_principal(cast(:user_id as uuid), cast(:org_id as uuid))
"""
_PEPPER = "api-key-pepper"
_NO_HASH = bytes(32)
_NO_PEPPER = Secret(bytes(32))


class Peppers:
    """The versions of the pepper; a version never changes, so each is read once."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._known: dict[int, Secret] = {}
        self._lock = threading.Lock()

    def version(self, number: int) -> Secret:
        """Return one version of the pepper."""
        with self._lock:
            if number not in self._known:
                self._known[number] = self._secrets.read(_PEPPER, str(number))
            return self._known[number]

    def newest(self) -> tuple[int, Secret]:
        """Return the version that new keys are hashed under."""
        number = self._secrets.latest_version(_PEPPER)
        return number, self.version(number)


class Authenticator:
    """Authenticates callers; at most one database round trip each."""

    def __init__(
        self, lookups: Lookups, peppers: Peppers, token_keys: JwksCache, settings: Settings, clock: Clock
    ) -> None:
        self._lookups = lookups
        self._peppers = peppers
        self._token_keys = token_keys
        self._clock = clock
        self._rule = TokenRule(settings.public_url, settings.public_url, frozenset({"at+jwt"}))

    def authenticate(self, headers: Mapping[str, str], org_id: UUID | None) -> Actor:
        """Find out who calls.

        Args:
            headers: lower-case names; `x-api-key`, or `authorization: Bearer` with a key or a token.
            org_id: the organisation in the path.

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
            return self._by_key(credential, org_id)
        return self._by_token(credential, org_id)

    def _by_key(self, text: str, org_id: UUID | None) -> Actor:
        key = parse_key(text)
        if key is None:
            raise Unauthenticated
        rows = self._lookups.lookup(_FIND_KEY, public_id=key.public_id)
        found = rows[0] if rows else None
        if not self._is_valid(key, found) or found is None:
            raise Unauthenticated
        if org_id is not None and found["org_id"] != org_id:
            raise NotFound
        return Actor(
            kind="key",
            id=str(found["key_id"]),
            org_id=found["org_id"],
            role=_key_role(found),
            scopes=frozenset(found["scopes"]),
            plan=found["plan"],
        )

    def _is_valid(self, key: ApiKey, found: Row | None) -> bool:
        """Check hash and life; an unknown key costs one HMAC too, so time tells nothing."""
        pepper = self._peppers.version(found["pepper_version"]) if found else _NO_PEPPER
        is_match = matches(key, pepper, bytes(found["secret_hash"]) if found else _NO_HASH)
        now = self._clock.now()
        is_live = (
            found is not None
            and found["revoked_at"] is None
            and (found["expires_at"] is None or found["expires_at"] > now)
        )
        return is_match and is_live and (found is None or found["maker_role"] is not None)

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


def _key_role(found: Row) -> Role:
    """A key is worth its widest scope, and never more than its maker is worth today."""
    widest = max(SCOPE_ROLES[name] for name in found["scopes"])
    return min(widest, Role.named(found["maker_role"]))


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Unauthenticated from error


def _moment(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
