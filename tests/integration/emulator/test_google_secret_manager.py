"""The emulated Secret Manager answers the real client as Google documents it."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1

from local_emulator.google.checksum import crc32c
from tests.support.google_emulator import Emulator

PROJECT = "projects/driftwise-local"
State = secretmanager_v1.SecretVersion.State
NUMBERS = count(1)


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> secretmanager_v1.SecretManagerServiceClient:
    return emulator.secrets()


def new_secret(client: secretmanager_v1.SecretManagerServiceClient, *versions: bytes) -> str:
    secret = secretmanager_v1.Secret(replication={"automatic": {}}, labels={"suite": "driftwise"})
    name = client.create_secret(parent=PROJECT, secret_id=f"secret-{next(NUMBERS)}", secret=secret).name
    for data in versions:
        client.add_secret_version(parent=name, payload=secretmanager_v1.SecretPayload(data=data))
    return name


def test_adds_and_accesses_versions_with_checksums(client: secretmanager_v1.SecretManagerServiceClient) -> None:
    name = new_secret(client, b"one")
    added = client.add_secret_version(
        parent=name, payload=secretmanager_v1.SecretPayload(data=b"two", data_crc32c=crc32c(b"two"))
    )
    assert added.name == f"{name}/versions/2"
    assert added.state == State.ENABLED
    assert added.client_specified_payload_checksum
    latest = client.access_secret_version(name=f"{name}/versions/latest")
    assert (latest.name, latest.payload.data) == (f"{name}/versions/2", b"two")
    assert latest.payload.data_crc32c == crc32c(b"two")
    assert client.access_secret_version(name=f"{name}/versions/1").payload.data == b"one"
    assert client.get_secret_version(name=f"{name}/versions/latest").name == f"{name}/versions/2"
    assert [version.name[-2:] for version in client.list_secret_versions(parent=name)] == ["/2", "/1"]


def test_refuses_a_wrong_checksum_or_size(client: secretmanager_v1.SecretManagerServiceClient) -> None:
    name = new_secret(client)
    payloads: list[dict[str, object]] = [{"data": b"x", "data_crc32c": 1}, {"data": bytes(65537)}, {}]
    for payload in payloads:
        with pytest.raises(exceptions.InvalidArgument):
            client.add_secret_version(request={"parent": name, "payload": payload})
    assert not list(client.list_secret_versions(parent=name))


def test_a_version_is_disabled_enabled_and_destroyed(client: secretmanager_v1.SecretManagerServiceClient) -> None:
    version = f"{new_secret(client, b'data')}/versions/1"
    assert client.disable_secret_version(name=version).state == State.DISABLED
    with pytest.raises(exceptions.FailedPrecondition):
        client.access_secret_version(name=version)
    assert client.enable_secret_version(name=version).state == State.ENABLED
    assert client.access_secret_version(name=version).payload.data == b"data"
    destroyed = client.destroy_secret_version(name=version)
    assert destroyed.state == State.DESTROYED
    assert destroyed.destroy_time
    for refused in (client.access_secret_version, client.enable_secret_version, client.disable_secret_version):
        with pytest.raises(exceptions.FailedPrecondition):
            refused(name=version)


def test_names_what_is_missing_or_there_already(client: secretmanager_v1.SecretManagerServiceClient) -> None:
    name = new_secret(client)
    for missing in (
        lambda: client.access_secret_version(name=f"{name}/versions/latest"),
        lambda: client.access_secret_version(name=f"{name}/versions/7"),
        lambda: client.get_secret(name=f"{PROJECT}/secrets/none"),
        lambda: client.add_secret_version(
            parent=f"{PROJECT}/secrets/none", payload=secretmanager_v1.SecretPayload(data=b"x")
        ),
        lambda: client.delete_secret(name=f"{PROJECT}/secrets/none"),
    ):
        with pytest.raises(exceptions.NotFound):
            missing()
    present = {"parent": PROJECT, "secret_id": name.rsplit("/", 1)[1], "secret": {"replication": {"automatic": {}}}}
    with pytest.raises(exceptions.AlreadyExists):
        client.create_secret(request=present)
    wrongs: list[dict[str, object]] = [{"secret": {}}, {"secret_id": "a/b"}, {"parent": "projects"}]
    for wrong in wrongs:
        with pytest.raises(exceptions.InvalidArgument):
            client.create_secret(request=present | {"secret_id": "new"} | wrong)
    with pytest.raises(exceptions.FailedPrecondition):
        client.delete_secret(request={"name": name, "etag": '"stale"'})


def test_lists_and_deletes_secrets(client: secretmanager_v1.SecretManagerServiceClient) -> None:
    names = [new_secret(client, b"x") for _ in range(3)]
    listed = client.list_secrets(request={"parent": PROJECT, "page_size": 2})
    assert set(names) <= {secret.name for secret in listed}
    assert client.get_secret(name=names[0]).labels == {"suite": "driftwise"}
    client.delete_secret(name=names[0])
    with pytest.raises(exceptions.NotFound):
        client.access_secret_version(name=f"{names[0]}/versions/1")
    assert client.access_secret_version(name=f"{names[1]}/versions/1").payload.data == b"x"


def test_faults(emulator: Emulator, client: secretmanager_v1.SecretManagerServiceClient) -> None:
    name = f"{new_secret(client, b'x')}/versions/1"
    with emulator.fault("secret_manager", "unavailable"), pytest.raises(exceptions.ServiceUnavailable):
        client.access_secret_version(name=name, retry=None)
    with emulator.fault("secret_manager", "slow", seconds=0.1):
        started = time.monotonic()
        assert client.access_secret_version(name=name).payload.data == b"x"
        assert time.monotonic() - started >= 0.1


def test_secrets_outlive_the_process_and_are_erased_on_destruction(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    client = emulator.secrets()
    kept, erased = new_secret(client, b"kept-data"), new_secret(client, b"erased-data")
    client.destroy_secret_version(name=f"{erased}/versions/1")
    assert emulator.stop() == 0
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    assert b"kept-data" in stored
    assert b"erased-data" not in stored
    emulator.start()
    assert emulator.secrets().access_secret_version(name=f"{kept}/versions/latest").payload.data == b"kept-data"
    assert emulator.stop() == 0
