"""Secret Manager: secrets and their versions, global (`projects/*/secrets/*`), with checksums.

Unlike Google's, names keep the project id they were asked with (not its number), and expiry, rotation messages and
delayed destruction do not happen.
Source: https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from threading import RLock

from google.cloud.secretmanager_v1.types import resources, service

from local_emulator.google.checksum import crc32c
from local_emulator.google.names import SECRET_ID, Shape, id_of, parent_of, require, require_id
from local_emulator.google.rpc import (
    already_exists,
    failed_precondition,
    invalid,
    not_found,
    page_of,
    unimplemented,
    verified,
)
from local_emulator.google.storage import Records

State = resources.SecretVersion.State
SECRET, VERSION, PAYLOAD = "secret", "version", "payload"
MOST_PAYLOAD_BYTES = 64 * 1024
UPDATES = ("labels", "annotations", "version_aliases")


class SecretManagerService:
    """google.cloud.secretmanager.v1.SecretManagerService."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = RLock()

    def create_secret(self, request: service.CreateSecretRequest) -> resources.Secret:
        """Create a secret without a version."""
        parent = require(request.parent, Shape.PROJECT)
        name = f"{parent}/secrets/{require_id(request.secret_id, SECRET_ID, 'secret_id')}"
        if "replication" not in request.secret:
            raise invalid("secret.replication is required.")
        with self._lock:
            if self._records.get(SECRET, name) is not None:
                raise already_exists(f"Secret [{name}]")
            secret = resources.Secret(request.secret)
            secret.name, secret.create_time = name, datetime.now(UTC)
            self._save_secret(secret)
        return secret

    def get_secret(self, request: service.GetSecretRequest) -> resources.Secret:
        """Return a secret's description, never its data."""
        return self._secret(request.name)

    def list_secrets(self, request: service.ListSecretsRequest) -> service.ListSecretsResponse:
        """List the secrets of a project."""
        _no_filter(request.filter)
        bodies = self._records.under(SECRET, require(request.parent, Shape.PROJECT))
        page, token = page_of(len(bodies), request.page_size, request.page_token)
        found = [resources.Secret.deserialize(body) for body in bodies[page]]
        return service.ListSecretsResponse(secrets=found, next_page_token=token, total_size=len(bodies))

    def update_secret(self, request: service.UpdateSecretRequest) -> resources.Secret:
        """Change the labels, annotations or version aliases."""
        paths = list(request.update_mask.paths) if request.update_mask else []
        if not paths or any(path not in UPDATES for path in paths):
            raise invalid(f"update_mask must name some of {', '.join(UPDATES)}.")
        with self._lock:
            secret = self._secret(request.secret.name)
            _same_etag(request.secret.etag, secret.etag)
            for path in paths:
                setattr(secret, path, getattr(request.secret, path))
            self._save_secret(secret)
        return secret

    def delete_secret(self, request: service.DeleteSecretRequest) -> None:
        """Delete a secret with all its versions."""
        with self._lock, self._records.transaction():
            secret = self._secret(request.name)
            _same_etag(request.etag, secret.etag)
            for version in self._versions(secret.name):
                self._records.delete(PAYLOAD, version.name)
                self._records.delete(VERSION, version.name)
            self._records.delete(SECRET, secret.name)

    def add_secret_version(self, request: service.AddSecretVersionRequest) -> resources.SecretVersion:
        """Add a version, enabled, with the data given."""
        payload = request.payload
        if not payload.data or len(payload.data) > MOST_PAYLOAD_BYTES:
            raise invalid(f"payload.data must have 1 to {MOST_PAYLOAD_BYTES} bytes.")
        checked = verified("payload.data", payload.data, payload.data_crc32c if "data_crc32c" in payload else None)
        with self._lock, self._records.transaction():
            secret = self._secret(request.parent)
            number = max((int(id_of(version.name)) for version in self._versions(secret.name)), default=0) + 1
            version = resources.SecretVersion(
                name=f"{secret.name}/versions/{number}",
                create_time=datetime.now(UTC),
                state=State.ENABLED,
                client_specified_payload_checksum=checked,
            )
            self._records.put(PAYLOAD, version.name, payload.data)
            self._save_version(version)
        return version

    def access_secret_version(self, request: service.AccessSecretVersionRequest) -> service.AccessSecretVersionResponse:
        """Return the data of an enabled version."""
        version = self._version(request.name)
        if version.state != State.ENABLED:
            raise failed_precondition(f"Secret Version [{version.name}] is in {State(version.state).name} state.")
        data = self._records.get(PAYLOAD, version.name) or b""
        payload = resources.SecretPayload(data=data, data_crc32c=crc32c(data))
        return service.AccessSecretVersionResponse(name=version.name, payload=payload)

    def get_secret_version(self, request: service.GetSecretVersionRequest) -> resources.SecretVersion:
        """Return a version's description."""
        return self._version(request.name)

    def list_secret_versions(self, request: service.ListSecretVersionsRequest) -> service.ListSecretVersionsResponse:
        """List the versions of a secret, the newest first."""
        _no_filter(request.filter)
        versions = self._versions(self._secret(request.parent).name)[::-1]
        page, token = page_of(len(versions), request.page_size, request.page_token)
        return service.ListSecretVersionsResponse(
            versions=versions[page], next_page_token=token, total_size=len(versions)
        )

    def enable_secret_version(self, request: service.EnableSecretVersionRequest) -> resources.SecretVersion:
        """Let a version be read."""
        return self._change_state(request.name, request.etag, State.ENABLED)

    def disable_secret_version(self, request: service.DisableSecretVersionRequest) -> resources.SecretVersion:
        """Stop a version from being read."""
        return self._change_state(request.name, request.etag, State.DISABLED)

    def destroy_secret_version(self, request: service.DestroySecretVersionRequest) -> resources.SecretVersion:
        """Erase a version's data for good."""
        return self._change_state(request.name, request.etag, State.DESTROYED)

    def _change_state(self, name: str, etag: str, wanted: int) -> resources.SecretVersion:
        with self._lock, self._records.transaction():
            version = self._version(name)
            _same_etag(etag, version.etag)
            if version.state == State.DESTROYED:
                raise failed_precondition(f"Secret Version [{version.name}] is in DESTROYED state.")
            version.state = State(wanted)
            if wanted == State.DESTROYED:
                version.destroy_time = datetime.now(UTC)
                self._records.delete(PAYLOAD, version.name)
            self._save_version(version)
        return version

    def _secret(self, name: str) -> resources.Secret:
        body = self._records.get(SECRET, require(name, Shape.SECRET))
        if body is None:
            raise not_found(f"Secret [{name}]")
        secret: resources.Secret = resources.Secret.deserialize(body)
        return secret

    def _save_secret(self, secret: resources.Secret) -> None:
        secret.etag = _new_etag()
        self._records.put(SECRET, secret.name, resources.Secret.serialize(secret))

    def _version(self, name: str) -> resources.SecretVersion:
        secret = self._secret(parent_of(require(name, Shape.SECRET_VERSION)))
        wanted = id_of(name)
        versions = self._versions(secret.name)
        if wanted == "latest":
            if not versions:
                raise not_found(f"Secret Version [{name}]")
            return versions[-1]
        number = str(secret.version_aliases[wanted]) if wanted in secret.version_aliases else wanted
        for version in versions:
            if id_of(version.name) == number:
                return version
        raise not_found(f"Secret Version [{name}]")

    def _versions(self, secret_name: str) -> list[resources.SecretVersion]:
        return [resources.SecretVersion.deserialize(body) for body in self._records.under(VERSION, secret_name)]

    def _save_version(self, version: resources.SecretVersion) -> None:
        version.etag = _new_etag()
        self._records.put(VERSION, version.name, resources.SecretVersion.serialize(version))


def _new_etag() -> str:
    return f'"{secrets.token_hex(8)}"'


def _same_etag(given: str, present: str) -> None:
    if given and given != present:
        raise failed_precondition("The etag does not match: the resource was changed in between.")


def _no_filter(text: str) -> None:
    if text:
        raise unimplemented("filters")
