"""A key vault in memory, with real cryptography: what it signs and wraps, the world can check."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ports.clock import Clock, SystemClock
from shared.ports.errors import CiphertextRefused, ServiceAway, VersionUnusable
from shared.ports.key_manager import PublicKey, Wrapped

_MOST_PLAINTEXT_BYTES = 64 * 1024
_VERSION = struct.Struct(">H")
_NONCE_BYTES = 12
_Material = TypeVar("_Material")


@dataclass
class _Key(Generic[_Material]):
    """Versions by number, from 1 on, each with the time it was made."""

    versions: dict[int, tuple[_Material, datetime]] = field(default_factory=dict)
    disabled: set[int] = field(default_factory=set)

    def add(self, material: _Material, made_at: datetime) -> None:
        self.versions[len(self.versions) + 1] = material, made_at

    def usable(self, number: int) -> _Material:
        if number not in self.versions or number in self.disabled:
            raise VersionUnusable("kms")
        return self.versions[number][0]


class MemoryKeyManager:
    """Keeps keys by name; a test makes, rotates and disables them.

    Attributes:
        is_away: set it to see what callers do without a key vault.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.is_away = False
        self._clock = clock or SystemClock()
        self._signing: dict[str, _Key[ec.EllipticCurvePrivateKey]] = {}
        self._wrapping: dict[str, _Key[AESGCM]] = {}

    def add_signing_key(self, key: str) -> None:
        """Make an EC P-256 signing key with one version, or add a version to it."""
        self._signing.setdefault(key, _Key()).add(ec.generate_private_key(ec.SECP256R1()), self._clock.now())

    def wrapping_keys(self) -> set[str]:
        """Return the names of the wrapping keys there are."""
        return set(self._wrapping)

    def add_wrapping_key(self, key: str) -> None:
        """Make a key that wraps, or add a version to it; the newest wraps, all unwrap."""
        self._wrapping.setdefault(key, _Key()).add(AESGCM(secrets.token_bytes(32)), self._clock.now())

    def disable_version(self, key: str, version: str) -> None:
        """Disable one version of a key of either kind."""
        self._disabled(key).add(int(version))

    def enable_version(self, key: str, version: str) -> None:
        """Enable it again."""
        self._disabled(key).discard(int(version))

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        self._answer()
        found = self._signing.get(key)
        if found is None or len(digest_sha256) != 32:
            raise ServiceAway("kms")
        return found.usable(int(version)).sign(digest_sha256, ec.ECDSA(Prehashed(hashes.SHA256())))

    def public_keys(self, key: str) -> list[PublicKey]:
        self._answer()
        found = self._signing.get(key)
        if found is None:
            raise ServiceAway("kms")
        return [
            PublicKey(str(number), _pem(private), made_at)
            for number, (private, made_at) in sorted(found.versions.items())
            if number not in found.disabled
        ]

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> Wrapped:
        self._answer()
        found = self._wrapping.get(key)
        newest = len(found.versions) if found else 0
        if found is None or newest in found.disabled or not 0 < len(plaintext) <= _MOST_PLAINTEXT_BYTES:
            raise ServiceAway("kms")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION.pack(newest)
        return Wrapped(head + nonce + found.usable(newest).encrypt(nonce, plaintext, head + context), newest)

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        self._answer()
        found = self._wrapping.get(key)
        if found is None:
            raise ServiceAway("kms")
        head, body = ciphertext[: _VERSION.size], ciphertext[_VERSION.size :]
        number: int = _VERSION.unpack(head)[0] if len(head) == _VERSION.size else 0
        if number not in found.versions:
            raise CiphertextRefused
        nonce, sealed = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return found.usable(number).decrypt(nonce, sealed, head + context)
        except (InvalidTag, ValueError) as error:
            raise CiphertextRefused from error

    def _disabled(self, key: str) -> set[int]:
        return self._signing[key].disabled if key in self._signing else self._wrapping[key].disabled

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceAway("kms")


def _pem(private: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
