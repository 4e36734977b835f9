"""Adding random versions to secrets, by those who may not read them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from .google import GoogleService, deadline_seconds, retry_within_deadline
from .secret_store import Secret, build_secret_client

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    from shared.settings import Settings


class SecretRotator(Protocol):
    """Adds versions; none is disabled, and none is read."""

    def made_at(self, name: str) -> datetime | None:
        """Return when the newest version was made, in UTC; None where there is none yet.

        Raises:
            ServiceAway: (503 `service_away`) Secret Manager did not answer.
        """
        ...

    def add(self, name: str, value: Secret) -> int:
        """Add a version; returns its number.

        Raises:
            ServiceAway: (503 `service_away`) Secret Manager did not answer; a version may have been made all the same.
        """
        ...


class GoogleSecretRotator:
    """Secret Manager, by the roles `secretVersionAdder` and `viewer`.

    Source: https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1
    """

    def __init__(self, settings: Settings) -> None:
        self._parent = f"projects/{settings.project}/secrets"
        self._service: GoogleService[SecretManagerServiceClient] = GoogleService(
            "secret_manager", lambda: build_secret_client(settings)
        )

    def made_at(self, name: str) -> datetime | None:
        return self._service.call(lambda client: _made_at(client, f"{self._parent}/{name}/versions/latest"))

    def add(self, name: str, value: Secret) -> int:
        request = {"parent": f"{self._parent}/{name}", "payload": {"data": value.reveal()}}
        reply = self._service.call(  # never sent twice: each time would be a version
            lambda client: client.add_secret_version(request=request, timeout=deadline_seconds(), retry=None)
        )
        return int(reply.name.rsplit("/", 1)[1])


def _made_at(client: SecretManagerServiceClient, full_name: str) -> datetime | None:
    from google.api_core.exceptions import NotFound

    try:
        reply = client.get_secret_version(name=full_name, timeout=deadline_seconds(), retry=retry_within_deadline())
    except NotFound:
        return None
    return cast("datetime", reply.create_time)  # proto-plus gives a datetime, whatever its stubs say
