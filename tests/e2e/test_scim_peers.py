"""The protocol's own test suites against the running emulator, and a directory's journey across the functions.

`scim2-tester` (through `scim2-cli`) goes through the discovery, every attribute of every schema and all operations; `scim-sanity`
through the life of a user and a group as an identity provider's engineer would.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.running_suite import RunningSuite

BIN = Path(sys.executable).parent
SECONDS = 90
# What scim-sanity asks for and we refuse, each with its reason.
REFUSED = {
    "PATCH /Groups/{id} add member": "it adds a member who does not exist, and wants to hear that it worked; ids of nobody are a 404 here"
}


@dataclass
class Directory:
    """An organisation of its own on the emulator, and the token of its directory."""

    suite: RunningSuite
    org_id: UUID
    base: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/scim+json"}
        content = None if body is None else json.dumps(body)
        url = self.base.removeprefix(self.suite.url) + path
        return self.suite.call(method, url, self.token, content=content, headers=headers)


@pytest.fixture(scope="module")
def directory(emulator: RunningSuite) -> Iterator[Directory]:
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["owner"], json={"name": "Directory"})
    assert made.status_code == 201, made.text
    org_id = UUID(made.json()["id"])
    owner = emulator.owner()
    owner.run("update core.orgs set plan = 'enterprise' where id = :id", id=org_id)
    owner.run(
        "insert into core.sso_domains (org_id, domain, challenge, verified_at) values (:o, 'directory.example', :c, now())",
        o=org_id, c="c" * 16,
    )  # fmt: skip
    emulator.sign_in_anew()
    path = emulator.org("/scim-tokens", org_id)
    token = emulator.call("POST", path, emulator.tokens["owner"], json={"name": "directory"})
    assert token.status_code == 201, token.text
    yield Directory(emulator, org_id, token.json()["scim_endpoint"], token.json()["raw_token"])
    owner.run("update core.orgs set deleted_at = now() where id = :id", id=org_id)
    owner.close()


def run(*arguments: str, **environment: str) -> str:
    """Run a tool of this environment; returns what it says."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    ended = subprocess.run(
        [str(BIN / arguments[0]), *arguments[1:]],
        env={**kept, "NO_COLOR": "1", **environment}, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    return ended.stdout + ended.stderr


def test_scim2_tester_passes_whole(directory: Directory) -> None:
    told = run("scim2", "--url", directory.base, "test", SCIM_CLI_HEADERS=f"Authorization: Bearer {directory.token}")
    results = re.findall(r"^(?:\x1b\[[0-9;]*m)*([A-Z]{4,})\b", told, re.MULTILINE)
    assert set(results) == {"SUCCESS"}, told
    assert len(results) > 120, told


def test_scim_sanity_passes_but_for_what_we_refuse_on_purpose(directory: Directory) -> None:
    told = run("scim-sanity", "probe", directory.base, "--token", directory.token, "--i-accept-side-effects")
    results = re.findall(r"\[(PASS|FAIL|ERROR|WARN)\] (.+)", told)
    assert {name.strip() for verdict, name in results if verdict != "PASS"} == set(REFUSED), told
    assert len(results) >= 28, told


def test_a_person_comes_and_goes_with_the_directory(directory: Directory) -> None:
    suite = directory.suite
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@directory.example",
        "displayName": "Ada", "active": True,
    }  # fmt: skip
    made = directory.call("POST", "/Users", body)
    assert made.status_code == 201, made.text
    members = suite.org("/members", directory.org_id)
    people = {item["email"]: item["role"] for item in suite.call("GET", members, suite.tokens["owner"]).json()["items"]}
    assert people["ada@directory.example"] == "viewer"
    off = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
    }
    assert directory.call("PATCH", f"/Users/{made.json()['id']}", off).json()["active"] is False
    left = {item["email"] for item in suite.call("GET", members, suite.tokens["owner"]).json()["items"]}
    assert "ada@directory.example" not in left
    log = suite.call("GET", suite.org("/audit-log?action=scim:member:removed", directory.org_id), suite.tokens["owner"])
    assert len(log.json()["items"]) == 1


def test_the_gateways_own_answers_speak_scim_below_its_root(directory: Directory) -> None:
    for method, path, status in (("GET", "/Nope", 404), ("DELETE", "/Users", 405)):
        answer = directory.call(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/scim+json")
        assert answer.json()["status"] == str(status)
