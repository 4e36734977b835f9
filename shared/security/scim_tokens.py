"""Finding out whether a directory's token (SCIM) is good: checksum, one lookup, hash, life, organisation, in this order.

Nothing is remembered between calls: a token that was revoked is refused at once everywhere. A token is its organisation's, not
its maker's: the directory that switches its maker off must be able to say so (ADR-0026).
"""

from __future__ import annotations

from uuid import UUID

from shared.data.rows import Lookups
from shared.ports.clock import Clock
from shared.ports.secret_store import Secret

from .actor import Actor
from .api_keys import SCIM_PREFIX, matches, parse_key
from .errors import NotFound, Unauthenticated
from .key_uses import NOTE_SCIM_USE, KeyUses
from .peppers import Peppers

_FIND = """
select org_id, token_id as key_id, secret_hash, pepper_version, expires_at, last_used_at, plan
from scim.find_token(:public_id)
"""
_NO_HASH = bytes(32)
_NO_PEPPER = Secret(bytes(32))


class ScimTokens:
    """Authenticates the tokens of directories; one lookup each, and a write every ten minutes."""

    def __init__(self, lookups: Lookups, peppers: Peppers, clock: Clock) -> None:
        self._lookups = lookups
        self._peppers = peppers
        self._clock = clock
        self._uses = KeyUses(lookups, peppers, clock, NOTE_SCIM_USE)

    def authenticate(self, text: str, org_id: UUID | None) -> Actor:
        """Return the actor behind a token.

        Args:
            text: the token.
            org_id: the organisation in the path.

        Raises:
            Unauthenticated: (401 `unauthenticated`) unknown, wrong, revoked, ended, or of an organisation that was deleted.
            NotFound: (404 `not_found`) a token of another organisation.
        """
        token = parse_key(text, SCIM_PREFIX)
        if token is None:
            raise Unauthenticated
        rows = self._lookups.lookup(_FIND, public_id=token.public_id)
        now = self._clock.now()
        found = next((row for row in rows if row["expires_at"] is None or row["expires_at"] > now), None)
        # an unknown or dead token costs one HMAC too, so time tells nothing
        pepper = self._peppers.version(found["pepper_version"]) if found else _NO_PEPPER
        is_match = matches(token, pepper, bytes(found["secret_hash"]) if found else _NO_HASH)
        if found is None or not is_match:
            raise Unauthenticated
        if found["org_id"] != org_id:
            raise NotFound
        self._uses.note(token, found)
        return Actor(kind="scim", id=str(found["key_id"]), org_id=found["org_id"], plan=found["plan"])
