"""States on their way in: what is taken, what is refused and why, and sources that fetch by themselves."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.running_suite import RunningSuite, problem
from tests.support.scanning import ACCOUNT, STATIC_KEY, Estate, Org

MIB = 1024 * 1024
BUCKET, KEY = "terraform-states", "production/terraform.tfstate"


@pytest.fixture(scope="module")
def estate(emulator: RunningSuite) -> Estate:
    found = Estate(emulator, "network")
    found.build()
    s3 = found.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=found.state())
    s3.put_object(Bucket=BUCKET, Key="old.tfstate", Body=found.state(version=3))
    return found


@pytest.fixture
def org(estate: Estate) -> Iterator[Org]:
    yield Org.make(estate)
    estate.end_faults()


@pytest.fixture
def source(org: Org) -> str:
    return org.add_source(org.connect())


BAD: list[tuple[str, bytes, str, str]] = [
    ("empty", b"", "state_unreadable", "empty"),
    ("only-a-mark", b"\xef\xbb\xbf\n", "state_unreadable", "empty"),
    ("not-json", b"version = 4", "state_unreadable", "not JSON"),
    ("cut-off", b'{"version": 4, "resources": [', "state_unreadable", "not JSON"),
    ("compressed", gzip.compress(b'{"version": 4}'), "state_unreadable", "not UTF-8"),
    ("a-list", b"[]", "state_unreadable", "object"),
    ("no-version", b"{}", "state_unreadable", "no `version`"),
    ("shown", b'{"format_version": "1.0", "values": {}}', "state_unreadable", "terraform show -json"),
    ("version-3", b'{"version": 3, "serial": 1, "modules": []}', "state_version_unsupported", "version 4"),
    ("version-5", b'{"version": 5}', "state_version_unsupported", "version 4"),
    ("encrypted", b'{"serial": 1, "encrypted_data": "AAAA", "meta": {}}', "state_encrypted", "OpenTofu"),
    ("nul", b'{"version": 4, "serial": 1, "lineage": "\\u0000", "resources": []}', "state_unreadable", "NUL"),
    ("huge-serial", b'{"version": 4, "serial": 1' + b"0" * 30 + b', "resources": []}', "state_unreadable", "serial"),
    ("not-a-number", b'{"version": 4, "serial": NaN, "resources": []}', "state_unreadable", "NaN"),
    ("deep", b'{"version": 4, "resources": ' + b"[" * 5000 + b"]" * 5000 + b"}", "state_unreadable", "nested"),
]


@pytest.mark.parametrize(("content", "code", "says"), [item[1:] for item in BAD], ids=[item[0] for item in BAD])
def test_a_state_that_cannot_be_read_is_refused_and_changes_nothing(
    org: Org, source: str, content: bytes, code: str, says: str
) -> None:
    assert org.upload(source, org.estate.state()).status_code == 200
    before = org.send("GET", f"/state-sources/{source}")
    assert says in problem(org.upload(source, content), 422, code)["detail"]
    assert org.send("GET", f"/state-sources/{source}") == before


def test_where_the_json_breaks_is_said(org: Org, source: str) -> None:
    told = problem(org.upload(source, b'{\n "version" 4}'), 422, "state_unreadable")
    assert (told["line"], told["column"]) == (2, 12)


def test_a_state_that_powershell_wrote_is_taken(org: Org, source: str) -> None:
    reply = org.upload(source, org.estate.state().decode().encode("utf-16"))
    assert reply.status_code == 200, reply.text
    assert reply.json()["resource_count"] > 0


def test_an_older_state_is_refused_unless_it_is_forced(org: Org, source: str) -> None:
    assert org.upload(source, org.estate.state(serial=9)).json()["serial"] == 9
    assert org.upload(source, org.estate.state(serial=9)).status_code == 200
    told = problem(org.upload(source, org.estate.state(serial=8)), 409, "state_older")
    assert (told["known_serial"], told["serial"]) == (9, 8)
    problem(org.upload(source, org.estate.state(serial=10, lineage="another")), 409, "state_older")
    assert org.upload(source, org.estate.state(serial=8), "?force=true").json()["serial"] == 8


def test_a_state_for_a_source_that_fetches_is_refused(org: Org) -> None:
    source = org.add_source(org.connect(), "s3", bucket=BUCKET, object_key=KEY)
    problem(org.upload(source, org.estate.state()), 409, "source_not_uploadable")


def test_a_source_of_another_organisation_does_not_exist(org: Org, source: str) -> None:
    stranger = Org.make(org.estate)
    problem(stranger.upload(source, org.estate.state()), 404, "not_found")


# --- Too large --------------------------------------------------------------------------------------------------------


def _megabytes(number: int) -> Iterator[bytes]:
    """Yield a body piece by piece, so that its length is not announced."""
    for _ in range(number):
        yield b" " * MIB


def _peak_bytes(leader: int) -> int:
    """Return the most memory that the workers of a process ever held."""
    family = [psutil.Process(leader), *psutil.Process(leader).children(recursive=True)]
    lines = [line for process in family for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_hundred_megabytes_are_refused_and_never_held(org: Org, source: str) -> None:
    leader = org.estate.process_id("scan")
    before = _peak_bytes(leader)
    worker = f"http://127.0.0.1:{org.estate.suite.processes['scan']}"
    path = org.estate.suite.org(f"/state-sources/{source}/state", org.id)
    headers = {"Authorization": f"Bearer {org.estate.suite.tokens['owner']}"}
    for base in (org.estate.suite.url, worker):
        for body in (b" " * (100 * MIB), _megabytes(100)):
            try:
                reply = httpx.put(base + path, content=body, headers=headers, timeout=60, trust_env=False)
            except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
                continue  # the server hung up while the body was still under way, which is what it is for
            assert reply.status_code == 413, reply.text
            assert reply.json()["code"] == "body_too_large"
    assert _peak_bytes(leader) - before < 80 * MIB


def test_a_state_just_over_the_cap_is_refused_with_the_cap(org: Org, source: str) -> None:
    told = problem(org.upload(source, b" " * (32 * MIB + 1)), 413, "body_too_large")
    assert told["limit_bytes"] == 32 * MIB


def test_more_values_than_memory_holds_are_refused(org: Org, source: str) -> None:
    content = b'{"version": 4, "serial": 1, "resources": [' + b"{}," * 2_500_000 + b"{}]}"
    assert problem(org.upload(source, content), 413, "state_too_large")["limit_values"] > 0


# --- Sources that fetch -----------------------------------------------------------------------------------------------


def test_a_state_in_a_bucket_is_fetched_on_demand_and_with_each_scan(org: Org) -> None:
    account = org.connect()
    source = org.add_source(account, "s3", bucket=BUCKET, object_key=KEY)
    shown = org.send("POST", f"/state-sources/{source}/refresh")
    assert shown["error_code"] is None
    assert shown["resource_count"] > 0
    scan = org.scan(account)
    assert org.findings(scan["id"]) == {("unmanaged", BUCKET, "")}
    assert scan["summary"]["in_sync"] == scan["summary"]["compared"] > 0
    assert org.send("GET", f"/state-sources/{source}")["fetched_at"] > shown["fetched_at"]


def test_a_scan_fetches_a_state_that_was_never_fetched(org: Org) -> None:
    account = org.connect()
    org.add_source(account, "s3", bucket=BUCKET, object_key=KEY)
    assert org.findings(org.scan(account)["id"]) == {("unmanaged", BUCKET, "")}


def test_every_state_under_a_prefix_is_fetched_with_the_scan_and_a_bad_one_spoils_no_other(org: Org) -> None:
    account, s3 = org.connect(), org.estate.client("s3")
    for name, content in (
        ("network.tfstate", org.estate.state()), ("broken.tfstate", b"{"), ("network.tfstate.tflock", b"{}"),
    ):  # fmt: skip
        s3.put_object(Bucket=BUCKET, Key=f"many/{name}", Body=content)
    source = org.add_source(account, "s3", bucket=BUCKET, object_prefix="many/")
    scan = org.scan(account)
    assert org.findings(scan["id"]) == {("unmanaged", BUCKET, "")}
    shown = org.send("GET", f"/state-sources/{source}")
    assert (shown["state_count"], shown["error_code"]) == (2, "states_incomplete")
    states = org.send("GET", f"/state-sources/{source}/states")["items"]
    assert {item["object_key"]: item["error_code"] for item in states} == {
        "many/network.tfstate": None, "many/broken.tfstate": "state_unreadable",
    }  # fmt: skip


def _is_shown_as_failed(shown: dict[str, Any], code: str, *words: str) -> None:
    assert shown["error_code"] == code
    assert all(word in shown["error_detail"] for word in words), shown["error_detail"]


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ({"bucket": "no-such-bucket", "object_key": KEY}, "state_unreachable", ("NoSuchBucket",)),
        ({"bucket": BUCKET, "object_key": "no/such/key"}, "state_unreachable", ("NoSuchKey",)),
        ({"bucket": BUCKET, "object_key": "old.tfstate"}, "state_version_unsupported", ("version 4",)),
    ],
)
def test_a_state_that_cannot_be_had_shows_on_its_source_and_stops_nothing(
    org: Org, place: dict[str, str], code: str, words: tuple[str, ...]
) -> None:
    account = org.connect()
    assert org.upload(org.add_source(account), org.estate.state()).status_code == 200
    source = org.add_source(account, "s3", **place)
    shown = org.send("POST", f"/state-sources/{source}/refresh")
    _is_shown_as_failed(shown, code, *words)
    assert "s3:GetObject" not in shown["error_detail"], "no permission is missing"
    scan = org.scan(account)
    assert ("unmanaged", BUCKET, "") in org.findings(scan["id"])
    assert scan["summary"]["in_sync"] == scan["summary"]["compared"] > 0
    _is_shown_as_failed(org.send("GET", f"/state-sources/{source}"), code, *words)


def test_a_denied_state_names_the_permission_and_keeps_what_was_known(org: Org) -> None:
    account = org.connect()
    source = org.add_source(account, "s3", bucket=BUCKET, object_key=KEY)
    known = org.send("POST", f"/state-sources/{source}/refresh")
    with org.estate.fault("s3", "GetObject", "deny"):
        shown = org.send("POST", f"/state-sources/{source}/refresh")
        _is_shown_as_failed(shown, "state_unreachable", "AccessDenied", "s3:GetObject")
        assert {name: shown[name] for name in ("serial", "lineage", "resource_count", "fetched_at")} == {
            name: known[name] for name in ("serial", "lineage", "resource_count", "fetched_at")
        }
        scan = org.scan(account)
    assert org.findings(scan["id"]) == {("unmanaged", BUCKET, "")}
    assert org.send("POST", f"/state-sources/{source}/refresh")["error_code"] is None


# --- Accounts and plans -----------------------------------------------------------------------------------------------


def test_a_role_is_assumed_with_an_external_id_that_was_chosen_for_it(org: Org) -> None:
    role = {"kind": "role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/driftwise"}
    account = org.connect(role)
    shown = org.send("GET", f"/cloud-accounts/{account}")
    assert (shown["auth_kind"], shown["role_arn"]) == ("role", role["role_arn"])
    assert shown["external_id"].startswith("dw-")
    assert len(shown["external_id"]) >= 30
    assert org.upload(org.add_source(account), org.estate.state()).status_code == 200
    assert org.findings(org.scan(account)["id"]) == {("unmanaged", BUCKET, "")}
    other = Org.make(org.estate)
    assert other.send("GET", f"/cloud-accounts/{other.connect(role)}")["external_id"] != shown["external_id"]


def test_a_role_that_may_not_be_assumed_leaves_everything_unknown(org: Org) -> None:
    account = org.connect({"kind": "role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/driftwise"})
    assert org.upload(org.add_source(account), org.estate.state()).status_code == 200
    with org.estate.fault("sts", "AssumeRole", "deny"):
        scan = org.scan(account)
    assert org.findings(scan["id"]) == set()
    assert {gap["permission"] for gap in org.coverage(scan["id"])["not_checked"]} == {"sts:AssumeRole"}


def test_credentials_are_never_shown(org: Org) -> None:
    account = org.connect()
    shown = org.call("GET", f"/cloud-accounts/{account}").text + org.call("GET", "/cloud-accounts").text
    assert STATIC_KEY["secret_access_key"] not in shown
    assert STATIC_KEY["access_key_id"] not in shown


def test_the_free_plan_has_one_account_and_one_source(estate: Estate) -> None:
    org = Org.make(estate, plan="free")
    account = org.connect()
    wish = {"provider": "aws", "name": "Second", "external_account": "210987654321", "auth": STATIC_KEY}
    told = problem(org.call("POST", "/cloud-accounts", json=wish), 402, "account_limit_reached")
    assert (told["required_plan"], told["used"], told["cap"]) == ("team", 1, 1)
    org.add_source(account)
    second = {"account_id": account, "kind": "upload", "name": "second"}
    told = problem(org.call("POST", "/state-sources", json=second), 402, "source_limit_reached")
    assert (told["required_plan"], told["used"], told["cap"]) == ("team", 1, 1)


def test_the_same_account_is_connected_once(org: Org) -> None:
    org.connect()
    wish = {"provider": "aws", "name": "Again", "external_account": ACCOUNT, "auth": STATIC_KEY}
    problem(org.call("POST", "/cloud-accounts", json=wish), 409, "account_exists")
