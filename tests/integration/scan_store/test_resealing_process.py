"""A process that wraps credentials anew is killed, with the emulated KMS behind Google's own client; another one goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from functions.scan.queries import accounts
from functions.scan.wiring import CREDENTIALS
from shared.data.resealing import Resealer
from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.key_manager import GoogleKeyManager
from shared.ports.secret_store import Secret
from shared.security.actor import Actor
from shared.security.envelope import Envelope
from shared.settings import Settings
from tests.support.database import ClonedDatabase, actor_in
from tests.support.google_emulator import Emulator
from tests.support.kms_keys import PROJECT, REGION, destroy, make_keys, rotate
from tests.support.running_suite import ROOT
from tests.support.waiting import wait_until

KEY, ROWS = "credentials", 40
EVENT = Actor("event", "scheduler")
# The worker's job, in small batches so that there is a middle to be killed in.
SOURCE = """
from functions.scan.wiring import load_deps
from shared.data import resealing
from shared.security.actor import Actor
from shared.settings import load_settings

resealing._BATCH_ROWS = resealing._THREADS = 2
load_deps(load_settings()).resealer.tend(Actor("event", "scheduler"), seconds=600)
"""


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Emulator]:
    running = Emulator(tmp_path)
    make_keys(running.kms(), KEY)
    yield running
    assert running.stop() == 0


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    variables = {
        "DW_ENV": "emulator", "DW_FUNCTION": "scan", "DW_DATABASE_URL": settings.database_url, "DW_PROJECT": PROJECT,
        "DW_REGION": REGION, **dict.fromkeys(
            ("DW_KMS_ENDPOINT", "DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT"), settings.kms_endpoint
        ),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", SOURCE], cwd=ROOT, env={**os.environ, **variables})
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def test_what_a_killed_worker_began_another_one_finishes_and_the_old_version_is_destroyed(
    database: ClonedDatabase, google: Emulator
) -> None:
    settings = database.settings("scan", project=PROJECT, region=REGION, kms_endpoint=google.endpoint)
    envelope = Envelope(GoogleKeyManager(settings), KEY, SystemEntropy())
    db, org_id = database.build_database("scan"), database.make_org()
    plain: dict[UUID, bytes] = {}
    with db.unit(actor_in(org_id)) as tx:
        for number in range(ROWS):
            row_id, plaintext = SystemEntropy().uuid(), f"AKIA{number}\nsecret".encode()
            plain[row_id] = plaintext
            accounts.insert_account(
                tx, id=row_id, provider="aws", name="a", external_account=f"{number:012}", regions=[REGION],
                auth_kind="static_key", role_arn=None, external_id=None,
                credentials_encrypted=envelope.seal(Secret(plaintext), CREDENTIALS.place(org_id, row_id)),
            )  # fmt: skip
    rotate(google.kms(), KEY, 2)

    def run() -> list[object]:
        rows = database.owner.run("select status, seen, changed, overtaken, unreadable from core.reseal_runs")
        return list(rows[0]) if rows else ["", 0, 0, 0, 0]

    with google.fault("kms", "slow", seconds=0.2), worker(settings) as process:
        wait_until(lambda: int(str(run()[1])) >= 4, "the worker is in the middle of it", timeout_seconds=60)
        process.kill()
        process.wait(20)
    status, seen, changed, *_ = run()
    assert status == "open"
    assert 4 <= int(str(seen)) == changed < ROWS, "there was nothing left to go on with"
    Resealer(db, envelope, [CREDENTIALS], SystemClock()).tend(EVENT, seconds=600)
    assert run() == ["done", ROWS, ROWS, 0, 0]
    destroy(google.kms(), KEY, 1)
    with db.unit(actor_in(org_id)) as tx:
        for row_id, plaintext in plain.items():
            sealed = bytes(accounts.get_account(tx, row_id)["credentials_encrypted"])
            assert envelope.open(sealed, CREDENTIALS.place(org_id, row_id)).reveal() == plaintext
