"""JSON Web Tokens of this suite's own: signed by KMS, whose private key never leaves it; the public halves are published.

Owns what a token says. Which version of the key signs is `signing_keys`'; see ADR-0011. Source: RFC 7519, RFC 9068.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from shared.ports.clock import Clock
from shared.ports.key_manager import KeyManager

from .signing_keys import ACTIVATION_SECONDS, LISTING_SECONDS, SigningKey, encode


class TokenIssuer:
    """Issues ES256 tokens under a signing key."""

    _listing_seconds = LISTING_SECONDS

    def __init__(
        self, keys: KeyManager, key: str, issuer: str, clock: Clock, *, activation_seconds: int = ACTIVATION_SECONDS
    ) -> None:
        """Set up.

        Args:
            keys: signs.
            key: name of the signing key.
            issuer: `iss`.
            clock: time.
            activation_seconds: how long a version is published before it signs.
        """
        self._issuer = issuer
        self._clock = clock
        self._key = SigningKey(
            keys, key, clock, activation_seconds=activation_seconds, listing_seconds=self._listing_seconds
        )

    def issue(self, claims: Mapping[str, object], *, audience: str, kind: str, lifetime: timedelta) -> str:
        """Sign a token.

        Args:
            claims: `sub` and what else the kind carries.
            audience: `aud`.
            kind: `typ` header, e.g. `at+jwt` (RFC 9068).
            lifetime: from now to `exp`.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        now = int(self._clock.now().timestamp())
        body = {
            **claims,
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        payload = json.dumps(body, separators=(",", ":")).encode()
        header, signature = self._key.sign(kind, payload)
        return f"{header}.{encode(payload)}.{signature}"

    def jwks(self) -> dict[str, object]:
        """Return the public key set (RFC 7517), every live version.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        return self._key.jwks()
