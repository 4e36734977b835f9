"""Makes a new version of a KMS key of the suite: `python -m infra.rotate.kms_key KEY --project P --region R`.

A key that wraps takes the new version as its primary at once, and the functions wrap their rows anew by themselves; a key that signs
publishes it and signs with it once it is old enough. Neither disables the version before: when that may go, and how to be rid of it at
once, stands in infra/runbooks/envelope-key.md and infra/runbooks/token-signing-key.md.
"""

from __future__ import annotations

import argparse
import sys

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceGrpcTransport as Transport,
)

from infra.suite import KmsKey, load_suite
from shared.ports.google import open_channel


def add_version(client: kms_v1.KeyManagementServiceClient, ring: str, key: KmsKey) -> int:
    """Make a version, and the primary one of it where a key has one; returns its number.

    Args:
        client: of the KMS.
        ring: `projects/P/locations/R/keyRings/driftwise`.
        key: of the suite.

    Raises:
        google.api_core.exceptions.GoogleAPICallError, RetryError: KMS did not do it; run it again, one version too many does no harm.
    """
    name = f"{ring}/cryptoKeys/{key.name}"
    made = client.create_crypto_key_version(parent=name, crypto_key_version=kms_v1.CryptoKeyVersion())
    number = made.name.rsplit("/", 1)[1]
    if key.purpose == "encrypt_decrypt":
        client.update_crypto_key_primary_version(name=name, crypto_key_version_id=number)
    return int(number)


def main(arguments: list[str] | None = None) -> int:
    """Rotate one key; returns the exit status."""
    suite = load_suite()
    parser = argparse.ArgumentParser(prog="python -m infra.rotate.kms_key", description="Make a new version of a key.")
    parser.add_argument("key", choices=sorted(suite.kms_keys))
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--kms-endpoint", default="", help="host:port of the emulator")
    options = parser.parse_args(arguments)
    client = kms_v1.KeyManagementServiceClient(
        transport=Transport(channel=open_channel(options.kms_endpoint, Transport))
    )
    ring = f"projects/{options.project}/locations/{options.region}/keyRings/{suite.name}"
    try:
        version = add_version(client, ring, suite.kms_keys[options.key])
    except (GoogleAPICallError, RetryError) as error:
        sys.stderr.write(f"rotate: {options.key} has no new version: {error}\n")
        return 1
    print(f"{options.key} has version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
