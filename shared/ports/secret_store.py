"""Secrets, as a type that hides itself, from Secret Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .errors import ServiceAway, VersionUnusable
from .google import deadline_seconds, insecure_channel, retry_within_deadline

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    from shared.settings import Settings


class Secret:
    """Bytes that no `repr`, `str`, format or pickle shows; `reveal` is the one way in."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes: at the point of use only."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")


class SecretStore(Protocol):
    """Reads secrets by name and version."""

    def read(self, name: str, version: str = "latest") -> Secret:
        """Read one version.

        Args:
            name: short name, as in `infra/suite.yaml`.
            version: a number as text, or `latest`.

        Raises:
            VersionUnusable: (503 `service_away`) that version is disabled or destroyed, or there is none.
            ServiceAway: (503 `service_away`) Secret Manager did not answer.
        """
        ...

    def latest_version(self, name: str) -> int:
        """Return the number of the version that was made last, enabled or not.

        For hours after a version was added that may be the one before.
        Source: https://cloud.google.com/secret-manager/docs/reference/consistency

        Raises:
            ServiceAway: (503 `service_away`) Secret Manager did not answer, or there is no version.
        """
        ...


class GoogleSecretStore:
    """Secret Manager.

    Source: https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1
    """

    def __init__(self, settings: Settings) -> None:
        from google.cloud import secretmanager_v1

        self._parent = f"projects/{settings.project}/secrets"
        self._client = _client(secretmanager_v1.SecretManagerServiceClient, settings)

    def read(self, name: str, version: str = "latest") -> Secret:
        from google.api_core.exceptions import FailedPrecondition, GoogleAPICallError, NotFound, RetryError

        try:
            reply = self._client.access_secret_version(
                name=f"{self._parent}/{name}/versions/{version}",
                timeout=deadline_seconds(),
                retry=retry_within_deadline(),
            )
        except (FailedPrecondition, NotFound) as error:
            raise VersionUnusable("secret_manager") from error
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("secret_manager") from error
        return Secret(reply.payload.data)

    def latest_version(self, name: str) -> int:
        from google.api_core.exceptions import GoogleAPICallError, RetryError

        try:
            reply = self._client.get_secret_version(
                name=f"{self._parent}/{name}/versions/latest", timeout=deadline_seconds(), retry=retry_within_deadline()
            )
        except (GoogleAPICallError, RetryError) as error:
            raise ServiceAway("secret_manager") from error
        return int(reply.name.rsplit("/", 1)[1])


def _client(kind: type[SecretManagerServiceClient], settings: Settings) -> SecretManagerServiceClient:
    if not settings.secrets_endpoint:
        return kind()
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
        SecretManagerServiceGrpcTransport,
    )

    return kind(transport=SecretManagerServiceGrpcTransport(channel=insecure_channel(settings.secrets_endpoint)))
