"""Secrets, as a type that hides itself, from Secret Manager."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .errors import VersionUnusable
from .google import GoogleService, deadline_seconds, open_channel, retry_within_deadline

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
        self._parent = f"projects/{settings.project}/secrets"
        self._service = GoogleService("secret_manager", lambda: build_secret_client(settings))

    def read(self, name: str, version: str = "latest") -> Secret:
        full_name = f"{self._parent}/{name}/versions/{version}"
        reply = self._service.call(partial(_access, full_name))
        return Secret(reply.payload.data)

    def latest_version(self, name: str) -> int:
        full_name = f"{self._parent}/{name}/versions/latest"
        reply = self._service.call(
            lambda client: client.get_secret_version(
                name=full_name, timeout=deadline_seconds(), retry=retry_within_deadline()
            )
        )
        return int(reply.name.rsplit("/", 1)[1])


def _access(full_name: str, client: SecretManagerServiceClient) -> Any:
    from google.api_core.exceptions import FailedPrecondition, NotFound

    try:
        return client.access_secret_version(name=full_name, timeout=deadline_seconds(), retry=retry_within_deadline())
    except (FailedPrecondition, NotFound) as error:
        raise VersionUnusable("secret_manager") from error


def build_secret_client(settings: Settings) -> SecretManagerServiceClient:
    """Connect to Secret Manager."""
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
        SecretManagerServiceGrpcTransport as Transport,
    )

    return SecretManagerServiceClient(transport=Transport(channel=open_channel(settings.secrets_endpoint, Transport)))
