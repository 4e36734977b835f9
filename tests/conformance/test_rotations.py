"""Every secret and every key of the suite stands in the runbook that says where it is rotated, with a rehearsal that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from infra.suite import load_suite
from tests.support.runbooks import RUNBOOKS

ROOT = Path(__file__).parents[2]
SUITE = load_suite()
# Resources of Terraform that hold or are a secret or a key, and the lines that stand for them.
OF_TERRAFORM = {
    'google_kms_crypto_key" "attestor"': "attestor",
    'google_kms_crypto_key" "functions"': "token-signing",  # and every other key of the suite
    'google_kms_crypto_key" "services"': "cmek",
    'google_kms_crypto_key" "state"': "cmek",
    'google_secret_manager_secret" "this"': "api-key-pepper",  # and every other secret of the suite
    'google_secret_manager_secret" "url"': "redis-url",
    'google_certificate_manager_certificate" "edge"': "edge-certificate",
    'google_sql_user" "this"': "database-logins",
    'google_iam_workload_identity_pool" "ci"': "ci",
    'google_iam_workload_identity_pool" "driftwise"': "functions",  # a customer's, that trusts the functions' identity
}
_SECRET_RESOURCE = re.compile(
    r'resource "((?:google_kms_crypto_key|google_secret_manager_secret|google_certificate_manager_certificate|google_sql_user'
    r"|google_sql_ssl_cert|google_service_account_key|google_iam_workload_identity_pool|random_password|random_bytes|tls_private_key"
    r'|google_api_keys_key|google_storage_hmac_key)" "[a-z_]+")'
)
NOBODY_REHEARSES = {
    "edge-certificate",
    "operators",
    "redis-url",
}  # done by Google or by people, and not by a program of ours


class Rotation(NamedTuple):
    """One line of the table."""

    what: str
    kind: str
    how: str
    page: str
    rehearsal: str


def rotations() -> dict[str, Rotation]:
    text = (RUNBOOKS / "rotate-everything.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| `")
    ]
    assert {len(row) for row in rows} == {5}
    found = [
        Rotation(what.strip("` "), kind, how, page, rehearsal.strip("| ")) for what, kind, how, page, rehearsal in rows
    ]
    assert len({one.what for one in found}) == len(found), "something stands there twice"
    return {one.what: one for one in found}


FOUND = rotations()


def hashed_credentials() -> set[str]:
    """Return every table that stores the hash of something that somebody holds."""
    found = set()
    for path in (ROOT / "infra" / "migrations").glob("*.sql"):
        for table, body in re.findall(r"create table ([a-z_.]+) \((.*?)\n\);", path.read_text("utf-8"), re.DOTALL):
            if re.search(r"^\s*(?:secret|token|\w*code)_hash\s+bytea", body, re.MULTILINE):
                found.add(table)
    return found


def sealed_columns() -> set[str]:
    """Return every sealed column; tests/conformance/test_sealed_columns.py holds that page to the database."""
    page = (RUNBOOKS / "envelope-key.md").read_text("utf-8")
    return set(re.findall(r"^\s*\| `([a-z_]+\.[a-z_]+\.[a-z_]+)` \|", page, re.MULTILINE))


def test_every_secret_and_key_of_the_suite_has_a_line() -> None:
    assert (set(SUITE.secrets) | set(SUITE.kms_keys)) - FOUND.keys() == set()


def test_every_secret_and_key_of_terraform_has_a_line() -> None:
    found = {
        resource
        for path in (ROOT / "terraform").rglob("*.tf")
        for resource in _SECRET_RESOURCE.findall(path.read_text("utf-8"))
    }
    assert found - OF_TERRAFORM.keys() == set(), "say in OF_TERRAFORM which line is about it"
    assert OF_TERRAFORM.keys() - found == set(), "nothing of this name is left"
    assert set(OF_TERRAFORM.values()) - FOUND.keys() == set()


def test_everything_that_is_stored_sealed_or_hashed_has_a_line() -> None:
    sealed, hashed = sealed_columns(), hashed_credentials()
    assert len(sealed) >= 11
    assert {"core.api_keys", "core.sessions", "core.refresh_tokens", "core.invitations", "scim.tokens"} <= hashed
    assert (sealed | hashed) - FOUND.keys() == set()


def test_a_line_names_a_page_and_a_rehearsal_that_exist() -> None:
    for one in FOUND.values():
        link = re.fullmatch(r"\[[a-z-]+\]\(([a-z/-]+\.md)\)", one.page)
        assert link is not None, one.what
        assert (RUNBOOKS / link[1]).is_file(), one.what
        if one.what in NOBODY_REHEARSES:
            assert one.rehearsal == "-", one.what
        else:
            assert (ROOT / one.rehearsal.strip("`")).is_file(), one.what


def test_what_a_tool_of_ours_rotates_is_rotated_by_it() -> None:
    for name, key in SUITE.kms_keys.items():
        assert FOUND[name].how == f"`python -m infra.rotate.kms_key {key.name}`"
    for name in SUITE.secrets:
        if name != "journey-api-key":
            assert FOUND[name].how.startswith(f"`python -m infra.rotate.secret_version {name}")


def test_who_rotates_by_itself_is_no_vendors_secret() -> None:
    by_itself = {name for function in SUITE.functions.values() for name in function.rotates}
    assert {name for name in by_itself if "--given" in FOUND[name].how} == set()
    assert by_itself == {name for name in SUITE.secrets if FOUND[name].kind == "random secret"}
