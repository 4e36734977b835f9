"""Keys that never leave their vault: signing and wrapping, by Cloud KMS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import CiphertextRefused, VersionUnusable
from .google import GoogleService, deadline_seconds, open_channel, retry_within_deadline

if TYPE_CHECKING:
    from google.cloud.kms_v1 import KeyManagementServiceClient

    from shared.settings import Settings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One live version of a signing key.

    Attributes:
        version: the version's number as text; used as `kid`.
        pem: the public key, PEM (RFC 7468).
        made_at: when its key material came to be, by the vault's clock; before that nobody can have published it.
    """

    version: str
    pem: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What `wrap` made.

    Attributes:
        ciphertext: for `unwrap`.
        version: number of the version that wrapped it. For hours after a rotation that may be the one before.
    """

    ciphertext: bytes
    version: int


class KeyManager(Protocol):
    """Signs and wraps with keys named in `infra/suite.yaml`."""

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        """Sign a SHA-256 digest with one version of an EC P-256 key; returns the ASN.1 DER signature.

        Raises:
            VersionUnusable: (503 `service_away`) that version is disabled or destroyed.
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        ...

    def public_keys(self, key: str) -> list[PublicKey]:
        """List the enabled versions of a signing key, oldest first.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer.
        """
        ...

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> Wrapped:
        """Encrypt up to 64 KiB with the primary version, bound to `context` as additional authenticated data.

        Raises:
            ServiceAway: (503 `service_away`) KMS did not answer, or the primary version is disabled.
        """
        ...

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        """Decrypt what `wrap` made under the same context.

        Raises:
            CiphertextRefused: (500 `ciphertext_refused`) tampered, or wrapped under another key or context.
            VersionUnusable: (503 `service_away`) the version that wrapped it is disabled or destroyed.
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
        self._pems: dict[tuple[str, int], str] = {}  # a version's key never changes

    def sign(self, key: str, version: str, digest_sha256: bytes) -> bytes:
        request: dict[str, object] = {"name": self._version(key, version), "digest": {"sha256": digest_sha256}}
        return self._service.call(partial(_usable, partial(_sign, request)))

    def public_keys(self, key: str) -> list[PublicKey]:
        request = {"parent": f"{self._parent}/{key}", "filter": "state=ENABLED"}
        versions = self._service.call(
            lambda client: list(
                client.list_crypto_key_versions(
                    request=request, timeout=deadline_seconds(), retry=retry_within_deadline()
                )
            )
        )
        enabled = sorted((item for item in versions if item.state.name == "ENABLED"), key=_number)
        found = [self._public_key(key, item) for item in enabled]
        return [item for item in found if item is not None]

    def wrap(self, key: str, plaintext: bytes, *, context: bytes) -> Wrapped:
        request = {"name": f"{self._parent}/{key}", "plaintext": plaintext, "additional_authenticated_data": context}
        reply = self._service.call(
            lambda client: client.encrypt(request=request, timeout=deadline_seconds(), retry=retry_within_deadline())
        )
        return Wrapped(reply.ciphertext, _number(reply))

    def unwrap(self, key: str, ciphertext: bytes, *, context: bytes) -> bytes:
        request: dict[str, object] = {
            "name": f"{self._parent}/{key}",
            "ciphertext": ciphertext,
            "additional_authenticated_data": context,
        }
        return self._service.call(partial(_usable, partial(_decrypt, request)))

    def _version(self, key: str, version: str) -> str:
        return f"{self._parent}/{key}/cryptoKeyVersions/{version}"

    def _public_key(self, key: str, item: Any) -> PublicKey | None:
        """Read one listed version; None when it was disabled since it was listed."""
        number = _number(item)
        if (key, number) not in self._pems:
            try:
                self._pems[key, number] = self._service.call(partial(_usable, partial(_get_pem, item.name)))
            except VersionUnusable:
                return None
        times = (item.create_time, item.generate_time, item.import_time)
        return PublicKey(str(number), self._pems[key, number], max(time for time in times if time is not None))


def _number(named: Any) -> int:
    """Return a version's number, which ends its resource name."""
    return int(named.name.rsplit("/", 1)[1])


def _usable(ask: Callable[[KeyManagementServiceClient], _T], client: KeyManagementServiceClient) -> _T:
    """Ask something of one version of a key. Raises: VersionUnusable: it is disabled or destroyed."""
    from google.api_core.exceptions import FailedPrecondition

    try:
        return ask(client)
    except FailedPrecondition as error:
        raise VersionUnusable("kms") from error


def _sign(request: dict[str, object], client: KeyManagementServiceClient) -> bytes:
    return client.asymmetric_sign(request=request, timeout=deadline_seconds(), retry=retry_within_deadline()).signature


def _get_pem(name: str, client: KeyManagementServiceClient) -> str:
    return client.get_public_key(name=name, timeout=deadline_seconds(), retry=retry_within_deadline()).pem


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
