"""Finding out whether an API key is good: checksum, cache, one lookup, hash, life, network, organisation, in this order.

Every refusal is the same to the caller, except that a good key of another organisation finds nothing there.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret
from shared.telemetry.log import logger

from .actor import NARROW_SCOPES, SCOPE_ROLES, Actor, Role
from .api_keys import ApiKey, matches, parse_key
from .errors import NotFound, Unauthenticated
from .key_cache import KeyCache, KnownKey
from .key_uses import KeyUses
from .peppers import Peppers

_FIND_KEY = """
select org_id, key_id, secret_hash, pepper_version, scopes, cidrs, expires_at, revoked_at, last_used_at, maker_role, plan
from core.find_api_key(:public_id)
"""
_NO_HASH = bytes(32)
_NO_PEPPER = Secret(bytes(32))
_log = logger("key_authentication")


class KeyAuthenticator:
    """Authenticates API keys of one process; at most one lookup each, and none for a key that was seen a moment ago."""

    def __init__(self, lookups: Lookups, peppers: Peppers, clock: Clock) -> None:
        self._lookups = lookups
        self._peppers = peppers
        self._clock = clock
        self._cache = KeyCache(clock)
        self._uses = KeyUses(lookups, peppers, clock)

    def authenticate(self, text: str, org_id: UUID | None, address: IPv4Address | IPv6Address | None) -> Actor:
        """Return the actor behind a key.

        Args:
            text: the key.
            org_id: the organisation in the path.
            address: the client's; None when it is not known.

        Raises:
            Unauthenticated: (401 `unauthenticated`) unknown, wrong, ended, of a removed maker, or from outside its networks.
            NotFound: (404 `not_found`) a key of another organisation.
        """
        key = parse_key(text)
        if key is None:
            raise Unauthenticated
        known, found = self._cache.find(text), None
        if known is None:
            known, found = self._look_up(key, text)
        has_ended = known.expires_at is not None and known.expires_at <= self._clock.now()
        if has_ended:
            raise Unauthenticated
        if not known.admits(address):
            _log.info("key refused outside its networks", key_id=str(known.key_id), address=str(address))
            raise Unauthenticated
        if org_id is not None and known.org_id != org_id:
            raise NotFound
        if found is not None:
            self._uses.note(key, found)
        return Actor(
            kind="key",
            id=str(known.key_id),
            org_id=known.org_id,
            role=known.role,
            scopes=known.scopes,
            plan=known.plan,
        )

    def forget(self, key_id: UUID) -> None:
        """Drop what this process remembers of a key; call it after the commit that ends or changes the key."""
        self._cache.forget(key_id)

    def _look_up(self, key: ApiKey, text: str) -> tuple[KnownKey, Row]:
        ticket = self._cache.begin()
        rows = self._lookups.lookup(_FIND_KEY, public_id=key.public_id)
        found = next((row for row in rows if self._is_live(row)), None)
        # a key that is unknown or dead costs one HMAC too, so time tells nothing; a dead one's pepper may be gone
        pepper = self._peppers.version(found["pepper_version"]) if found else _NO_PEPPER
        is_match = matches(key, pepper, bytes(found["secret_hash"]) if found else _NO_HASH)
        if found is None or not is_match:
            raise Unauthenticated
        known = KnownKey(
            key_id=found["key_id"],
            org_id=found["org_id"],
            role=_role(found),
            scopes=_scopes(found),
            plan=found["plan"],
            networks=tuple(ip_network(text) for text in found["cidrs"]),
            expires_at=found["expires_at"],
        )
        self._cache.keep(text, known, ticket)
        return known, found

    def _is_live(self, found: Row) -> bool:
        has_ended = found["expires_at"] is not None and found["expires_at"] <= self._clock.now()
        return not has_ended and found["revoked_at"] is None and found["maker_role"] is not None


def _role(found: Row) -> Role | None:
    """A key is worth its widest scope, and never more than its maker is worth today."""
    worths = [SCOPE_ROLES[name] for name in found["scopes"] if name in SCOPE_ROLES]
    return min(max(worths), Role.named(found["maker_role"])) if worths else None


def _scopes(found: Row) -> frozenset[str]:
    """A narrow scope is there while the key's maker may hold it."""
    maker = Role.named(found["maker_role"])
    return frozenset(name for name in found["scopes"] if maker >= NARROW_SCOPES.get(name, Role.VIEWER))
