"""The KMS: what its keys do. AES-256-GCM, ECDSA P-256, HMAC-SHA256, random bytes, with checksums both ways.

Errors are Google's own: INVALID_ARGUMENT for a wrong checksum, ciphertext or additional data, FAILED_PRECONDITION for
a version that is not enabled or not made for the operation.
Source: https://cloud.google.com/kms/docs/data-integrity-guidelines
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from google.cloud.kms_v1.types import resources, service

from local_emulator.google import kms_material
from local_emulator.google.checksum import crc32c
from local_emulator.google.kms_material import SHA256_BYTES, Ciphertext, Purpose
from local_emulator.google.kms_resources import VERSION, KeyResources, ProtectionLevel
from local_emulator.google.names import Shape, parent_of, require
from local_emulator.google.rpc import failed_precondition, invalid, unimplemented, verified

MOST_DATA_BYTES = 64 * 1024
LEAST_RANDOM_BYTES, MOST_RANDOM_BYTES = 8, 1024
PublicKeyFormat = resources.PublicKey.PublicKeyFormat


class KeyManagementService(KeyResources):
    """google.cloud.kms.v1.KeyManagementService."""

    def encrypt(self, request: service.EncryptRequest) -> service.EncryptResponse:
        """Encrypt with the primary version of a key, or with the version that is named."""
        _within_limits(plaintext=request.plaintext, additional_authenticated_data=request.additional_authenticated_data)
        checked, aad_checked = _verified_pair(request, "plaintext")
        name = request.name
        if not Shape.CRYPTO_KEY_VERSION.matches(name):
            name = self._key(name).primary.name
            if not name:
                raise failed_precondition(f"{request.name} has no primary version.")
        version, material = self._enabled(name, Purpose.ENCRYPT_DECRYPT)
        ciphertext = kms_material.seal(
            material,
            parent_of(name),
            self._version_number(version),
            request.plaintext,
            request.additional_authenticated_data,
        )
        return service.EncryptResponse(
            name=name,
            ciphertext=ciphertext,
            ciphertext_crc32c=crc32c(ciphertext),
            verified_plaintext_crc32c=checked,
            verified_additional_authenticated_data_crc32c=aad_checked,
            protection_level=version.protection_level,
        )

    def decrypt(self, request: service.DecryptRequest) -> service.DecryptResponse:
        """Decrypt with the version that the ciphertext names."""
        _verified_pair(request, "ciphertext")
        key = self._key(request.name)
        if key.purpose != Purpose.ENCRYPT_DECRYPT:
            raise failed_precondition(f"{key.name} is not for ENCRYPT_DECRYPT.")
        ciphertext = Ciphertext.parse(request.ciphertext, key.name)
        name = f"{key.name}/cryptoKeyVersions/{ciphertext.version}"
        if self._records.get(VERSION, name) is None:
            raise kms_material.undecryptable()
        version, material = self._enabled(name, Purpose.ENCRYPT_DECRYPT)
        plaintext = ciphertext.open(material, request.additional_authenticated_data)
        return service.DecryptResponse(
            plaintext=plaintext,
            plaintext_crc32c=crc32c(plaintext),
            used_primary=key.primary.name == name,
            protection_level=version.protection_level,
        )

    def get_public_key(self, request: service.GetPublicKeyRequest) -> resources.PublicKey:
        """Return the public half of a signing key as PEM."""
        if request.public_key_format not in (PublicKeyFormat.PUBLIC_KEY_FORMAT_UNSPECIFIED, PublicKeyFormat.PEM):
            raise unimplemented("public key formats other than PEM")
        version, material = self._enabled(request.name, Purpose.ASYMMETRIC_SIGN)
        pem = kms_material.public_key_pem(material)
        key = resources.PublicKey(
            name=version.name,
            pem=pem.decode("ascii"),
            pem_crc32c=crc32c(pem),
            algorithm=version.algorithm,
            protection_level=version.protection_level,
            public_key_format=request.public_key_format,
        )
        if request.public_key_format == PublicKeyFormat.PEM:
            key.public_key = resources.ChecksummedData(data=pem, crc32c_checksum=crc32c(pem))
        return key

    def asymmetric_sign(self, request: service.AsymmetricSignRequest) -> service.AsymmetricSignResponse:
        """Sign a SHA-256 digest, or data that is hashed here."""
        version, material = self._enabled(request.name, Purpose.ASYMMETRIC_SIGN)
        digest = request.digest.sha256
        if bool(request.data) == bool(digest):
            raise invalid("Either data or digest.sha256 must be given, and not both.")
        _within_limits(data=request.data)
        data_checked = verified("data", request.data, request.data_crc32c)
        digest_checked = verified("digest", digest, request.digest_crc32c)
        digest = digest or hashlib.sha256(request.data).digest()
        if len(digest) != SHA256_BYTES:
            raise invalid(f"digest.sha256 has {len(digest)} bytes, it must have {SHA256_BYTES}.")
        signature = kms_material.sign_digest(material, digest)
        return service.AsymmetricSignResponse(
            name=version.name,
            signature=signature,
            signature_crc32c=crc32c(signature),
            verified_digest_crc32c=digest_checked,
            verified_data_crc32c=data_checked,
            protection_level=version.protection_level,
        )

    def mac_sign(self, request: service.MacSignRequest) -> service.MacSignResponse:
        """Make an HMAC tag."""
        version, material = self._enabled(request.name, Purpose.MAC)
        _within_limits(data=request.data)
        checked = verified("data", request.data, request.data_crc32c)
        tag = kms_material.mac(material, request.data)
        return service.MacSignResponse(
            name=version.name,
            mac=tag,
            mac_crc32c=crc32c(tag),
            verified_data_crc32c=checked,
            protection_level=version.protection_level,
        )

    def mac_verify(self, request: service.MacVerifyRequest) -> service.MacVerifyResponse:
        """Compare an HMAC tag; a wrong one is `success: false`, not an error."""
        version, material = self._enabled(request.name, Purpose.MAC)
        _within_limits(data=request.data)
        data_checked = verified("data", request.data, request.data_crc32c)
        mac_checked = verified("mac", request.mac, request.mac_crc32c)
        if len(request.mac) != SHA256_BYTES:
            raise invalid(f"mac has {len(request.mac)} bytes, it must have {SHA256_BYTES}.")
        success = hmac.compare_digest(kms_material.mac(material, request.data), request.mac)
        return service.MacVerifyResponse(
            name=version.name,
            success=success,
            verified_data_crc32c=data_checked,
            verified_mac_crc32c=mac_checked,
            verified_success_integrity=success,
            protection_level=version.protection_level,
        )

    def generate_random_bytes(self, request: service.GenerateRandomBytesRequest) -> service.GenerateRandomBytesResponse:
        """Return 8 to 1024 random bytes; like Google, only for the protection level HSM."""
        require(request.location, Shape.LOCATION)
        if not LEAST_RANDOM_BYTES <= request.length_bytes <= MOST_RANDOM_BYTES:
            raise invalid(f"length_bytes must be between {LEAST_RANDOM_BYTES} and {MOST_RANDOM_BYTES}.")
        if request.protection_level != ProtectionLevel.HSM:
            raise unimplemented("random bytes of a protection level other than HSM")
        data = secrets.token_bytes(request.length_bytes)
        return service.GenerateRandomBytesResponse(data=data, data_crc32c=crc32c(data))


def _verified_pair(request: service.EncryptRequest | service.DecryptRequest, field: str) -> tuple[bool, bool]:
    aad = "additional_authenticated_data"
    return (
        verified(field, getattr(request, field), getattr(request, f"{field}_crc32c")),
        verified(aad, getattr(request, aad), getattr(request, f"{aad}_crc32c")),
    )


def _within_limits(**fields: bytes) -> None:
    for name, data in fields.items():
        if len(data) > MOST_DATA_BYTES:
            raise invalid(f"{name} is longer than {MOST_DATA_BYTES} bytes.")
