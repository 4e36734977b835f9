"""A signing key of this suite's own: which of its versions signs, and how all of them are published.

A version is published as soon as it is enabled and signs only when it has been known for long enough that every verifier holds
it; see ADR-0011. The private key never leaves KMS. What is signed, and for what, is said by whoever holds a `SigningKey`.
Source: RFC 7515, RFC 7517, RFC 7518.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from shared.ports.clock import Clock
from shared.ports.errors import ServiceAway, VersionUnusable
from shared.ports.kept import Kept
from shared.ports.key_manager import KeyManager, PublicKey
from shared.telemetry.log import logger

LISTING_SECONDS = 60.0  # how long an instance goes on with the versions it listed
JWKS_MAX_AGE_SECONDS = 300  # how long whoever stands in between may keep the published key set
ACTIVATION_SECONDS = 3600
# The way of a new version into the last verifier's hands takes 670 s: listed (60), kept in between (300), held for fresh
# (300), asked for again (10). The clock of the instance that signs may be ahead of the vault's (60). The rest is air.
LEAST_ACTIVATION_SECONDS = 900
_log = logger("signing_keys")


def signing_version(versions: Sequence[PublicKey], now: datetime, activation: timedelta) -> PublicKey:
    """Choose the version that signs: the newest that is old enough, and before there is one the oldest.

    Every instance chooses alike without asking another: the times are the vault's, and where two clocks lie apart, both
    choices are published.

    Args:
        versions: the enabled ones, oldest first, at least one.
        now: aware UTC.
        activation: how long a version is published before it signs.
    """
    active = [item for item in versions if item.made_at + activation <= now]
    return active[-1] if active else versions[0]


class SigningKey:
    """Signs with ES256. Every enabled version of the key is published; `signing_version` says which one signs.

    Those that are known stay published while KMS is away, so that everybody can verify what was signed before.
    """

    def __init__(
        self,
        keys: KeyManager,
        key: str,
        clock: Clock,
        *,
        activation_seconds: int = ACTIVATION_SECONDS,
        listing_seconds: float = LISTING_SECONDS,
        known_as: str = "token keys",
    ) -> None:
        """Set up.

        Args:
            keys: signs.
            key: name of the key, as in `infra/suite.yaml`.
            clock: time.
            activation_seconds: how long a version is published before it signs.
            listing_seconds: how long the versions that were listed are gone on with.
            known_as: what the key is called in logs.
        """
        self._keys = keys
        self._key = key
        self._clock = clock
        self._activation = timedelta(seconds=activation_seconds)
        listing = partial(keys.public_keys, key)
        self._versions: Kept[Sequence[PublicKey]] = Kept(known_as, listing, clock, fresh_seconds=listing_seconds)
        self._signing: str | None = None

    def sign(self, kind: str, payload: bytes) -> tuple[str, str]:
        """Sign a payload.

        Args:
            kind: the `typ` header: what is signed, so that it passes for nothing else.
            payload: the bytes.

        Returns:
            The protected header and the signature of a JWS (RFC 7515), encoded; the payload stands between them.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        published = self._published()
        try:
            return self._sign(self._choose(published), kind, payload)
        except VersionUnusable:  # disabled since the versions were listed
            self._versions.forget(published)
            return self._sign(self._choose(self._published()), kind, payload)

    def jwks(self) -> dict[str, object]:
        """Return the public key set (RFC 7517), every live version.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        return {"keys": [self._jwk(item) for item in self._published()]}

    def _sign(self, version: PublicKey, kind: str, payload: bytes) -> tuple[str, str]:
        header = encode_json({"alg": "ES256", "kid": self._kid(version), "typ": kind})
        signed = f"{header}.{encode(payload)}"
        der = self._keys.sign(self._key, version.version, hashlib.sha256(signed.encode()).digest())
        return header, encode(_raw_signature(der))

    def _choose(self, published: Sequence[PublicKey]) -> PublicKey:
        found = signing_version(published, self._clock.now(), self._activation)
        if self._signing not in (None, found.version):
            _log.info("signing key version changed", key=self._key, version=found.version, before=self._signing)
        self._signing = found.version
        return found

    def _jwk(self, item: PublicKey) -> dict[str, object]:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from jwt.algorithms import ECAlgorithm

        public = load_pem_public_key(item.pem.encode())
        if not isinstance(public, EllipticCurvePublicKey):
            raise TypeError(f"the key {self._key} is no EC key")
        members = ECAlgorithm.to_jwk(public, as_dict=True)
        return {**members, "kid": self._kid(item), "use": "sig", "alg": "ES256"}

    def _kid(self, item: PublicKey) -> str:
        return f"{self._key}-{item.version}"

    def _published(self) -> Sequence[PublicKey]:
        found = self._versions.get()
        if not found:
            raise ServiceAway("kms")
        return found


def _raw_signature(der: bytes) -> bytes:
    """Turn an ASN.1 DER signature into r || s (RFC 7518 section 3.4)."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def encode(content: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encode_json(value: Mapping[str, object]) -> str:
    """Encode a JSON object as base64url."""
    return encode(json.dumps(value, separators=(",", ":")).encode())
