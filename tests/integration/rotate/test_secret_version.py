"""New versions of secrets and keys, against the emulator's Secret Manager and KMS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper

import pytest
from google.cloud import kms_v1

from infra.rotate import kms_key
from infra.rotate.secret_version import main
from infra.suite import load_suite
from shared.ports.secret_store import GoogleSecretStore
from shared.settings import Settings
from tests.support.google_emulator import Emulator

PROJECT = "driftwise-local"
REGION = "europe-west4"
PURPOSES = {
    "asymmetric_sign": kms_v1.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN,
    "encrypt_decrypt": kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT,
}


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    yield running
    running.stop()


def test_every_version_is_another_and_as_long_as_the_suite_says(
    google: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "api-key-pepper"
    store = GoogleSecretStore(Settings(env="emulator", project=PROJECT, secrets_endpoint=google.endpoint))
    google.secrets().create_secret(
        parent=f"projects/{PROJECT}", secret_id=name, secret={"replication": {"automatic": {}}}
    )
    for _ in range(2):
        assert main([name, "--project", PROJECT, "--secrets-endpoint", google.endpoint]) == 0
    values = [store.read(name, str(number)).reveal() for number in (1, 2)]
    assert len(set(values)) == 2
    assert {len(value) for value in values} == {load_suite().secrets[name].generated_bytes}
    out = capsys.readouterr().out
    assert out.splitlines() == [f"{name} has version {number}" for number in (1, 2)]


def test_a_project_without_the_secret_is_told(google: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api-key-pepper", "--project", "nobody", "--secrets-endpoint", google.endpoint]) == 1
    assert "api-key-pepper has no new version" in capsys.readouterr().err


def test_only_secrets_of_the_suite_get_one() -> None:
    with pytest.raises(SystemExit):
        main(["something-else", "--project", PROJECT])


def give(monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(value)))


def test_a_vendors_value_is_taken_from_standard_input_and_shown_to_nobody(
    google: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["smtp-password", "--project", PROJECT, "--secrets-endpoint", google.endpoint, "--given"]
    google.secrets().create_secret(
        parent=f"projects/{PROJECT}", secret_id="smtp-password", secret={"replication": {"automatic": {}}}
    )
    give(monkeypatch, b"what the vendor gave\n")
    assert main(options) == 1
    give(monkeypatch, b"\n")
    assert main(options) == 1
    assert "the value is empty or has white space in it" in capsys.readouterr().err
    give(monkeypatch, b"what-the-vendor-gave\n")
    assert main(options) == 0
    store = GoogleSecretStore(Settings(env="emulator", project=PROJECT, secrets_endpoint=google.endpoint))
    assert store.read("smtp-password", "1").reveal() == b"what-the-vendor-gave"
    out = capsys.readouterr()
    assert "vendor" not in out.out + out.err


def test_a_key_that_wraps_goes_over_at_once_and_one_that_signs_when_it_is_old_enough(
    google: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    client, suite = google.kms(), load_suite()
    ring = f"projects/{PROJECT}/locations/{REGION}/keyRings/{suite.name}"
    client.create_key_ring(parent=ring.rpartition("/keyRings/")[0], key_ring_id=suite.name, key_ring=kms_v1.KeyRing())
    options = ["--project", PROJECT, "--region", REGION, "--kms-endpoint", google.endpoint]
    for name, key in suite.kms_keys.items():
        algorithm = "GOOGLE_SYMMETRIC_ENCRYPTION" if key.algorithm is None else key.algorithm.upper()
        template = kms_v1.CryptoKeyVersionTemplate({"algorithm": algorithm})
        wanted = kms_v1.CryptoKey(purpose=PURPOSES[key.purpose], version_template=template)
        client.create_crypto_key(parent=ring, crypto_key_id=name, crypto_key=wanted)
        assert kms_key.main([name, *options]) == 0
        assert capsys.readouterr().out == f"{name} has version 2\n"
        primary = client.get_crypto_key(name=f"{ring}/cryptoKeys/{name}").primary.name
        assert primary.endswith("/2") if key.purpose == "encrypt_decrypt" else not primary
        states = {version.state.name for version in client.list_crypto_key_versions(parent=f"{ring}/cryptoKeys/{name}")}
        assert states == {"ENABLED"}, "the version before opens what it wrapped, and verifies what it signed"
    assert kms_key.main(["credentials", "--project", "nobody", *options[2:]]) == 1
    assert "credentials has no new version" in capsys.readouterr().err
