"""Keys that never leave their vault: signing and wrapping, by Cloud KMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .errors import CiphertextRefused, ServiceAway
from .google import deadline_seconds, insecure_channel, retry_within_deadline

if TYPE_CHECKING:
    from google.cloud.kms_v1 import KeyManagementServiceClient

    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One live version of a signing key.

    Attributes:
        version: the version's number as text; used as `kid`.
        pem: the public key, PEM (RFC 7468).
    """

    version: str
    pem: str


class KeyManager(Protocol):
    """Signs and wraps with keys named in `infra/suite.yaml`."""

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        """Sign a SHA-256 digest with one version of an EC P-256 key; returns the ASN.1 DER signature."""
        ...

    def public_keys(self, key: str) -> list[PublicKey]:
        """List the enabled versions of a signing key, oldest first."""
        ...

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt up to 64 KiB, bound to `context` as additional authenticated data."""
        ...

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        """Decrypt what `wrap` made under the same context.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) tampered, or wrapped under another key or context.
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        ...


class GoogleKeyManager:
    """Cloud KMS.

    Source: https://cloud.google.com/kms/docs/reference/rpc/google.cloud.kms.v1
    """

    def __init__(self, settings: Settings) -> None:
        from google.cloud import kms_v1

        self._parent = f"projects/{settings.project}/locations/{settings.region}/keyRings/driftwise/cryptoKeys"
        self._client = _client(kms_v1.KeyManagementServiceClient, settings)

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        from google.api_core.exceptions import GoogleAPICallError, RetryError

        try:
            reply = self._client.asymmetric_sign(
                request={"name": self._version(key, version), "digest": {"sha256": digest_sha256}},
                timeout=deadline_seconds(),
                retry=retry_within_deadline(),
            )
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("kms") from error
        return reply.signature

    def public_keys(self, key: str) -> list[PublicKey]:
        from google.api_core.exceptions import GoogleAPICallError, RetryError

        try:
            versions = list(
                self._client.list_crypto_key_versions(
                    request={"parent": f"{self._parent}/{key}", "filter": "state=ENABLED"},
                    timeout=deadline_seconds(),
                    retry=retry_within_deadline(),
                )
            )
            names = sorted(int(item.name.rsplit("/", 1)[1]) for item in versions if item.state.name == "ENABLED")
            return [PublicKey(str(number), self._pem(key, str(number))) for number in names]
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("kms") from error

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> bytes:
        from google.api_core.exceptions import GoogleAPICallError, RetryError

        request = {"name": f"{self._parent}/{key}", "plaintext": plaintext, "additional_authenticated_data": context}
        try:
            return self._client.encrypt(
                request=request, timeout=deadline_seconds(), retry=retry_within_deadline()
            ).ciphertext
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("kms") from error

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, RetryError

        request = {"name": f"{self._parent}/{key}", "ciphertext": ciphertext, "additional_authenticated_data": context}
        try:
            return self._client.decrypt(
                request=request, timeout=deadline_seconds(), retry=retry_within_deadline()
            ).plaintext
        except InvalidArgument as error:
            raise CiphertextRefused from error
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("kms") from error

    def _version(self, key: str, version: str) -> str:
        return f"{self._parent}/{key}/cryptoKeyVersions/{version}"

    def _pem(self, key: str, version: str) -> str:
        return self._client.get_public_key(
            name=self._version(key, version), timeout=deadline_seconds(), retry=retry_within_deadline()
        ).pem


def _client(kind: type[KeyManagementServiceClient], settings: Settings) -> KeyManagementServiceClient:
    if not settings.kms_endpoint:
        return kind()
    from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

    return kind(transport=KeyManagementServiceGrpcTransport(channel=insecure_channel(settings.kms_endpoint)))
