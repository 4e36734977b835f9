"""The operator's side of the key vault, over Google's own client: keys that wrap are made, rotated, and versions destroyed."""

from __future__ import annotations

from google.cloud import kms_v1

PROJECT, REGION = "driftwise-local", "europe-west1"
_LOCATION = f"projects/{PROJECT}/locations/{REGION}"
_RING = f"{_LOCATION}/keyRings/driftwise"


def make_keys(client: kms_v1.KeyManagementServiceClient, *keys: str) -> None:
    """Make the suite's key ring with keys in it, each with one version."""
    client.create_key_ring(parent=_LOCATION, key_ring_id="driftwise", key_ring=kms_v1.KeyRing())
    made = kms_v1.CryptoKey(purpose=kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT)
    for key in keys:
        client.create_crypto_key(parent=_RING, crypto_key_id=key, crypto_key=made)


def rotate(client: kms_v1.KeyManagementServiceClient, key: str, version: int) -> None:
    """Make a version of a key, which must have this number, and wrap with it from now on."""
    name = f"{_RING}/cryptoKeys/{key}"
    made = client.create_crypto_key_version(parent=name, crypto_key_version=kms_v1.CryptoKeyVersion())
    assert made.name == f"{name}/cryptoKeyVersions/{version}"
    client.update_crypto_key_primary_version(name=name, crypto_key_version_id=str(version))


def destroy(client: kms_v1.KeyManagementServiceClient, key: str, version: int) -> None:
    """Destroy a version of a key."""
    client.destroy_crypto_key_version(name=f"{_RING}/cryptoKeys/{key}/cryptoKeyVersions/{version}")
