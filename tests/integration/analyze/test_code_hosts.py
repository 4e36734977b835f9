"""Connections to code hosts: made, shown without their credentials, changed, removed; what cannot work is refused at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from functions.analyze.code_hosts.connecting import Credentials
from functions.analyze.wiring import CODE_HOST_CREDENTIALS, code_host_place
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.code_hosts import GITLAB_TOKEN, KEY, PRIVATE_KEY

GITHUB: dict[str, Any] = {
    "kind": "github", "name": "ours", "owner": "Shop", "app_id": 1234, "installation_id": 42, "private_key": PRIVATE_KEY,
    "url": "https://8.8.8.8",
}  # fmt: skip
GITLAB: dict[str, Any] = {
    "kind": "gitlab", "name": "theirs", "owner": "shop/team", "token": GITLAB_TOKEN, "url": "https://8.8.4.4/",
}  # fmt: skip


def make(org: AnalyzeOrg, wish: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = org.done("POST", "/code-hosts", wish, 201, role="admin")
    return found


def opened(org: AnalyzeOrg, host_id: str) -> Credentials:
    """Open what was sealed."""
    [[sealed, row_id]] = org.function.database.owner.run(
        "select credentials_encrypted, id from analysis.code_hosts where id = cast(:id as uuid)", id=host_id
    )
    return Credentials.of_sealed(org.function.deps.envelope.open(bytes(sealed), code_host_place(org.id, row_id)))


def test_a_connection_is_made_shown_and_removed(org: AnalyzeOrg) -> None:
    made = make(org, GITHUB)
    assert (made["owner"], made["url"], made["app_id"], made["has_check_run"]) == (
        "shop",
        "https://8.8.8.8",
        1234,
        True,
    )
    assert (made["last_used_at"], made["last_error_code"], made["disabled_at"]) == (None, None, None)
    assert org.done("GET", f"/code-hosts/{made['id']}", role="admin") == made
    other = make(org, GITLAB)
    assert (other["url"], other["app_id"]) == ("https://8.8.4.4", None)
    assert [item["id"] for item in org.done("GET", "/code-hosts", role="admin")["items"]] == [other["id"], made["id"]]
    org.done("DELETE", f"/code-hosts/{made['id']}", status=204, role="admin")
    org.refused("GET", f"/code-hosts/{made['id']}", None, 404, "not_found", role="admin")
    assert [action for action, _ in org.audits()] == [
        "analyze:code_host:created", "analyze:code_host:created", "analyze:code_host:deleted",
    ]  # fmt: skip


def test_credentials_go_in_and_never_come_out(org: AnalyzeOrg) -> None:
    made = make(org, GITHUB)
    shown = json.dumps([made, org.done("GET", "/code-hosts", role="admin"), org.audits()])
    assert "PRIVATE KEY" not in shown
    assert PRIVATE_KEY.splitlines()[1] not in shown
    found = opened(org, made["id"])
    assert (found.api, found.app_id, found.installation_id) == ("https://8.8.8.8/api/v3", 1234, 42)
    assert found.secret.reveal().decode() == PRIVATE_KEY
    assert PRIVATE_KEY.splitlines()[1] not in repr(found)
    [[sealed]] = org.function.database.owner.run("select credentials_encrypted from analysis.code_hosts")
    assert PRIVATE_KEY.splitlines()[1].encode() not in bytes(sealed)


def test_a_change_keeps_what_it_does_not_name(org: AnalyzeOrg) -> None:
    made = make(org, {**GITHUB, "fail_on": "high"})
    path = f"/code-hosts/{made['id']}"
    found = org.done("PATCH", path, {"name": "new", "comments_on_closed": True}, role="admin")
    assert (found["name"], found["comments_on_closed"], found["fail_on"]) == ("new", True, "high")
    assert org.done("PATCH", path, {"fail_on": None}, role="admin")["fail_on"] is None
    assert org.done("PATCH", path, {"is_disabled": True}, role="admin")["disabled_at"] is not None
    assert org.done("PATCH", path, {"is_disabled": False}, role="admin")["disabled_at"] is None
    assert opened(org, made["id"]).secret.reveal().decode() == PRIVATE_KEY


def test_a_new_credential_takes_the_place_of_the_present_one_and_leads_to_the_same_host(org: AnalyzeOrg) -> None:
    made = make(org, GITLAB)
    path = f"/code-hosts/{made['id']}"
    org.done("PATCH", path, {"token": "glpat-another-0123456789"}, role="admin")
    found = opened(org, made["id"])
    assert (found.secret.reveal(), found.api) == (b"glpat-another-0123456789", "https://8.8.4.4/api/v4")
    org.refused("PATCH", path, {"private_key": PRIVATE_KEY}, 422, "credential_not_taken", role="admin")
    org.refused("PATCH", path, {"url": "https://evil.example"}, 422, "invalid", role="admin")


def pem(key: Any, password: bytes = b"") -> str:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode())


@pytest.mark.parametrize(
    "key",
    [
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505  # what must be refused
        pem(KEY, b"secret"),
        PRIVATE_KEY.replace("RSA PRIVATE", "OPENSSH PRIVATE"),
        "x" * 200,
    ],
    ids=["another kind", "too short", "a pass phrase", "another form", "no key"],
)
def test_a_private_key_that_cannot_sign_for_an_app_is_refused(org: AnalyzeOrg, key: str) -> None:
    found = org.refused(
        "POST", "/code-hosts", {**GITHUB, "private_key": key}, 422, "private_key_unusable", role="admin"
    )
    assert key[40:80] not in json.dumps(found)


@pytest.mark.parametrize(
    "change",
    [
        {"app_id": None}, {"installation_id": None}, {"private_key": None}, {"token": GITLAB_TOKEN}, {"kind": "gitlab"}, {"kind": "gitea"},
        {"owner": "a b"}, {"owner": "../x"}, {"owner": ""}, {"owner": "/x"}, {"url": "ftp://x.example"}, {"url": "https://u@x.example"},
        {"url": "https://x.example?y"}, {"app_id": 0}, {"app_id": "1' or '1"}, {"fail_on": "none"}, {"nonsense": 1}, {"name": ""},
    ],
)  # fmt: skip
def test_what_makes_no_connection_is_refused(org: AnalyzeOrg, change: dict[str, Any]) -> None:
    org.refused("POST", "/code-hosts", {**GITHUB, **change}, 422, "invalid", role="admin")


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1", "https://10.0.0.1", "https://169.254.169.254", "http://8.8.8.8", "https://8.8.8.8:8443"],
)
def test_a_host_that_must_not_be_called_is_refused(org: AnalyzeOrg, url: str) -> None:
    org.refused("POST", "/code-hosts", {**GITLAB, "url": url}, 422, "egress_refused", role="admin")


def test_one_owner_has_one_connection_at_a_host(org: AnalyzeOrg) -> None:
    make(org, GITLAB)
    same = {**GITLAB, "owner": "SHOP/Team", "url": "https://8.8.4.4"}
    org.refused("POST", "/code-hosts", same, 409, "code_host_exists", role="admin")
    make(org, {**GITLAB, "owner": "shop"})


def test_there_is_an_end_to_connections(org: AnalyzeOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.analyze.handlers.code_hosts.MOST_HOSTS", 1)
    make(org, GITLAB)
    org.refused("POST", "/code-hosts", {**GITLAB, "owner": "other"}, 409, "too_many_code_hosts", role="admin")


def test_only_admins_see_and_change_connections(org: AnalyzeOrg) -> None:
    made = make(org, GITLAB)
    for method, path, body in (
        ("GET", "/code-hosts", None), ("POST", "/code-hosts", GITLAB), ("GET", f"/code-hosts/{made['id']}", None),
        ("PATCH", f"/code-hosts/{made['id']}", {"name": "x"}), ("DELETE", f"/code-hosts/{made['id']}", None),
    ):  # fmt: skip
        org.refused(method, path, body, 403, "role_required", role="member")


def test_the_connections_of_others_are_not_there(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    made = make(AnalyzeOrg.make(function), GITLAB)
    org.refused("GET", f"/code-hosts/{made['id']}", None, 404, "not_found", role="admin")
    org.refused("PATCH", f"/code-hosts/{made['id']}", {"name": "x"}, 404, "not_found", role="admin")
    org.refused("DELETE", f"/code-hosts/{made['id']}", None, 404, "not_found", role="admin")
    assert org.done("GET", "/code-hosts", role="admin")["items"] == []


def test_credentials_are_sealed_anew_when_their_key_is_rotated(function: AnalyzeFunction, org: AnalyzeOrg) -> None:
    made = make(org, GITLAB)
    function.vault.add_wrapping_key("model-credentials")
    found = function.tick("analyze-sealed-columns")
    assert (found["changed"], found["unreadable"]) == (1, 0)
    [[version]] = function.database.owner.run(f"select credentials_key_version from {CODE_HOST_CREDENTIALS.table}")
    assert version == 2
    assert opened(org, made["id"]).secret.reveal().decode() == GITLAB_TOKEN
