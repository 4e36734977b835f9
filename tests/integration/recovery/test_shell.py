"""The check as an operator runs it: by its command, with the emulator's Cloud Storage for the anchors."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from infra.recovery.__main__ import ANCHORS, main
from infra.suite import load_suite
from shared.ports.object_store import GoogleObjectStore
from shared.security.audit import Head, anchor_name, org_chain
from shared.settings import Settings
from tests.support.database import ClonedDatabase, actor_in
from tests.support.google_emulator import Emulator

PROJECT = "driftwise-local"


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    httpx.post(f"{running.url}/storage/v1/b", json={"name": f"{PROJECT}-{ANCHORS}"}, trust_env=False).raise_for_status()
    yield running
    running.stop()


def test_the_bucket_is_the_suites() -> None:
    assert ANCHORS in load_suite().buckets


def test_a_check_ends_with_0_or_1_and_says_why(
    google: Emulator, database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    org_id = database.make_org()
    with database.build_database("auth").unit(actor_in(org_id)) as tx:
        tx.audit("auth:org:created", "org", org_id)
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    step = ["check", "--project", PROJECT, "--storage-endpoint", google.url]
    anchors = GoogleObjectStore(Settings(env="emulator", project=PROJECT, storage_endpoint=google.url), ANCHORS)
    chain = org_chain(org_id)
    anchors.put_new(anchor_name(chain, Head(7, bytes(32))), b"{}")
    assert main(step) == 0
    out = capsys.readouterr().out
    assert f"known  audit chains: {chain} ends at entry 1; up to 7 was anchored, so at least 6 are missing" in out
    assert out.endswith("no problem\n")
    anchors.put_new(anchor_name(chain, Head(1, bytes(32))), b"{}")
    assert main(step) == 1
    assert f"PROBLEM  audit chains: {chain}: entry 1 is anchor_mismatch" in capsys.readouterr().out


def test_an_object_store_that_does_not_answer_is_no_clean_bill(
    database: ClonedDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    assert main(["check", "--project", PROJECT, "--storage-endpoint", "http://127.0.0.1:1"]) == 1
    assert "recovery: " in capsys.readouterr().err
