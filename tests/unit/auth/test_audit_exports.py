"""Packs for auditors: windows by plan, room, where a download goes on, and the form of files, rows and the ZIP."""

from __future__ import annotations

import csv
import io
import json
import tomllib
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from functions.auth.domain import audit_exports as domain
from functions.auth.domain import pack_tables as tables
from functions.auth.domain import packs
from functions.auth.domain.packs import File
from functions.auth.errors import AuditExportUnfinished, AuditWindowTooLong, TooManyAuditExports
from infra.verify_pack import verify_pack
from shared.http.errors import Invalid
from shared.security.audit import hash_entry
from shared.security.plans import FeatureRequired
from shared.version import VERSION
from tests.support.audit_packs import ORG, chain, row_of, unpacked

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = timedelta(days=1)
MADE = NOW - 400 * DAY


def window(plan: str, start: datetime | None = None, end: datetime | None = None) -> domain.Window:
    return domain.choose_window(start, end, plan=plan, made_at=MADE, now=NOW)


def test_without_a_wish_the_window_is_all_that_the_plan_has() -> None:
    assert window("team") == domain.Window(NOW - 30 * DAY, NOW)
    assert window("enterprise") == domain.Window(MADE, NOW)


def test_a_wish_within_the_plan_is_taken_as_it_is() -> None:
    assert window("team", NOW - 30 * DAY, NOW - DAY) == domain.Window(NOW - 30 * DAY, NOW - DAY)
    assert window("enterprise", NOW - 4000 * DAY) == domain.Window(NOW - 4000 * DAY, NOW)
    assert window("team", NOW - DAY, NOW + timedelta(seconds=2)).to_at == NOW  # a clock that is a little ahead


def test_the_free_plan_has_no_packs() -> None:
    with pytest.raises(FeatureRequired) as refused:
        window("free")
    assert refused.value.facts["required_plan"] == "team"


def test_the_team_plan_reaches_thirty_days_back() -> None:
    with pytest.raises(AuditWindowTooLong) as refused:
        window("team", NOW - 31 * DAY)
    assert {name: refused.value.facts[name] for name in ("required_plan", "used", "cap")} == {
        "required_plan": "enterprise", "used": 32, "cap": 30,
    }  # fmt: skip
    assert refused.value.status == 402


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(None, NOW + DAY, "to_at"), (NOW, NOW, "from_at"), (NOW - DAY, NOW - 2 * DAY, "from_at"), (NOW + DAY, None, "from_at"), (NOW, NOW + timedelta(seconds=1), "from_at")],
)  # fmt: skip
def test_a_window_that_is_none_is_refused(start: datetime | None, end: datetime | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        window("enterprise", start, end)
    assert refused.value.facts["errors"][0]["field"] == field  # type: ignore[index]


@pytest.mark.parametrize(("open_now", "kept", "is_full"), [(0, 0, False), (1, 19, False), (2, 2, True), (0, 20, True)])
def test_there_is_room_for_so_many(open_now: int, kept: int, *, is_full: bool) -> None:
    if not is_full:
        domain.check_room(open_now, kept)
        return
    with pytest.raises(TooManyAuditExports):
        domain.check_room(open_now, kept)


@pytest.mark.parametrize("status", ["pending", "running", "failed"])
def test_what_is_not_whole_is_not_handed_out(status: str) -> None:
    with pytest.raises(AuditExportUnfinished):
        domain.check_whole({"status": status})


@pytest.mark.parametrize(
    ("header", "start"),
    [
        (None, 0), ("bytes=0-", 0), ("bytes=5-", 5), ("bytes=9-", 9), ("bytes=10-", 0), ("bytes=5-7", 0), ("bytes=-5", 0), ("bytes=1-,3-", 0),
        ("items=5-", 0), ("bytes=\u0665-", 0), ("bytes=" + "9" * 50 + "-", 0), ("", 0),
    ],
)  # fmt: skip
def test_a_download_goes_on_where_it_is_told_or_begins_anew(header: str | None, start: int) -> None:
    assert domain.range_start(header, 10) == start


def test_the_verifier_takes_whatever_is_built() -> None:
    assert domain.MOST_FILES < verify_pack.MOST_FILES
    assert domain.MOST_CONTENT_BYTES <= verify_pack.MOST_TOTAL_BYTES
    assert domain.MOST_PACKED_BYTES <= verify_pack.MOST_PACK_BYTES
    assert packs.MOST_FILE_BYTES <= verify_pack.MOST_FILE_BYTES
    assert not domain.is_too_large(files=1, content_bytes=1, packed_bytes=1)
    assert domain.is_too_large(files=1, content_bytes=domain.MOST_CONTENT_BYTES + 1, packed_bytes=1)
    names = (packs.FORMAT, packs.FORMAT_VERSION, packs.TOKEN_TYPE, packs.CHAIN_FORM, packs.MANIFEST, packs.SIGNATURE)
    of_verifier = verify_pack.FORMAT, verify_pack.FORMAT_VERSION, verify_pack.TOKEN_TYPE, verify_pack.CHAIN_FORM
    assert names == (*of_verifier, verify_pack.MANIFEST, verify_pack.SIGNATURE)


def test_the_version_is_that_of_the_project() -> None:
    assert tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]["version"] == VERSION


