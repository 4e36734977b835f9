"""The operator's side of Secret Manager: adding versions of any value and disabling them, which no function may do."""

from __future__ import annotations

from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport as Transport,
)

from shared.ports.google import open_channel


class Vault:
    """The secrets of one project.

    Source: https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1
    """

    def __init__(self, project: str, endpoint: str = "") -> None:
        """Connect.

        Args:
            project: Google Cloud project id.
            endpoint: `host:port` of the emulator; empty for Google Cloud.
        """
        self._parent = f"projects/{project}/secrets"
        transport = Transport(channel=open_channel(endpoint, Transport))
        self._client = secretmanager_v1.SecretManagerServiceClient(transport=transport)

    def add(self, name: str, value: bytes) -> int:
        """Add a version of a secret that exists; returns its number."""
        payload = secretmanager_v1.SecretPayload(data=value)
        return _number(self._client.add_secret_version(parent=f"{self._parent}/{name}", payload=payload).name)

    def disable(self, name: str, version: int) -> None:
        """Stop a version from being read; it can be enabled again."""
        self._client.disable_secret_version(name=f"{self._parent}/{name}/versions/{version}")

    def enabled(self, name: str) -> set[int]:
        """Return the versions that are enabled, as far as the list knows them already."""
        found = self._client.list_secret_versions(parent=f"{self._parent}/{name}")
        return {
            _number(version.name) for version in found if version.state == secretmanager_v1.SecretVersion.State.ENABLED
        }


def _number(version_name: str) -> int:
    return int(version_name.rsplit("/", 1)[1])
