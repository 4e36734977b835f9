"""A key vault in memory, with real cryptography: what it signs and wraps, the world can check."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ports.errors import CiphertextRefused, ServiceAway
from shared.ports.key_manager import PublicKey

_MOST_PLAINTEXT_BYTES = 64 * 1024
_VERSION = struct.Struct(">H")
_NONCE_BYTES = 12


@dataclass
class _SigningKey:
    versions: dict[int, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    disabled: set[int] = field(default_factory=set)


class MemoryKeyManager:
    """Keeps keys by name; a test makes, rotates and disables them.

    Attributes:
        is_away: set it to see what callers do without a key vault.
    """

    def __init__(self) -> None:
        self.is_away = False
        self._signing: dict[str, _SigningKey] = {}
        self._wrapping: dict[str, list[AESGCM]] = {}

    def add_signing_key(self, key: str) -> None:
        """Make an EC P-256 signing key with one version, or add a version to it."""
        found = self._signing.setdefault(key, _SigningKey())
        found.versions[len(found.versions) + 1] = ec.generate_private_key(ec.SECP256R1())

    def disable_version(self, key: str, version: str) -> None:
        """Disable one version of a signing key."""
        self._signing[key].disabled.add(int(version))

    def add_wrapping_key(self, key: str) -> None:
        """Make a key that wraps, or add a version to it; the newest wraps, all unwrap."""
        self._wrapping.setdefault(key, []).append(AESGCM(secrets.token_bytes(32)))

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        self._answer()
        found = self._signing.get(key)
        private = found.versions.get(int(version)) if found else None
        if found is None or private is None or int(version) in found.disabled or len(digest_sha256) != 32:
            raise ServiceAway("kms")
        return private.sign(digest_sha256, ec.ECDSA(Prehashed(hashes.SHA256())))

    def public_keys(self, key: str) -> list[PublicKey]:
        self._answer()
        found = self._signing.get(key)
        if found is None:
            raise ServiceAway("kms")
        live = [number for number in sorted(found.versions) if number not in found.disabled]
        return [PublicKey(str(number), _pem(found.versions[number])) for number in live]

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> bytes:
        self._answer()
        versions = self._wrapping.get(key)
        if not versions or not 0 < len(plaintext) <= _MOST_PLAINTEXT_BYTES:
            raise ServiceAway("kms")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION.pack(len(versions) - 1)
        return head + nonce + versions[-1].encrypt(nonce, plaintext, head + context)

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        self._answer()
        versions = self._wrapping.get(key)
        if not versions:
            raise ServiceAway("kms")
        head, body = ciphertext[: _VERSION.size], ciphertext[_VERSION.size :]
        number: int = _VERSION.unpack(head)[0] if len(head) == _VERSION.size else len(versions)
        if number >= len(versions):
            raise CiphertextRefused
        nonce, sealed = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return versions[number].decrypt(nonce, sealed, head + context)
        except (InvalidTag, ValueError) as error:
            raise CiphertextRefused from error

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceAway("kms")


def _pem(private: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