# Files


def test_the_zip_reads_as_it_was_written() -> None:
    files = [File("a.txt", b"x" * 100_000), File("b/c.csv", b""), File("d-0001.jsonl", bytes(range(256)))]
    parts = [packs.pack_file(file, NOW) for file in files]
    directory = packs.pack_directory([part.columns for part in parts], NOW)
    content = b"".join(part.packed for part in [*parts, directory])
    assert unpacked(content) == files
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert {info.date_time for info in found.infolist()} == {(2026, 3, 4, 5, 6, 6)}
        assert {info.external_attr >> 16 for info in found.infolist()} == {0o100644}


@pytest.mark.parametrize("entry", chain(6), ids=lambda entry: entry.event.actor_id)
def test_an_entry_in_a_pack_hashes_to_what_it_did_in_the_database(entry: Any) -> None:
    told = json.loads(packs.json_line(tables.AUDIT.shape(row_of(entry), NOW)))
    assert tuple(told) == tables.AUDIT_COLUMNS
    assert verify_pack.hash_entry(told) == entry.hash.hex() == hash_entry(entry).hex()


def test_a_table_comes_as_lines_and_as_csv_in_which_nothing_acts() -> None:
    rows: list[dict[str, Any]] = [
        {"a": "=1+1", "b": None, "c": ["x", "y"], "d": {"z": 1}, "e": NOW},
        {"a": " @SUM(1)", "b": True, "c": [], "d": 1.5, "e": "\t=x"},
    ]
    lines, table = packs.table_files("x/y", 12, ("a", "b", "c", "d", "e"), rows)
    assert (lines.path, table.path, lines.rows, table.rows) == ("x/y-0012.jsonl", "x/y-0012.csv", 2, 2)
    assert [json.loads(line)["a"] for line in lines.content.decode().splitlines()] == ["=1+1", " @SUM(1)"]
    assert list(csv.reader(io.StringIO(table.content.decode()))) == [
        ["a", "b", "c", "d", "e"],
        ["'=1+1", "", "x y", '{"z":1}', "2026-03-04T05:06:07.000000Z"],
        ["' @SUM(1)", "true", "", "1.5", "'\t=x"],
    ]


def member(**changes: Any) -> dict[str, Any]:
    found = dict.fromkeys(tables.MEMBER_COLUMNS) | {"cursor": UUID(int=1), "is_disabled": False, "came_by": "saml"}
    return tables.MEMBERS.shape(found | changes, NOW)


