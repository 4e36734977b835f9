"""What every function's dependencies have in common; each function's `wiring.py` adds its own clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.ports.clock import Clock, Entropy, SystemClock, SystemEntropy
from shared.ports.queue import GoogleQueue, Queue
from shared.ports.secret_store import GoogleSecretStore, SecretStore
from shared.security.authentication import Authenticator, EventVerifier
from shared.security.peppers import Peppers
from shared.security.scim_tokens import ScimTokens
from shared.security.tokens import JwksCache
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.data.database import Database


@dataclass(frozen=True, slots=True)
class Deps:
    """Clients of one process, built once.

    Attributes:
        settings: as read at start.
        db: this function's database.
        queue: Pub/Sub; units of work publish by themselves.
        secrets: Secret Manager.
        peppers: the API-key pepper's versions.
        clock, entropy: time and randomness.
        authenticator, events: who calls.
    """

    settings: Settings
    db: Database
    queue: Queue
    secrets: SecretStore
    peppers: Peppers
    clock: Clock
    entropy: Entropy
    authenticator: Authenticator
    events: EventVerifier

    def close(self) -> None:
        """Give connections back before the process ends."""
        self.db.close()


def build_deps(
    settings: Settings,
    *,
    fetch_token_keys: Callable[[str], bytes] | None = None,
    takes_scim_tokens: bool = False,
) -> Deps:
    """Build the common clients.

    Args:
        settings: as read at start.
        fetch_token_keys: where this suite's own token keys come from, when not from `jwks_url` (the issuer itself).
        takes_scim_tokens: whether the tokens of directories are good here.
    """
    from shared.data.database import Database  # half of a cold start, and no health check needs it

    clock = SystemClock()
    secrets = GoogleSecretStore(settings)
    peppers = Peppers(secrets, clock)
    queue = GoogleQueue(settings)
    db = Database(settings, queue, secrets)
    token_keys = JwksCache(settings.jwks_url, clock, fetch=fetch_token_keys)
    return Deps(
        settings=settings,
        db=db,
        queue=queue,
        secrets=secrets,
        peppers=peppers,
        clock=clock,
        entropy=SystemEntropy(),
        authenticator=Authenticator(
            db,
            peppers,
            token_keys,
            settings,
            clock,
            scim_tokens=ScimTokens(db, peppers, clock) if takes_scim_tokens else None,
        ),
        events=EventVerifier(JwksCache(settings.events_jwks_url, clock), settings, clock),
    )
