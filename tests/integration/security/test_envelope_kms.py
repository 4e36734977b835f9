"""Envelopes over the real KMS client: each way in which Cloud KMS can fail, as a gRPC server gives it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import grpc
import pytest
from google.cloud.kms_v1 import DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse

from shared.ports.clock import SystemEntropy
from shared.ports.errors import CiphertextRefused, ServiceAway
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import Secret
from shared.security.envelope import Envelope, Place
from shared.settings import Settings

PLACE = Place("scan.cloud_accounts", "credentials_encrypted", UUID(int=1), UUID(int=2))
SERVICE = "google.cloud.kms.v1.KeyManagementService"
KEY = "projects/p/locations/l/keyRings/driftwise/cryptoKeys/credentials"
REFUSALS = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@dataclass
class Kms(grpc.GenericRpcHandler):
    """A KMS that gives back what it was given, or the failure that a test sets."""

    failure: grpc.StatusCode | None = None
    answer: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = handler_call_details.method.rsplit("/", 1)[1]
        known = {
            "Encrypt": (self._encrypt, EncryptRequest.deserialize, EncryptResponse.serialize),
            "Decrypt": (self._decrypt, DecryptRequest.deserialize, DecryptResponse.serialize),
        }
        if method not in known:
            return None
        behaviour, read, write = known[method]
        return grpc.unary_unary_rpc_method_handler(behaviour, request_deserializer=read, response_serializer=write)

    def _encrypt(self, request: EncryptRequest, context: grpc.ServicerContext) -> EncryptResponse:
        self._fail(request.name, context)
        return EncryptResponse(
            name=f"{KEY}/cryptoKeyVersions/1",
            ciphertext=request.plaintext[::-1] + request.additional_authenticated_data,
        )

    def _decrypt(self, request: DecryptRequest, context: grpc.ServicerContext) -> DecryptResponse:
        self._fail(request.name, context)
        size = len(request.ciphertext) - len(request.additional_authenticated_data)
        return DecryptResponse(plaintext=request.ciphertext[:size][::-1] if self.answer is None else self.answer)

    def _fail(self, name: str, context: grpc.ServicerContext) -> None:
        self.asked.append(name)
        if self.failure is not None:
            context.abort(self.failure, "key AKIAIOSFODNN7EXAMPLE is not for you")


@pytest.fixture(scope="module")
def kms() -> Iterator[tuple[Kms, Envelope]]:
    handler = Kms()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    keys = GoogleKeyManager(Settings(env="emulator", project="p", region="l", kms_endpoint=f"127.0.0.1:{port}"))
    yield handler, Envelope(keys, "credentials", SystemEntropy())
    server.stop(None).wait(10)


@pytest.fixture
def sealed(kms: tuple[Kms, Envelope]) -> Iterator[bytes]:
    yield kms[1].seal(Secret(b"a secret access key"), PLACE)
    kms[0].failure = kms[0].answer = None


def test_a_field_is_sealed_and_opened_under_the_key_of_the_suite(kms: tuple[Kms, Envelope], sealed: bytes) -> None:
    handler, envelope = kms
    assert envelope.open(sealed, PLACE).reveal() == b"a secret access key"
    assert {name.partition("/cryptoKeyVersions/")[0] for name in handler.asked} == {KEY}


@pytest.mark.parametrize("code", REFUSALS, ids=[code.name for code in REFUSALS])
def test_each_failure_is_a_503_but_for_the_one_that_judges_the_ciphertext(
    kms: tuple[Kms, Envelope], sealed: bytes, code: grpc.StatusCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ports.google._DEADLINE_SECONDS", 0.3)  # what may pass is tried again until then
    handler, envelope = kms
    handler.failure = code
    is_verdict = code is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(CiphertextRefused if is_verdict else ServiceAway) as caught:
        envelope.open(sealed, PLACE)
    told = f"{caught.value} {caught.value.detail} {caught.value.facts}"
    assert "AKIA" not in told, "what KMS said goes on to the caller"
    with pytest.raises(ServiceAway) as away:
        envelope.seal(Secret(b"x"), PLACE)
    assert away.value.retry_after_seconds


@pytest.mark.parametrize("answer", [b"", b"k" * 16, b"k" * 31, b"k" * 33, bytes(32)], ids=["0", "16", "31", "33", "32"])
def test_a_data_key_that_is_not_the_right_one_is_refused(
    kms: tuple[Kms, Envelope], sealed: bytes, answer: bytes
) -> None:
    handler, envelope = kms
    handler.answer = answer
    with pytest.raises(CiphertextRefused):
        envelope.open(sealed, PLACE)


def test_nobody_listening_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.ports.google._DEADLINE_SECONDS", 0.3)
    keys = GoogleKeyManager(Settings(env="emulator", project="p", region="l", kms_endpoint="127.0.0.1:9"))
    with pytest.raises(ServiceAway):
        Envelope(keys, "credentials", SystemEntropy()).seal(Secret(b"x"), PLACE)
