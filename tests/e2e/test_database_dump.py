"""Somebody has the whole database, and the source. Every secret was handed over before; none of them is in it.

The journey and what it hands over stand in `tests.support.secret_journey`; in which forms it is looked for, in `database_dump`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from pg8000 import native

from functions.scan.wiring import CREDENTIALS_KEY, credentials_place
from local_emulator.names import PROJECT, REGION
from shared.ports.clock import SystemEntropy
from shared.ports.errors import CiphertextRefused
from shared.ports.key_manager import GoogleKeyManager
from shared.security.envelope import Envelope, Place
from shared.settings import Settings
from tests.support.database_dump import (
    Hunt,
    dump,
    forms,
    is_opened_by,
    keys_made_of,
    sealed_columns,
    words_of_dump,
    words_of_source,
)
from tests.support.running_suite import ROOT, RunningSuite
from tests.support.sealed_fields import LAYOUTS, NONCE_BYTES, TAG_BYTES, Sealer, keys_of
from tests.support.secret_journey import Journey, travelled

# What the journey must have left rows in; otherwise a table would be clean because it is empty.
USED = (
    "analysis.llm_configs", "core.api_keys", "core.audit_log", "core.idempotency_keys", "core.outbox", "core.user_identities", "scan.cloud_accounts",
    "scan.drift_items", "scan.live_resources", "scan.state_resources", "scan.state_sources",
    "webhook.deliveries_out", "webhook.notification_channels",
)  # fmt: skip


@pytest.fixture(scope="module")
def journey(emulator: RunningSuite) -> Iterator[Journey]:
    with travelled(emulator) as found:
        yield found


@pytest.fixture(scope="module")
def owner(journey: Journey) -> Iterator[native.Connection]:
    with closing(journey.suite.owner()) as connection:
        yield connection


@pytest.fixture(scope="module")
def tables(owner: native.Connection) -> dict[str, bytes]:
    return dump(owner)


@pytest.fixture(scope="module")
def hunt(journey: Journey) -> Hunt:
    assert len(journey.secrets) > 40
    return Hunt(journey.secrets)


@pytest.fixture(scope="module")
def sealed(owner: native.Connection, journey: Journey) -> bytes:
    """The credentials of the journey's account, as they stand in its row."""
    sql = "select credentials_encrypted from scan.cloud_accounts where id = :id"
    return bytes(owner.run(sql, id=UUID(journey.account_id))[0][0])


def test_the_journey_left_rows_wherever_a_secret_could_lie(
    tables: dict[str, bytes], owner: native.Connection, journey: Journey
) -> None:
    assert {name for name in USED if not tables[name]} == set()
    for column in ("attributes", "tags"):
        sql = f"select count(*) from scan.live_resources where org_id = :org_id and {column} <> '{{}}'"
        assert owner.run(sql, org_id=journey.org.id)[0][0] > 0
    hidden = owner.run(
        "select path from scan.drift_items where org_id = :org_id and is_sensitive order by path", org_id=journey.org.id
    )
    assert {row[0] for row in hidden} >= {"description", "environment", "tags", "value"}, "the marks did not count"


