"""Keys of the whole running suite are rotated while people work with it: no call fails, nothing drifts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

import grpc
import pytest
from google.cloud import kms_v1, secretmanager_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport

from local_emulator.names import PROJECT, REGION
from tests.support.running_suite import RunningSuite
from tests.support.scanning import Estate, Org
from tests.support.waiting import wait_until

KEY = f"projects/{PROJECT}/locations/{REGION}/keyRings/driftwise/cryptoKeys/credentials"
DIGEST_KEY = f"projects/{PROJECT}/secrets/value-digest-key"
_PAUSE_SECONDS = 4.0  # a scan costs this machine about as much


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    found = Estate(emulator, "demo")
    found.build()
    return found


@contextmanager
def kms(estate: Estate) -> Iterator[kms_v1.KeyManagementServiceClient]:
    """The operator's side of the key vault."""
    with grpc.insecure_channel(estate.described["google"]["grpc"]) as channel:
        yield kms_v1.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel))


def disable(client: kms_v1.KeyManagementServiceClient, version: int) -> None:
    state = kms_v1.CryptoKeyVersion.CryptoKeyVersionState.DISABLED
    changed = kms_v1.CryptoKeyVersion(name=f"{KEY}/cryptoKeyVersions/{version}", state=state)
    client.update_crypto_key_version(crypto_key_version=changed, update_mask={"paths": ["state"]})


def key_versions(estate: Estate) -> set[int]:
    """Under which versions of the key anybody's credentials are wrapped."""
    connection = estate.suite.owner()
    try:
        rows = connection.run(
            "select distinct credentials_key_version from scan.cloud_accounts where credentials_key_version is not null"
        )
    finally:
        connection.close()
    return {row[0] for row in rows}


def live_digests(org: Org) -> set[str]:
    """Under which versions of the digest key the last scan's values stand."""
    rows = org.arrange(
        "select attributes::text from scan.live_resources where org_id = :org_id and type = 'aws_ssm_parameter'"
    )
    assert rows
    return {number for row in rows for number in json.loads(row[0])["value"]["$sealed"]}


@dataclass(frozen=True)
class Uploaded:
    """An account whose state was uploaded before its organisation's digest key got a new version."""

    org: Org
    account: str
    version: str

    def scan(self) -> set[str]:
        """Scan, which must show no drift and hide nothing; returns the versions of the key that it worked with."""
        summary: dict[str, Any] = self.org.scan(self.account)["summary"]
        assert (summary["drift"], summary["unread"], summary["in_sync"]) == (0, 0, summary["compared"])
        return live_digests(self.org)


@pytest.fixture(scope="module")
def uploaded(estate: Estate) -> Uploaded:
    """The workers learn of the new version within a minute; the tests before the one that waits for it are that minute."""
    org = Org.make(estate)
    account = org.connect_with_state()
    with grpc.insecure_channel(estate.described["google"]["grpc"]) as channel:
        client = secretmanager_v1.SecretManagerServiceClient(
            transport=SecretManagerServiceGrpcTransport(channel=channel)
        )
        payload = secretmanager_v1.SecretPayload(data=os.urandom(32))
        made = client.add_secret_version(parent=DIGEST_KEY, payload=payload)
    return Uploaded(org, account, made.name.rsplit("/", 1)[1])


def test_a_new_digest_key_that_the_workers_do_not_know_of_changes_nothing(uploaded: Uploaded) -> None:
    uploaded.scan()


def test_credentials_are_wrapped_anew_while_accounts_are_verified_and_the_old_version_can_go(estate: Estate) -> None:
    orgs = [Org.make(estate) for _ in range(3)]
    accounts = [(org, org.connect()) for org in orgs]
    stop, failures, verified = Event(), [], [0]

    def verify(org: Org, account: str) -> None:
        while not stop.is_set():
            reply = org.call("POST", f"/cloud-accounts/{account}/verify")
            if reply.status_code != 200 or not reply.json()["is_complete"]:
                failures.append(reply.text[:300])
            verified[0] += 1

    with kms(estate) as client, ThreadPoolExecutor(2) as pool:
        before = max(key_versions(estate))
        running = [pool.submit(verify, *item) for item in accounts[:2]]
        try:
            wait_until(lambda: verified[0] >= 2, "accounts are verified", timeout_seconds=120)
            made = client.create_crypto_key_version(parent=KEY, crypto_key_version=kms_v1.CryptoKeyVersion())
            after = int(made.name.rsplit("/", 1)[1])
            client.update_crypto_key_primary_version(name=KEY, crypto_key_version_id=str(after))
            wait_until(
                lambda: not estate.suite.tick("sealed-columns")["open_runs"] and key_versions(estate) == {after},
                "all is wrapped anew",
            )
            for version in range(before, after):
                disable(client, version)
            client.destroy_crypto_key_version(name=f"{KEY}/cryptoKeyVersions/{before}")
            seen = verified[0]
            wait_until(lambda: verified[0] >= seen + 4, "they are verified still", timeout_seconds=120)
        finally:
            stop.set()
        for item in running:
            item.result()
    assert failures == []
    for org, account in accounts:  # one of which nobody asked for meanwhile
        assert org.send("POST", f"/cloud-accounts/{account}/verify")["is_complete"]
    assert orgs[2].scan(accounts[2][1])["status"] == "done"


def test_a_new_digest_key_between_upload_and_scan_shows_no_drift_and_hides_none(uploaded: Uploaded) -> None:
    ends_at = time.monotonic() + 180
    while uploaded.version not in uploaded.scan():
        assert time.monotonic() < ends_at, "the workers never learned of the new version"
        time.sleep(_PAUSE_SECONDS)
    org, estate = uploaded.org, uploaded.org.estate
    estate.client("ssm").put_parameter(Name="/shop/features", Value="{}", Type="String", Overwrite=True)
    found = org.findings(org.scan(uploaded.account)["id"])
    assert found == {("changed", "aws_ssm_parameter.features", "value")}
