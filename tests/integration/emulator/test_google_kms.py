"""The emulated KMS answers the real client as Cloud KMS documents it."""

from __future__ import annotations

import hashlib
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.api_core import exceptions
from google.cloud import kms_v1

from local_emulator.google.checksum import crc32c
from local_emulator.google.storage import claim_directory
from tests.support.google_emulator import Emulator

LOCATION = "projects/driftwise-local/locations/europe-west1"
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
Purpose = kms_v1.CryptoKey.CryptoKeyPurpose
Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
HSM = kms_v1.ProtectionLevel(kms_v1.ProtectionLevel.HSM)
NUMBERS = count(1)


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> kms_v1.KeyManagementServiceClient:
    return emulator.kms()


@pytest.fixture(scope="module")
def ring(client: kms_v1.KeyManagementServiceClient) -> str:
    return client.create_key_ring(parent=LOCATION, key_ring_id="driftwise", key_ring=kms_v1.KeyRing()).name


def new_key(
    client: kms_v1.KeyManagementServiceClient, ring: str, purpose: int = Purpose.ENCRYPT_DECRYPT, **fields: object
) -> kms_v1.CryptoKey:
    templates = {
        Purpose.ENCRYPT_DECRYPT: Algorithm.GOOGLE_SYMMETRIC_ENCRYPTION,
        Purpose.ASYMMETRIC_SIGN: Algorithm.EC_SIGN_P256_SHA256,
        Purpose.MAC: Algorithm.HMAC_SHA256,
    }
    key = kms_v1.CryptoKey(purpose=purpose, version_template={"algorithm": templates[purpose]}, **fields)
    return client.create_crypto_key(parent=ring, crypto_key_id=f"key-{next(NUMBERS)}", crypto_key=key)


def set_state(client: kms_v1.KeyManagementServiceClient, name: str, state: int) -> kms_v1.CryptoKeyVersion:
    version = kms_v1.CryptoKeyVersion(name=name, state=state)
    return client.update_crypto_key_version(crypto_key_version=version, update_mask={"paths": ["state"]})


def test_crc32c_is_castagnoli() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


def test_encrypts_and_decrypts_with_checksums(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring)
    plaintext, aad = b"a data key", b"credentials|org"
    sealed = client.encrypt(
        request=kms_v1.EncryptRequest(
            name=key.name,
            plaintext=plaintext,
            additional_authenticated_data=aad,
            plaintext_crc32c=crc32c(plaintext),
            additional_authenticated_data_crc32c=crc32c(aad),
        )
    )
    assert sealed.name == key.primary.name == f"{key.name}/cryptoKeyVersions/1"
    assert sealed.verified_plaintext_crc32c
    assert sealed.verified_additional_authenticated_data_crc32c
    assert sealed.ciphertext_crc32c == crc32c(sealed.ciphertext)
    assert plaintext not in sealed.ciphertext
    opened = client.decrypt(
        request=kms_v1.DecryptRequest(
            name=key.name,
            ciphertext=sealed.ciphertext,
            additional_authenticated_data=aad,
            ciphertext_crc32c=crc32c(sealed.ciphertext),
        )
    )
    assert (opened.plaintext, opened.plaintext_crc32c, opened.used_primary) == (plaintext, crc32c(plaintext), True)
    unchecked = client.encrypt(name=key.name, plaintext=plaintext)
    assert not unchecked.verified_plaintext_crc32c


