"""Key material of the KMS: making it, and the one operation of each algorithm.

Material is bytes: 32 random bytes for symmetric encryption and HMAC, a PKCS 8 PEM for elliptic curves.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud.kms_v1.types import resources

from local_emulator.google.rpc import Refused, invalid, unimplemented

Algorithm = resources.CryptoKeyVersion.CryptoKeyVersionAlgorithm
Purpose = resources.CryptoKey.CryptoKeyPurpose

PURPOSES = {
    Algorithm.GOOGLE_SYMMETRIC_ENCRYPTION: Purpose.ENCRYPT_DECRYPT,
    Algorithm.EC_SIGN_P256_SHA256: Purpose.ASYMMETRIC_SIGN,
    Algorithm.HMAC_SHA256: Purpose.MAC,
}
SHA256_BYTES = 32
NONCE_BYTES = 12
HEADER = struct.Struct(">B8sI")  # format, hash of the key's name, number of the version
FORMAT = 1


def generate(algorithm: int) -> bytes:
    """Make the material of one key version. Raises: UNIMPLEMENTED for an algorithm that is not emulated."""
    if algorithm not in PURPOSES:
        raise unimplemented(f"the algorithm {Algorithm(algorithm).name}")
    if algorithm != Algorithm.EC_SIGN_P256_SHA256:
        return secrets.token_bytes(SHA256_BYTES)
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class Ciphertext:
    """An encrypted text that names the key version which made it."""

    version: int
    header: bytes
    sealed: bytes

    @classmethod
    def parse(cls, data: bytes, key_name: str) -> Ciphertext:
        """Read a ciphertext. Raises: INVALID_ARGUMENT when it was not made by this key."""
        if len(data) > HEADER.size + NONCE_BYTES:
            form, key_hash, version = HEADER.unpack_from(data)
            if form == FORMAT and key_hash == _name_hash(key_name):
                return cls(version, data[: HEADER.size], data[HEADER.size :])
        raise undecryptable()

    def open(self, material: bytes, aad: bytes) -> bytes:
        """Decrypt. Raises: INVALID_ARGUMENT when the text or the additional data were changed."""
        nonce, body = self.sealed[:NONCE_BYTES], self.sealed[NONCE_BYTES:]
        try:
            return AESGCM(material).decrypt(nonce, body, self.header + aad)
        except InvalidTag:
            raise undecryptable() from None


def seal(material: bytes, key_name: str, version: int, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt with AES-256-GCM; the header is authenticated with the additional data."""
    header = HEADER.pack(FORMAT, _name_hash(key_name), version)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return header + nonce + AESGCM(material).encrypt(nonce, plaintext, header + aad)


def sign_digest(material: bytes, digest: bytes) -> bytes:
    """Sign a SHA-256 digest with P-256; the signature is ASN.1 DER."""
    return _private_key(material).sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def public_key_pem(material: bytes) -> bytes:
    """Return the public half as a SubjectPublicKeyInfo PEM."""
    return (
        _private_key(material)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def mac(material: bytes, data: bytes) -> bytes:
    """Compute HMAC-SHA256."""
    return hmac.digest(material, data, "sha256")


def _private_key(material: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(material, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - generate() made it
    return key


def _name_hash(key_name: str) -> bytes:
    return hashlib.sha256(key_name.encode()).digest()[:8]


def undecryptable() -> Refused:
    """Refuse a ciphertext: INVALID_ARGUMENT, with no hint at what is wrong with it."""
    return invalid("Decryption failed: verify that 'name' refers to the correct CryptoKey.")
