"""The Google clients as production builds them: with an identity that may not be there yet, and connections that come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from infra.suite import SUITE_FILE
from local_emulator.names import PROJECT, REGION
from local_emulator.provisioning import provision
from shared.ports.errors import ServiceAway
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.queue import GoogleQueue, Message
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import Settings
from tests.support.google_emulator import Emulator
from tests.support.waiting import wait_until

PRODUCTION = Settings(project=PROJECT, region=REGION)
TRANSPORTS = (KeyManagementServiceGrpcTransport, SecretManagerServiceGrpcTransport, PublisherGrpcTransport)
CALLS: dict[str, Callable[[], Callable[[], object]]] = {
    "kms": lambda: partial(GoogleKeyManager(PRODUCTION).public_keys, "token-signing"),
    "secret_manager": lambda: partial(GoogleSecretStore(PRODUCTION).read, "api-key-pepper"),
    "pubsub": lambda: partial(GoogleQueue(PRODUCTION).publish, "org-events", [Message({"a": 1})]),
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    provision(running.endpoint, SUITE_FILE, {}, secrets={}, storage_url=running.url)
    yield running
    running.stop()


@pytest.fixture
def opened(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let channels that lead to Google lead to the emulator; what they were opened with, by host."""
    found: dict[str, Any] = {}

    def create_channel(host: str, **options: Any) -> grpc.Channel:
        found[host] = options
        return grpc.insecure_channel(emulator.endpoint, options=options["options"])

    for transport in TRANSPORTS:
        monkeypatch.setattr(transport, "create_channel", create_channel)
    return found


@pytest.mark.parametrize("service", CALLS)
def test_a_client_is_built_once_there_is_an_identity(
    service: str, opened: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(**_options: object) -> tuple[object, str]:
        raise DefaultCredentialsError("the metadata server does not answer")

    monkeypatch.setattr(google.auth, "default", nobody)
    call = CALLS[service]()  # that much goes well without any identity
    with pytest.raises(ServiceAway) as caught:
        call()
    assert caught.value.facts == {"service": service}
    assert opened == {}
    identity: Any = AnonymousCredentials
    monkeypatch.setattr(google.auth, "default", lambda **_options: (identity(), PROJECT))

    def works() -> bool:
        with suppress(ServiceAway):
            call()
            return True
        return False

    wait_until(works, f"{service} can be called")
    ((host, options),) = opened.items()
    assert host.endswith(".googleapis.com:443")
    names = {name for name, _ in options["options"]}
    assert {"grpc.max_reconnect_backoff_ms", "grpc.max_receive_message_length"} <= names