def test_refuses_wrong_ciphertext_aad_and_checksum(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key, other = new_key(client, ring), new_key(client, ring)
    sealed = client.encrypt(
        request={"name": key.name, "plaintext": b"secret", "additional_authenticated_data": b"org-1"}
    ).ciphertext
    wrong: list[dict[str, object]] = [
        {"name": key.name, "ciphertext": sealed, "additional_authenticated_data": b"org-2"},
        {"name": key.name, "ciphertext": sealed},
        {"name": other.name, "ciphertext": sealed, "additional_authenticated_data": b"org-1"},
        {"name": key.name, "ciphertext": b"short", "additional_authenticated_data": b"org-1"},
        {"name": key.name, "ciphertext": sealed, "additional_authenticated_data": b"org-1", "ciphertext_crc32c": 1},
    ]
    for position in (0, 5, 12, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[position] ^= 1
        wrong.append({"name": key.name, "ciphertext": bytes(changed), "additional_authenticated_data": b"org-1"})
    for request in wrong:
        with pytest.raises(exceptions.InvalidArgument):
            client.decrypt(request=request)
    with pytest.raises(exceptions.InvalidArgument):
        client.encrypt(request={"name": key.name, "plaintext": b"x", "plaintext_crc32c": 1})
    with pytest.raises(exceptions.InvalidArgument):
        client.encrypt(name=key.name, plaintext=bytes(65537))


def test_a_version_lives_through_its_states(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring)
    first = key.primary.name
    sealed = client.encrypt(name=key.name, plaintext=b"x").ciphertext

    assert set_state(client, first, State.DISABLED).state == State.DISABLED
    for refused in (
        lambda: client.encrypt(name=key.name, plaintext=b"x"),
        lambda: client.decrypt(name=key.name, ciphertext=sealed),
    ):
        with pytest.raises(exceptions.FailedPrecondition):
            refused()
    assert client.get_crypto_key(name=key.name).primary.state == State.DISABLED
    set_state(client, first, State.ENABLED)
    assert client.decrypt(name=key.name, ciphertext=sealed).plaintext == b"x"

    scheduled = client.destroy_crypto_key_version(name=first)
    assert scheduled.state == State.DESTROY_SCHEDULED
    assert scheduled.destroy_time > datetime.now(UTC) + timedelta(days=29)
    with pytest.raises(exceptions.FailedPrecondition):
        client.destroy_crypto_key_version(name=first)
    with pytest.raises(exceptions.FailedPrecondition):
        set_state(client, first, State.ENABLED)
    assert client.restore_crypto_key_version(name=first).state == State.DISABLED
    with pytest.raises(exceptions.FailedPrecondition):
        client.restore_crypto_key_version(name=first)
    with pytest.raises(exceptions.InvalidArgument):
        set_state(client, first, State.DESTROYED)


def test_material_is_gone_after_destruction(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring, destroy_scheduled_duration=timedelta(milliseconds=20))
    sealed = client.encrypt(name=key.name, plaintext=b"x").ciphertext
    client.destroy_crypto_key_version(name=key.primary.name)
    time.sleep(0.05)
    destroyed = client.get_crypto_key_version(name=key.primary.name)
    assert destroyed.state == State.DESTROYED
    assert destroyed.destroy_event_time
    with pytest.raises(exceptions.FailedPrecondition):
        client.decrypt(name=key.name, ciphertext=sealed)
    with pytest.raises(exceptions.FailedPrecondition):
        client.restore_crypto_key_version(name=key.primary.name)


def test_rotation_keeps_old_ciphertexts_readable(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring)
    old = client.encrypt(name=key.name, plaintext=b"old").ciphertext
    second = client.create_crypto_key_version(parent=key.name, crypto_key_version=kms_v1.CryptoKeyVersion())
    assert client.encrypt(name=key.name, plaintext=b"x").name.endswith("/1")
    changed = client.update_crypto_key_primary_version(name=key.name, crypto_key_version_id="2")
    assert changed.primary.name == second.name
    assert client.encrypt(name=key.name, plaintext=b"x").name == second.name
    opened = client.decrypt(name=key.name, ciphertext=old)
    assert (opened.plaintext, opened.used_primary) == (b"old", False)
    names = [version.name[-2:] for version in client.list_crypto_key_versions(parent=key.name)]
    assert names == ["/1", "/2"]
    paged = client.list_crypto_key_versions(request={"parent": key.name, "page_size": 1})
    assert [len(page.crypto_key_versions) for page in paged.pages] == [1, 1]


def test_signs_with_p256(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring, Purpose.ASYMMETRIC_SIGN)
    name = f"{key.name}/cryptoKeyVersions/1"
    public = client.get_public_key(name=name)
    assert public.pem_crc32c == crc32c(public.pem.encode())
    assert public.algorithm == Algorithm.EC_SIGN_P256_SHA256
    verifier = serialization.load_pem_public_key(public.pem.encode())
    assert isinstance(verifier, ec.EllipticCurvePublicKey)
    digest = hashlib.sha256(b"header.claims").digest()
    signed = client.asymmetric_sign(
        request={"name": name, "digest": {"sha256": digest}, "digest_crc32c": crc32c(digest)}
    )
    assert signed.verified_digest_crc32c
    assert signed.signature_crc32c == crc32c(signed.signature)
    verifier.verify(signed.signature, b"header.claims", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        verifier.verify(signed.signature, b"other", ec.ECDSA(hashes.SHA256()))
    for request in (
        {"name": name, "digest": {"sha256": digest}, "digest_crc32c": 1},
        {"name": name, "digest": {"sha256": b"short"}},
        {"name": name, "digest": {"sha384": bytes(48)}},
    ):
        with pytest.raises(exceptions.InvalidArgument):
            client.asymmetric_sign(request=request)
    set_state(client, name, State.DISABLED)
    with pytest.raises(exceptions.FailedPrecondition):
        client.asymmetric_sign(name=name, digest=kms_v1.Digest(sha256=digest))
    with pytest.raises(exceptions.FailedPrecondition):
        client.get_public_key(name=name)


def test_makes_and_verifies_macs(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    name = f"{new_key(client, ring, Purpose.MAC).name}/cryptoKeyVersions/1"
    made = client.mac_sign(request={"name": name, "data": b"data", "data_crc32c": crc32c(b"data")})
    assert made.verified_data_crc32c
    assert made.mac_crc32c == crc32c(made.mac)
    right = client.mac_verify(request={"name": name, "data": b"data", "mac": made.mac, "mac_crc32c": crc32c(made.mac)})
    assert right.success
    assert right.verified_success_integrity
    assert right.verified_mac_crc32c
    assert not client.mac_verify(name=name, data=b"other", mac=made.mac).success
    with pytest.raises(exceptions.InvalidArgument):
        client.mac_verify(name=name, data=b"data", mac=b"short")


def test_a_key_does_only_what_it_is_for(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    signing = new_key(client, ring, Purpose.ASYMMETRIC_SIGN).name
    with pytest.raises(exceptions.FailedPrecondition):
        client.encrypt(name=signing, plaintext=b"x")
    with pytest.raises(exceptions.FailedPrecondition):
        client.mac_sign(name=f"{signing}/cryptoKeyVersions/1", data=b"x")
    with pytest.raises(exceptions.FailedPrecondition):
        client.update_crypto_key_primary_version(name=signing, crypto_key_version_id="1")
    with pytest.raises(exceptions.InvalidArgument):
        client.create_crypto_key(
            parent=ring, crypto_key_id="mismatch", crypto_key=kms_v1.CryptoKey(purpose=Purpose.MAC)
        )


def test_names_what_is_missing_or_there_already(client: kms_v1.KeyManagementServiceClient, ring: str) -> None:
    key = new_key(client, ring)
    for missing in (
        lambda: client.get_crypto_key(name=f"{ring}/cryptoKeys/none"),
        lambda: client.encrypt(name=f"{ring}/cryptoKeys/none", plaintext=b"x"),
        lambda: client.get_crypto_key_version(name=f"{key.name}/cryptoKeyVersions/9"),
        lambda: client.list_crypto_key_versions(parent=f"{ring}/cryptoKeys/none"),
        lambda: client.get_public_key(name=f"{key.name}/cryptoKeyVersions/9"),
        lambda: client.create_crypto_key(
            parent=f"{LOCATION}/keyRings/none",
            crypto_key_id="k",
            crypto_key=kms_v1.CryptoKey(purpose=Purpose.ENCRYPT_DECRYPT),
        ),
    ):
        with pytest.raises(exceptions.NotFound):
            missing()
    with pytest.raises(exceptions.AlreadyExists):
        client.create_key_ring(parent=LOCATION, key_ring_id="driftwise", key_ring=kms_v1.KeyRing())
    with pytest.raises(exceptions.AlreadyExists):
        client.create_crypto_key(
            parent=ring,
            crypto_key_id=key.name.rsplit("/", 1)[1],
            crypto_key=kms_v1.CryptoKey(purpose=Purpose.ENCRYPT_DECRYPT),
        )
    with pytest.raises(exceptions.InvalidArgument):
        client.get_crypto_key(name="cryptoKeys/x")


def test_random_bytes(client: kms_v1.KeyManagementServiceClient) -> None:
    made = client.generate_random_bytes(location=LOCATION, length_bytes=32, protection_level=HSM)
    assert len(made.data) == 32
    assert made.data_crc32c == crc32c(made.data)
    with pytest.raises(exceptions.InvalidArgument):
        client.generate_random_bytes(location=LOCATION, length_bytes=7, protection_level=HSM)


def test_faults_fail_and_delay_the_methods_they_name(
    emulator: Emulator, client: kms_v1.KeyManagementServiceClient, ring: str
) -> None:
    key = new_key(client, ring)
    with emulator.fault("kms", "unavailable", methods=["Encrypt"]):
        with pytest.raises(exceptions.ServiceUnavailable):
            client.encrypt(name=key.name, plaintext=b"x", retry=None)
        assert client.get_crypto_key(name=key.name).name == key.name
    with emulator.fault("kms", "unavailable", seconds=0.3):
        assert client.encrypt(name=key.name, plaintext=b"x").ciphertext, "the client's own retry gets over it"
    with emulator.fault("kms", "slow", seconds=0.2):
        started = time.monotonic()
        client.encrypt(name=key.name, plaintext=b"x")
        assert time.monotonic() - started >= 0.2
        with pytest.raises(exceptions.DeadlineExceeded):
            client.encrypt(name=key.name, plaintext=b"x", timeout=0.05, retry=None)


def test_a_slow_service_does_not_slow_the_others(
    emulator: Emulator, client: kms_v1.KeyManagementServiceClient, ring: str
) -> None:
    with emulator.fault("kms", "slow", seconds=0.8), ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get_key_ring, name=ring)
        time.sleep(0.1)
        list(emulator.publisher().list_topics(project="projects/driftwise-local"))
        assert not slow.done(), "Pub/Sub waited for the KMS"


def test_a_second_emulator_is_told_that_the_directory_is_taken(emulator: Emulator) -> None:
    with pytest.raises(OSError, match="is in use by another emulator"):
        claim_directory(emulator.directory / "data")


def test_the_same_keys_after_a_restart(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    client = emulator.kms()
    ring = client.create_key_ring(parent=LOCATION, key_ring_id="driftwise", key_ring=kms_v1.KeyRing()).name
    key, signing = new_key(client, ring), new_key(client, ring, Purpose.ASYMMETRIC_SIGN)
    sealed = client.encrypt(name=key.name, plaintext=b"kept").ciphertext
    public = client.get_public_key(name=f"{signing.name}/cryptoKeyVersions/1").pem
    issuer = emulator.get("/oauth2/v3/certs")
    emulator.kill()
    emulator.start()
    client = emulator.kms()
    assert client.decrypt(name=key.name, ciphertext=sealed).plaintext == b"kept"
    assert client.get_public_key(name=f"{signing.name}/cryptoKeyVersions/1").pem == public
    assert emulator.get("/oauth2/v3/certs") == issuer
    assert emulator.stop() == 0
    for file in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, f"{file.name} can be read by others"
