"""Calls on state sources of every kind: what is taken, what is sealed, what is never shown, and what a refresh says."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from functions.scan.wiring import CREDENTIALS_KEY, source_place
from shared.security.actor import Actor
from tests.support.database import ClonedDatabase
from tests.support.source_function import SourceOrg
from tests.support.state_hosts import PROVIDER, AzureStorage, GoogleStorage, PlainServer, TerraformHost

STATE = json.dumps({"version": 4, "serial": 7, "lineage": "l", "terraform_version": "1.9.8", "resources": []}).encode()
EVENT = Actor("event", "scheduler")
ROLE = "arn:aws:iam::210987654321:role/states"
SAS = "sv=2023-11-03&sp=rl&sig=s%2Fg%3D"
KEY_FILE = json.dumps({
    "type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key": "hunter2" * 20, "private_key_id": "1",
})  # fmt: skip


@pytest.fixture
def org(database: ClonedDatabase) -> SourceOrg:
    return SourceOrg(database)


SEALED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("s3", {"bucket": "states", "object_key": "x"}, {"kind": "static_key", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "hunter2" * 6}, "hunter2"),
    ("gcs", {"bucket": "states", "object_prefix": ""}, {"kind": "service_account_key", "key_json": KEY_FILE}, "hunter2"),
    ("azure_blob", {"storage_account": "acme", "bucket": "tfstate", "object_key": "x"}, {"kind": "sas", "sas_token": SAS}, "s%2Fg%3D"),
    ("azure_blob", {"storage_account": "acme", "bucket": "tfstate", "object_key": "x"}, {"kind": "client_secret", "tenant_id": str(UUID(int=1)), "client_id": str(UUID(int=2)), "client_secret": "the-app-secret"}, "the-app-secret"),
    ("http", {"url": "https://states.acme.org/production"}, {"kind": "basic", "username": "ci", "password": "hunter2"}, "hunter2"),
    ("tfc", {"organization": "acme", "object_prefix": "prod-"}, {"kind": "bearer", "token": "a-team-token"}, "a-team-token"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "place", "auth", "secret"), SEALED, ids=[f"{item[0]}-{item[2]['kind']}" for item in SEALED]
)
def test_credentials_are_sealed_and_never_shown(
    org: SourceOrg, kind: str, place: dict[str, Any], auth: dict[str, Any], secret: str
) -> None:
    made = org.add(kind, **place, auth=auth)
    assert {name: made[name] for name in place} == place
    assert made["auth_kind"] == auth["kind"]
    shown = json.dumps([made, org.done("GET", f"/state-sources/{made['id']}"), org.done("GET", "/state-sources")])
    assert secret not in shown
    assert secret.encode() not in (org.sealed(made["id"]) or b"")
    assert secret in org.opened(made["id"], source_place).reveal().decode()
    logged = org.database.owner.run(
        "select cast(facts as text) from core.audit_log where org_id = :org_id", org_id=org.id
    )
    assert secret not in str(logged)


KEYLESS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("s3", {"bucket": "states", "object_prefix": "live/"}, {"kind": "role", "role_arn": ROLE}),
    ("s3", {"bucket": "states", "object_prefix": "live/"}, {"kind": "account_role", "role_arn": ROLE}),
    ("gcs", {"bucket": "states", "object_key": "x"}, {"kind": "workload_identity", "provider": PROVIDER}),
    ("azure_blob", {"storage_account": "acme", "bucket": "tfstate", "object_key": "x"}, {"kind": "federated", "tenant_id": str(UUID(int=1)), "client_id": str(UUID(int=2))}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "place", "auth"), KEYLESS, ids=[item[2]["kind"] for item in KEYLESS])
def test_without_a_key_there_is_an_external_id_that_no_other_source_has(
    org: SourceOrg, kind: str, place: dict[str, Any], auth: dict[str, Any]
) -> None:
    made, other = (org.add(kind, **place, auth=auth) for _ in range(2))
    assert org.sealed(made["id"]) is None
    assert re.fullmatch(r"dw-[a-z2-7]{32}", made["auth"]["external_id"])
    assert made["auth"]["external_id"] != other["auth"]["external_id"]
    assert made["auth"] == {name: value for name, value in auth.items() if name != "kind"} | {
        "external_id": made["auth"]["external_id"]
    }


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": "s3"}, {"bucket", "object_key"}),
    ({"kind": "s3", "bucket": "states", "object_key": "x", "object_prefix": "y"}, {"object_key"}),
    ({"kind": "s3", "bucket": "states", "object_key": "x", "object_suffix": ".json"}, {"object_suffix"}),
    ({"kind": "s3", "bucket": "states", "object_key": "x", "auth": {"kind": "bearer", "token": "t" * 8}}, {"auth"}),
    ({"kind": "upload", "bucket": "states"}, {"bucket"}),
    ({"kind": "gcs", "bucket": "states", "object_key": "x"}, {"auth"}),
    ({"kind": "gcs", "bucket": "states", "object_key": "x", "auth": {"kind": "service_account_key", "key_json": " " * 100}}, {"auth.key_json"}),
    ({"kind": "azure_blob", "bucket": "tfstate", "object_key": "x", "auth": {"kind": "sas", "sas_token": SAS}}, {"storage_account"}),
    ({"kind": "http", "object_key": "x"}, {"url", "object_key"}),
    ({"kind": "tfc", "object_key": "x", "auth": {"kind": "bearer", "token": "t" * 8}}, {"organization"}),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "wrong"), WRONG)
def test_a_source_that_cannot_work_is_refused_by_its_fields(
    org: SourceOrg, wish: dict[str, Any], wrong: set[str]
) -> None:
    body = {"account_id": org.account_id, "name": "n", **wish}
    told = org.refused("POST", "/state-sources", body, 422, "invalid")
    assert {item["field"] for item in told["errors"]} == wrong
    assert org.done("GET", "/state-sources")["items"] == []


@pytest.mark.parametrize(
    "url",
    ["https://169.254.169.254/x", "http://states.acme.org/", "https://a:b@states.acme.org/", "https://localhost/x"],
)
@pytest.mark.parametrize("kind", ["http", "tfc"])
def test_an_address_that_must_not_be_called_is_refused_at_once(org: SourceOrg, kind: str, url: str) -> None:
    more = {"organization": "acme", "object_key": "x"} if kind == "tfc" else {}
    body = {
        "account_id": org.account_id,
        "kind": kind,
        "name": "n",
        "url": url,
        "auth": {"kind": "bearer", "token": "t" * 8},
    }
    org.refused("POST", "/state-sources", {**body, **more}, 422, "egress_refused")
    assert org.internet.asked == []


def test_a_refresh_fetches_and_then_leaves_alone_what_did_not_change(org: SourceOrg) -> None:
    host = PlainServer()
    host.connect(org.internet)
    host.put("/production", STATE)
    made = org.add(
        "http",
        url="https://states.acme.org/production",
        auth={"kind": "basic", "username": "ci", "password": "hunter2"},
    )
    first = org.done("POST", f"/state-sources/{made['id']}/refresh")
    assert (first["error_code"], first["serial"], first["lineage"], first["terraform_version"]) == (
        None,
        7,
        "l",
        "1.9.8",
    )
    second = org.done("POST", f"/state-sources/{made['id']}/refresh")
    assert (second["error_code"], second["serial"]) == (None, 7)
    assert org.internet.asked[-1].headers["if-none-match"].startswith('"')


def test_a_refresh_of_a_prefix_lists_its_states(org: SourceOrg) -> None:
    host = TerraformHost()
    host.connect(org.internet)
    for name in ("prod-a", "prod-b", "test-a"):
        host.put(name, STATE)
    made = org.add(
        "tfc",
        organization="acme",
        object_prefix="prod-",
        auth={"kind": "bearer", "token": "a-team-token"},
    )
    assert made["url"] == "https://app.terraform.io"
    shown = org.done("POST", f"/state-sources/{made['id']}/refresh")
    assert (shown["error_code"], shown["state_count"]) == (None, 2)
    states = org.done("GET", f"/state-sources/{made['id']}/states")["items"]
    assert {(item["object_key"], item["serial"]) for item in states} == {("prod-a", 7), ("prod-b", 7)}
    one = org.done("POST", f"/state-sources/{states[0]['id']}/refresh")
    assert one["error_code"] is None, "a state under a prefix is signed in to as its source"
    assert org.call("DELETE", f"/state-sources/{states[0]['id']}").status_code == 404, "it belongs to its source"
    assert len(org.done("GET", "/state-sources")["items"]) == 1


def test_new_credentials_take_the_place_of_old_ones(org: SourceOrg) -> None:
    host = TerraformHost(token="a-newer-token")
    host.connect(org.internet)
    host.put("prod", STATE)
    made = org.add("tfc", organization="acme", object_key="prod", auth={"kind": "bearer", "token": "a-team-token"})
    refused = org.done("POST", f"/state-sources/{made['id']}/refresh")
    assert (refused["error_code"], refused["serial"]) == ("state_unreachable", None)
    changed = org.done("PATCH", f"/state-sources/{made['id']}", {"auth": {"kind": "bearer", "token": "a-newer-token"}})
    assert changed["name"] == "tfc"
    assert org.done("POST", f"/state-sources/{made['id']}/refresh")["error_code"] is None
    renamed = org.done("PATCH", f"/state-sources/{made['id']}", {"name": "production"})
    assert renamed["name"] == "production"
    assert org.done("POST", f"/state-sources/{made['id']}/refresh")["error_code"] is None
    body = {"auth": {"kind": "sas", "sas_token": SAS}}
    org.refused("PATCH", f"/state-sources/{made['id']}", body, 422, "invalid")


@pytest.mark.parametrize("kind", ["gcs", "azure_blob"])
def test_a_store_of_objects_is_fetched_by_prefix_with_trust_in_this_source_alone(org: SourceOrg, kind: str) -> None:
    google, azure = GoogleStorage(), AzureStorage()
    host: GoogleStorage | AzureStorage = google if kind == "gcs" else azure
    google.connect(org.internet)
    azure.connect(org.internet)
    host.put("live/a.tfstate", STATE)
    place = {"bucket": "states"} if kind == "gcs" else {"bucket": "tfstate", "storage_account": "acme"}
    auth = {
        "gcs": {"kind": "workload_identity", "provider": PROVIDER},
        "azure_blob": {"kind": "federated", "tenant_id": str(UUID(int=1)), "client_id": str(UUID(int=2))},
    }[kind]
    made, other = (org.add(kind, object_prefix="live/", **place, auth=auth) for _ in range(2))
    host.audience = made["auth"]["external_id"]
    assert made["object_suffix"] == ".tfstate"
    shown = org.done("POST", f"/state-sources/{made['id']}/refresh")
    assert (shown["error_code"], shown["state_count"]) == (None, 1)
    assert org.done("POST", f"/state-sources/{other['id']}/refresh")["error_code"] == "state_unreachable"


def test_credentials_are_wrapped_anew_when_their_key_is_rotated(org: SourceOrg) -> None:
    made = org.add("tfc", organization="acme", object_key="prod", auth={"kind": "bearer", "token": "a-team-token"})
    before = org.sealed(made["id"])
    org.vault.add_wrapping_key(CREDENTIALS_KEY)
    org.deps.resealer.tend(EVENT, seconds=600)
    org.vault.disable_version(CREDENTIALS_KEY, "1")
    assert org.sealed(made["id"]) != before
    assert b"a-team-token" in org.opened(made["id"], source_place).reveal()


def test_another_role_keeps_the_external_id_that_trust_policies_demand(org: SourceOrg) -> None:
    made = org.add("s3", bucket="states", object_key="x", auth={"kind": "role", "role_arn": ROLE})
    other = {"kind": "account_role", "role_arn": f"{ROLE}-of-another-name"}
    changed = org.done("PATCH", f"/state-sources/{made['id']}", {"auth": other})
    assert (changed["auth_kind"], changed["auth"]["role_arn"]) == ("account_role", other["role_arn"])
    assert changed["auth"]["external_id"] == made["auth"]["external_id"]
