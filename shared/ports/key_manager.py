"""Keys that never leave their vault: signing and wrapping, by Cloud KMS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from .errors import CiphertextRefused
from .google import GoogleService, deadline_seconds, open_channel, retry_within_deadline

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
        self._parent = f"projects/{settings.project}/locations/{settings.region}/keyRings/driftwise/cryptoKeys"
        self._service = GoogleService("kms", lambda: _client(settings))

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        request = {"name": self._version(key, version), "digest": {"sha256": digest_sha256}}
        return self._service.call(
            lambda client: (
                client.asymmetric_sign(
                    request=request, timeout=deadline_seconds(), retry=retry_within_deadline()
                ).signature
            )
        )

    def public_keys(self, key: str) -> list[PublicKey]:
        request = {"parent": f"{self._parent}/{key}", "filter": "state=ENABLED"}
        versions = self._service.call(
            lambda client: list(
                client.list_crypto_key_versions(
                    request=request, timeout=deadline_seconds(), retry=retry_within_deadline()
                )
            )
        )
        names = sorted(int(item.name.rsplit("/", 1)[1]) for item in versions if item.state.name == "ENABLED")
        return [PublicKey(str(number), self._pem(key, str(number))) for number in names]

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> bytes:
        request = {"name": f"{self._parent}/{key}", "plaintext": plaintext, "additional_authenticated_data": context}
        return self._service.call(
            lambda client: (
                client.encrypt(request=request, timeout=deadline_seconds(), retry=retry_within_deadline()).ciphertext
            )
        )

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        request: dict[str, object] = {
            "name": f"{self._parent}/{key}",
            "ciphertext": ciphertext,
            "additional_authenticated_data": context,
        }
        return self._service.call(partial(_decrypt, request))

    def _version(self, key: str, version: str) -> str:
        return f"{self._parent}/{key}/cryptoKeyVersions/{version}"

    def _pem(self, key: str, version: str) -> str:
        name = self._version(key, version)
        return self._service.call(
            lambda client: (
                client.get_public_key(name=name, timeout=deadline_seconds(), retry=retry_within_deadline()).pem
            )
        )


def _decrypt(request: dict[str, object], client: KeyManagementServiceClient) -> bytes:
    from google.api_core.exceptions import InvalidArgument

    try:
        return client.decrypt(request=request, timeout=deadline_seconds(), retry=retry_within_deadline()).plaintext
    except InvalidArgument as error:
        raise CiphertextRefused from error


def _client(settings: Settings) -> KeyManagementServiceClient:
    from google.cloud.kms_v1 import KeyManagementServiceClient
    from google.cloud.kms_v1.services.key_management_service.transports import (
        KeyManagementServiceGrpcTransport as Transport,
    )

    return KeyManagementServiceClient(transport=Transport(channel=open_channel(settings.kms_endpoint, Transport)))