def test_a_member_is_told_with_the_last_use_and_what_deserves_a_look() -> None:
    used = member(last_sign_in_at=NOW - 100 * DAY, last_change_at=NOW - 2 * DAY)
    assert (used["last_used_at"], used["notes"], used["came_by"]) == (NOW - 2 * DAY, [], "saml")
    assert tuple(sorted(used)) == tuple(sorted(tables.MEMBER_COLUMNS))
    assert member()["notes"] == ["no use known"]
    idle = member(is_disabled=True, came_by=None, last_seen_at=NOW - 91 * DAY)
    assert idle["notes"] == ["account switched off", "how they came is not in the audit log", "not used for 90 days"]
    assert idle["came_by"] == "unknown"


def key(**changes: Any) -> dict[str, Any]:
    found = dict.fromkeys(tables.KEY_COLUMNS) | {
        "kind": "dw2",
        "public_id": "abc",
        "maker_role": "admin",
        "last_used_at": NOW,
    }
    return tables.KEYS.shape(found | changes, NOW)


def test_a_key_is_told_without_the_key() -> None:
    live = key(expires_at=NOW + DAY)
    assert (live["prefix"], live["status"], live["notes"]) == ("dw2_abc", "live", [])
    assert tuple(sorted(live)) == tuple(sorted(tables.KEY_COLUMNS))
    assert key(expires_at=NOW)["status"] == "expired"
    assert key(revoked_at=NOW, expires_at=NOW)["status"] == "revoked"
    left = key(last_used_at=None, maker_role=None)
    assert left["notes"] == ["no use known", "never expires", "whoever made it does not belong to the organisation"]
    assert key(revoked_at=NOW, maker_role=None)["notes"] == []


def test_an_invitation_tells_what_became_of_it() -> None:
    found = dict.fromkeys(tables.INVITATION_COLUMNS) | {"expires_at": NOW + DAY}
    shaped = [
        tables.INVITATIONS.shape(found | changes, NOW)["status"]
        for changes in ({}, {"accepted_at": NOW}, {"revoked_at": NOW}, {"expires_at": NOW - DAY})
    ]
    assert shaped == ["open", "accepted", "revoked", "expired"]


def test_how_long_things_took_is_told_in_seconds() -> None:
    item = dict.fromkeys(tables.DRIFT_COLUMNS) | {"first_seen_at": NOW, "fixed_at": NOW + timedelta(minutes=2)}
    assert tables.DRIFT.shape(item, NOW)["seconds_to_fix"] == 120
    assert tables.DRIFT.shape({**item, "fixed_at": None}, NOW)["seconds_to_fix"] is None
    scan = dict.fromkeys(tables.SCAN_COLUMNS) | {"started_at": NOW, "finished_at": NOW + timedelta(seconds=1.5)}
    assert tables.SCANS.shape(scan, NOW)["seconds"] == 1.5
    assert tables.SCANS.shape({**scan, "finished_at": None}, NOW)["seconds"] is None


def test_no_column_of_a_pack_holds_a_secret_or_a_value_of_a_resource() -> None:
    columns = {column for table in vars(tables).values() if isinstance(table, tables.Table) for column in table.columns}
    assert not columns & {
        "secret_hash",
        "token_hash",
        "before",
        "after",
        "credentials_encrypted",
        "attributes",
        "address_from",
    }


def test_the_page_that_is_read_first_names_every_folder_and_quotes_names() -> None:
    facts = {
        "organisation": {"id": str(ORG), "name": "Acme\n=1"}, "window": {"from": "a", "to": "b"}, "built": {"started_at": "c"},
        "issuer": "https://x.example", "keys_url": "https://x.example/keys",
    }  # fmt: skip
    text = tables.read_me(facts)
    assert '"Acme\\n=1"' in text
    for table in (tables.AUDIT, tables.MEMBERS, tables.KEYS, tables.TOKENS, tables.INVITATIONS, tables.SCANS, tables.DRIFT, tables.FIX_TIMES):  # fmt: skip
        assert f"{table.stem}-*" in text