def test_no_secret_stands_in_any_table(tables: dict[str, bytes], hunt: Hunt) -> None:
    found = {name: hunt.found_in(text) for name, text in tables.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_no_secret_stands_in_the_files_of_the_server(journey: Journey, hunt: Hunt, owner: native.Connection) -> None:
    """Rows that were deleted or written over, the write-ahead log, what sorts and replies left on the disk."""
    cluster = journey.suite.logs.parent / "postgres"
    if not (cluster / "PG_VERSION").exists():
        pytest.skip("the server's files are not at hand")
    owner.run("checkpoint")
    files = [path for path in cluster.rglob("*") if path.is_file()]
    assert {"base", "pg_wal", "global"} <= {path.relative_to(cluster).parts[0] for path in files}
    assert hunt.found_in_files(files) == {}


def test_no_secret_stands_in_a_log(journey: Journey, hunt: Hunt) -> None:
    logs = journey.suite.log_files()
    if not logs:
        pytest.skip("the logs are not at hand")
    found = {path.name: hunt.found_in(path.read_bytes()) for path in logs}
    assert {name: names for name, names in found.items() if names} == {}


def test_every_sealed_column_is_in_the_dump_and_each_value_is_another(
    owner: native.Connection, tables: dict[str, bytes], sealed: bytes
) -> None:
    values = list(sealed_columns(owner))
    assert sealed in [value for _, _, value in values]
    assert len({value for _, _, value in values}) == len(values)
    for table, _, value in values:
        assert value.hex().encode() in tables[table]


def test_neither_the_dump_nor_the_source_holds_a_key_that_opens_what_is_sealed(
    journey: Journey, tables: dict[str, bytes], sealed: bytes
) -> None:
    """Every word of both as an AES key, in every usual way of making one, against the text that is known to be inside."""
    words = words_of_dump(tables) | words_of_source(ROOT, "shared", "functions", "local_emulator", "infra")
    assert len(words) > 10_000
    nonce, ciphertext = parts_of(sealed, len(journey.credentials))
    keys = set(keys_made_of(words))
    assert [key for key in keys if is_opened_by(key, nonce, ciphertext, journey.credentials)] == []


def test_only_kms_opens_it_and_only_in_its_place(journey: Journey, sealed: bytes) -> None:
    endpoint = journey.org.estate.described["google"]["grpc"]
    keys = GoogleKeyManager(Settings(env="emulator", project=PROJECT, region=REGION, kms_endpoint=endpoint))
    envelope = Envelope(keys, CREDENTIALS_KEY, SystemEntropy())
    account_id = UUID(journey.account_id)
    assert envelope.open(sealed, credentials_place(journey.org.id, account_id)).reveal() == journey.credentials
    for place in (
        credentials_place(journey.suite.org_id, account_id),
        credentials_place(journey.org.id, journey.org.id),
    ):
        with pytest.raises(CiphertextRefused):
            envelope.open(sealed, place)


# The search itself: it must find what is there


def parts_of(value: bytes, size: int) -> tuple[bytes, bytes]:
    """Return nonce and ciphertext of a field whose text has this size: they stand at its end, before the tag."""
    end = len(value) - TAG_BYTES
    return value[end - size - NONCE_BYTES : end - size], value[end - size : end]


SECRET = b"q7Zr/Wm2+Kp9xTnB4vLs8yHd"


@pytest.mark.parametrize("form", forms(SECRET))
@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz\x00\xff"])
def test_the_search_finds_every_form_and_every_part(form: str, before: bytes) -> None:
    hunt = Hunt({"it": SECRET})
    text, size = forms(SECRET)[form]
    for content in (text, text[:size], text[-size:], text[2 : size + 2]):
        assert any(name.startswith("it") for name in hunt.found_in(before + content + b"\t\\N\n"))
    assert hunt.found_in(before + text[: size - 1] + b"|" + text[size:][: size - 1]) == set()


def test_the_search_finds_a_secret_in_a_large_file(tmp_path: Path) -> None:
    hunt = Hunt({"it": SECRET})
    for offset in range(40):
        path = tmp_path / f"{offset}"
        path.write_bytes(bytes(offset) + SECRET + bytes(1000))
        assert hunt.found_in_files([path])


def test_a_key_in_the_dump_would_be_tried(journey: Journey) -> None:
    for layout in LAYOUTS:
        sealer = Sealer(layout)
        parts = sealer.seal(journey.credentials, Place("t", "c", UUID(int=1), UUID(int=2)))
        nonce, ciphertext = parts_of(parts.joined(), len(journey.credentials))
        (key,) = sealer.vault.plain
        opening = key if layout == 1 else keys_of(key)[0]
        tables = {"core.x": b"1\t\\\\x" + key.hex().encode() + b"\tt\n"}
        tried = set(keys_made_of(words_of_dump(tables)))
        assert [found for found in tried if is_opened_by(found, nonce, ciphertext, journey.credentials)] == [opening]
