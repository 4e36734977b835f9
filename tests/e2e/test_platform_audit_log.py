"""The platform's audit log over HTTP: what belongs to no organisation, for platform admins to list, filter and verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.support.running_suite import RunningSuite, problem

from .test_sign_in import Browser

PERSON = "viewer@acme.example"
LOG = "/api/v2/admin/audit-log"


@pytest.fixture
def linked(emulator: RunningSuite) -> str:
    """Somebody signs in for the first time, which the platform's log tells; returns their user id."""
    with closing(emulator.owner()) as connection:
        ((user_id,),) = connection.run("select id from core.users where email = :email", email=PERSON)
        connection.run("delete from core.user_identities where user_id = :user_id", user_id=user_id)
    Browser(emulator).sign_in(PERSON)
    return str(user_id)


def read(suite: RunningSuite, path: str = "", **params: str) -> dict[str, Any]:
    answer = suite.call("GET", LOG + path, suite.tokens["platform_admin"], params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def tampered(suite: RunningSuite, seq: int) -> Iterator[None]:
    """Change one entry as only the database's owner can, and change it back."""
    sql = "update core.platform_audit_log set actor_id = actor_id || :added where seq = :seq"
    back = "update core.platform_audit_log set actor_id = left(actor_id, -1) where seq = :seq"
    with closing(suite.owner()) as connection:
        connection.run("alter table core.platform_audit_log disable trigger platform_audit_log_rows")
        try:
            connection.run(sql, added="!", seq=seq)
            yield
            connection.run(back, seq=seq)
        finally:
            connection.run("alter table core.platform_audit_log enable always trigger platform_audit_log_rows")


def test_what_belongs_to_no_organisation_is_listed_newest_first(emulator: RunningSuite, linked: str) -> None:
    found = read(emulator, limit="2")["items"]
    newest = found[0]
    assert (newest["action"], newest["target_kind"], newest["target_id"]) == ("auth:identity:linked", "user", linked)
    assert newest["facts"]["issuer"].startswith("http")
    assert len(newest["hash"]) == 64
    numbers = [entry["seq"] for entry in found]
    assert numbers == sorted(numbers, reverse=True)


def test_entries_are_found_and_pages_follow_each_other(emulator: RunningSuite, linked: str) -> None:
    assert read(emulator, target=linked, action="auth:identity:")["items"][0]["target_id"] == linked
    assert read(emulator, target=linked, action="auth:org:created")["items"] == []
    newest = read(emulator, limit="1")
    head = newest["items"][0]
    assert read(emulator, **{"from": head["at"]})["items"][0]["seq"] == head["seq"]
    assert all(entry["seq"] < head["seq"] for entry in read(emulator, to=head["at"])["items"])
    if newest["next_cursor"]:
        following = read(emulator, limit="1", cursor=newest["next_cursor"])["items"]
        assert [entry["seq"] for entry in following] == [head["seq"] - 1]


def test_the_platforms_chain_is_verified_against_its_anchors(emulator: RunningSuite, linked: str) -> None:
    emulator.tick("audit-anchors")
    newest = read(emulator, limit="1")["items"][0]
    assert newest["target_id"] == linked
    found = read(emulator, "/verify", expected_min_seq=str(newest["seq"]))
    assert found["ok"], found
    assert (found["head_seq"], found["head_hash"]) == (newest["seq"], newest["hash"])
    assert found["entries"] == newest["seq"]
    assert found["anchors"] >= 1
    short = read(emulator, "/verify", expected_min_seq=str(newest["seq"] + 1))
    assert short["problem"] == {"seq": newest["seq"] + 1, "kind": "truncated"}


def test_what_somebody_changed_in_the_database_is_told(emulator: RunningSuite, linked: str) -> None:
    seq = read(emulator, target=linked)["items"][0]["seq"]
    with tampered(emulator, seq):
        assert read(emulator, "/verify")["problem"] == {"seq": seq, "kind": "altered"}
    assert read(emulator, "/verify")["ok"]


@pytest.mark.parametrize("path", ["", "/verify"])
def test_nobody_but_platform_admins_reads_the_log(emulator: RunningSuite, path: str) -> None:
    for token in (*(emulator.tokens[role] for role in ("owner", "admin", "viewer")), *emulator.api_keys.values()):
        problem(emulator.call("GET", LOG + path, token), 403, "platform_admin_required")
