"""An API key's life: made, shown once, listed, used, revoked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.running_suite import RunningSuite, problem
from tests.support.waiting import wait_until


@dataclass
class Org:
    """An organisation of the test's own, with the seeded people in their roles."""

    suite: RunningSuite
    id: UUID

    def make_key(self, role: str = "owner", headers: dict[str, str] | None = None, **wish: Any) -> httpx.Response:
        body = {"name": "ci", "scopes": ["read"]} | wish
        path = self.suite.org("/api-keys", self.id)
        sent = {"Content-Type": "application/json"} | (headers or {})
        return self.suite.call("POST", path, self.suite.tokens[role], content=json.dumps(body), headers=sent)

    def key(self, *scopes: str, role: str = "owner") -> dict[str, Any]:
        response = self.make_key(role, scopes=list(scopes))
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def keys(self, token: str, query: str = "") -> httpx.Response:
        return self.suite.call("GET", self.suite.org(f"/api-keys{query}", self.id), token)

    def revoke(self, key_id: str, token: str | None = None) -> httpx.Response:
        return self.suite.call(
            "DELETE", self.suite.org(f"/api-keys/{key_id}", self.id), token or self.suite.tokens["owner"]
        )

    def rotate(self, key_id: str, **wish: Any) -> httpx.Response:
        path = self.suite.org(f"/api-keys/{key_id}/rotate", self.id)
        return self.suite.call("POST", path, self.suite.tokens["owner"], json=wish)

    def within_five_seconds(self, ask: Callable[[], httpx.Response], status: int, what: str) -> None:
        """Wait for the end of what other processes may remember of a key."""
        wait_until(lambda: ask().status_code == status, what, timeout_seconds=5.0)

    def execute(self, sql: str, **values: object) -> None:
        connection = self.suite.owner()
        try:
            connection.run(sql, **values)
        finally:
            connection.close()


@pytest.fixture
def org(emulator: RunningSuite) -> Iterator[Org]:
    """An enterprise organisation, gone after the test."""
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["owner"], json={"name": "Journey"})
    assert made.status_code == 201, made.text
    found = Org(emulator, UUID(made.json()["id"]))
    found.execute("update core.orgs set plan = 'enterprise' where id = :org_id", org_id=found.id)
    found.execute(
        "insert into core.members (org_id, user_id, role) select :org_id, user_id, role from core.members "
        "where org_id = :seeded and role <> 'owner'",
        org_id=found.id,
        seeded=emulator.org_id,
    )
    yield found
    found.execute("update core.orgs set deleted_at = now() where id = :org_id", org_id=found.id)


def test_a_key_is_shown_once_used_and_revoked(org: Org, emulator: RunningSuite) -> None:
    made = org.key("read")
    raw = made["raw_key"]
    assert raw.startswith(made["prefix"])
    assert made["scopes"] == ["read"]
    for shown in (
        org.keys(emulator.tokens["viewer"]),
        emulator.call("GET", emulator.org(f"/api-keys/{made['id']}", org.id), raw),
    ):
        assert shown.status_code == 200, shown.text
        assert raw not in shown.text
        assert "raw_key" not in shown.text
        assert "hash" not in shown.text
    assert emulator.call("GET", "/api/v2/me", raw).json()["kind"] == "key"
    assert org.revoke(made["id"]).status_code == 204
    problem(org.keys(raw), 401, "unauthenticated")
    problem(emulator.call("GET", emulator.org("/scans", org.id), raw), 401, "unauthenticated")
    assert problem(org.revoke(made["id"]), 409, "key_revoked")["revoked_at"]
    listed = org.keys(emulator.tokens["viewer"]).json()["items"]
    assert [bool(item["revoked_at"]) for item in listed] == [True]


def test_a_key_works_in_either_header(org: Org, emulator: RunningSuite) -> None:
    raw = org.key("read")["raw_key"]
    assert emulator.call("GET", emulator.org("/api-keys", org.id), headers={"X-Api-Key": raw}).status_code == 200


def test_scopes_and_roles_hold(org: Org, emulator: RunningSuite) -> None:
    read, write, admin = (org.key(scope)["raw_key"] for scope in ("read", "write", "admin"))
    new_source = {"account_id": str(uuid4()), "kind": "upload", "name": "x"}
    found = problem(
        emulator.call("POST", emulator.org("/state-sources", org.id), read, json=new_source), 403, "scope_required"
    )
    assert (found["required_scope"], found["scopes"]) == ("admin", ["read"])
    problem(
        emulator.call("POST", emulator.org("/scans", org.id), read, json={"account_id": str(uuid4())}),
        403,
        "scope_required",
    )
    problem(
        emulator.call("POST", emulator.org("/scans", org.id), write, json={"account_id": str(uuid4())}),
        404,
        "not_found",
    )
    for key in (read, write, admin):
        body = {"name": "x", "scopes": ["read"]}
        problem(emulator.call("POST", emulator.org("/api-keys", org.id), key, json=body), 403, "human_required")
        problem(org.revoke(str(uuid4()), key), 403, "human_required")
    for role in ("viewer", "member"):
        assert problem(org.make_key(role), 403, "role_required")["required_role"] == "admin"
    assert org.make_key("admin", scopes=["admin", "read", "admin"]).json()["scopes"] == ["read", "admin"]


def test_a_key_of_a_demoted_maker_loses_power_and_of_a_removed_one_its_life(org: Org, emulator: RunningSuite) -> None:
    raw = org.key("admin", role="admin")["raw_key"]
    start = {"account_id": str(uuid4())}
    problem(emulator.call("POST", emulator.org("/scans", org.id), raw, json=start), 404, "not_found")
    admin = "(select user_id from core.members where org_id = :seeded and role = 'admin')"
    org.execute(
        f"update core.members set role = 'viewer' where org_id = :org_id and user_id = {admin}",
        org_id=org.id,
        seeded=emulator.org_id,
    )
    org.within_five_seconds(
        lambda: emulator.call("POST", emulator.org("/scans", org.id), raw, json=start), 403, "the scope is still there"
    )
    assert org.keys(raw).status_code == 200
    org.execute(
        f"delete from core.members where org_id = :org_id and user_id = {admin}", org_id=org.id, seeded=emulator.org_id
    )
    org.within_five_seconds(lambda: org.keys(raw), 401, "the key outlives its maker")


def test_a_revoked_key_is_refused_by_every_function_within_five_seconds(org: Org, emulator: RunningSuite) -> None:
    """Each function is a process with a memory of its own; all of them have just seen the key alive."""
    made = org.key("read")
    calls = {
        "keys": emulator.org("/api-keys", org.id),
        "auth": "/api/v2/me",
        "scan": emulator.org("/scans", org.id),
    }
    alive = {name: emulator.call("GET", path, made["raw_key"]).status_code for name, path in calls.items()}
    assert alive == dict.fromkeys(calls, 200)
    assert org.revoke(made["id"]).status_code == 204
    started, ended = time.monotonic(), dict[str, float]()
    problem(
        emulator.call("GET", calls["keys"], made["raw_key"]), 401, "unauthenticated"
    )  # where it was revoked: at once

    def is_refused_everywhere() -> bool:
        for name in calls.keys() - ended.keys():
            if emulator.call("GET", calls[name], made["raw_key"]).status_code == 401:
                ended[name] = time.monotonic() - started
        return ended.keys() == calls.keys()

    wait_until(is_refused_everywhere, "a revoked key still opens a function", timeout_seconds=5.0)
    print("refused after", ", ".join(f"{name} {seconds:.2f} s" for name, seconds in sorted(ended.items())))


def test_a_key_is_rotated_without_a_gap(org: Org, emulator: RunningSuite) -> None:
    old = org.key("read")
    answer = org.rotate(old["id"])
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert new["replaces_id"] == old["id"]
    for raw in (old["raw_key"], new["raw_key"]):
        assert org.keys(raw).status_code == 200
    left = datetime.fromisoformat(org_key(org, old["id"])["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24), "the grace is not a day when nothing is said"
    assert org.revoke(old["id"]).status_code == 204
    assert org.rotate(new["id"], grace_seconds=0).status_code == 201
    problem(org.keys(new["raw_key"]), 401, "unauthenticated")


def test_only_people_who_may_make_keys_rotate_them(org: Org, emulator: RunningSuite) -> None:
    made = org.key("admin")
    path = emulator.org(f"/api-keys/{made['id']}/rotate", org.id)
    problem(emulator.call("POST", path, made["raw_key"], json={}), 403, "human_required")
    for role in ("viewer", "member"):
        problem(emulator.call("POST", path, emulator.tokens[role], json={}), 403, "role_required")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "203.0.113.7, 203.0.113.7"},
        {"x_forwarded_for": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"X-Client-IP": "203.0.113.7"},
        {"Connection": "X-Forwarded-For", "X-Forwarded-For": "203.0.113.7"},
    ],
    ids=str,
)
def test_a_key_is_bound_to_its_networks_whatever_the_caller_says_about_himself(
    org: Org, emulator: RunningSuite, headers: dict[str, str]
) -> None:
    here, elsewhere = (org.make_key(cidrs=[cidr]).json()["raw_key"] for cidr in ("127.0.0.0/8", "203.0.113.0/24"))
    path = emulator.org("/api-keys", org.id)
    assert emulator.call("GET", path, here, headers=headers).status_code == 200
    problem(emulator.call("GET", path, elsewhere, headers=headers), 401, "unauthenticated")


def test_the_last_use_is_shown(org: Org, emulator: RunningSuite) -> None:
    made = org.key("read")
    assert org_key(org, made["id"])["last_used_at"] is None
    assert emulator.call("GET", emulator.org("/scans", org.id), made["raw_key"]).status_code == 200
    used_at = datetime.fromisoformat(org_key(org, made["id"])["last_used_at"])
    assert datetime.now(UTC) - used_at < timedelta(minutes=1)


def test_a_report_of_leaked_keys_without_the_reporters_signature_is_refused(org: Org, emulator: RunningSuite) -> None:
    raw = org.key("read")["raw_key"]
    body = [{"token": raw, "type": "driftwise_api_key", "url": "https://example.test/", "source": "content"}]
    sample = {"Github-Public-Key-Identifier": "0" * 64, "Github-Public-Key-Signature": "MAYCAQACAQA="}
    for headers in ({}, sample):
        answer = emulator.call("POST", "/api/v2/secret-scanning/report", json=body, headers=headers)
        problem(answer, 401, "signature_refused")
    assert org.keys(raw).status_code == 200


def org_key(org: Org, key_id: str) -> dict[str, Any]:
    found: dict[str, Any] = org.suite.call(
        "GET", org.suite.org(f"/api-keys/{key_id}", org.id), org.suite.tokens["viewer"]
    ).json()
    return found


def test_a_key_of_a_disabled_person_ends(org: Org, emulator: RunningSuite) -> None:
    raw = org.key("admin", role="admin")["raw_key"]
    change = "update core.users set disabled_at = {} where email = 'admin@acme.example'"
    org.execute(change.format("now()"))
    try:
        problem(org.keys(raw), 401, "unauthenticated")
    finally:
        org.execute(change.format("null"))
    assert org.keys(raw).status_code == 200


def test_the_free_plan_has_two_keys_and_revoking_one_makes_room(org: Org) -> None:
    org.execute("update core.orgs set plan = 'free' where id = :org_id", org_id=org.id)
    first = org.key("read")
    org.key("read")
    found = problem(org.make_key(), 402, "key_limit_reached")
    assert (found["required_plan"], found["used"], found["cap"]) == ("team", 2, 2)
    assert org.revoke(first["id"]).status_code == 204
    assert org.make_key().status_code == 201


def test_many_makers_at_once_never_pass_the_limit(org: Org) -> None:
    org.execute("update core.orgs set plan = 'free' where id = :org_id", org_id=org.id)
    with ThreadPoolExecutor(8) as pool:
        answers = [reply.status_code for reply in pool.map(lambda _: org.make_key(), range(8))]
    assert sorted(answers) == [201, 201, *[402] * 6]


def test_two_revocations_at_once_count_as_one(org: Org) -> None:
    key_id = org.key("read")["id"]
    with ThreadPoolExecutor(4) as pool:
        answers = [reply.status_code for reply in pool.map(lambda _: org.revoke(key_id), range(4))]
    assert sorted(answers) == [204, 409, 409, 409]


def test_a_repeated_request_makes_one_key_and_shows_it_once(org: Org, emulator: RunningSuite) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = org.make_key(headers=headers), org.make_key(headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json() | {"raw_key": None}, "the key was shown twice"
    problem(org.make_key(headers=headers, name="other"), 409, "idempotency_mismatch")
    assert len(org.keys(emulator.tokens["viewer"]).json()["items"]) == 1
    with ThreadPoolExecutor(6) as pool:
        headers = {"Idempotency-Key": str(uuid4())}
        answers = list(pool.map(lambda _: org.make_key(headers=headers), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(answer.json()["raw_key"] is not None for answer in answers) == 1


def test_keys_are_listed_in_pages_newest_first(org: Org, emulator: RunningSuite) -> None:
    made = [org.key("read")["id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        answer = org.keys(emulator.tokens["viewer"], f"?limit=2{cursor}").json()
        seen += [item["id"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen == made[::-1]
    for query in ("?cursor=x", "?limit=0", "?limit=201", "?page=2", "?limit=1&limit=2", "?cursor=%00"):
        problem(org.keys(emulator.tokens["viewer"], query), 422, "invalid")


def test_a_key_ends_with_its_expiry(org: Org, emulator: RunningSuite) -> None:
    problem(org.make_key(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat()), 422, "expiry_past")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = org.make_key(expires_at=later).json()
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(later)
    assert org.keys(made["raw_key"]).status_code == 200
    org.execute("update core.api_keys set expires_at = now() where id = :id", id=made["id"])
    org.within_five_seconds(lambda: org.keys(made["raw_key"]), 401, "the key outlives its expiry")


@pytest.mark.parametrize(
    "wish, status, code",
    [
        ({"scopes": ["root"]}, 400, "scope_unknown"),
        ({"scopes": ["read "]}, 400, "scope_unknown"),
        ({"scopes": []}, 422, "invalid"),
        ({"scopes": "read"}, 422, "invalid"),
        ({"scopes": [["read"]]}, 422, "invalid"),
        ({"name": ""}, 422, "invalid"),
        ({"name": "x" * 101}, 422, "invalid"),
        ({"name": None}, 422, "invalid"),
        ({"name": "a\x00b"}, 400, "malformed_request"),
        ({"name": "half \ud800"}, 400, "malformed_request"),
        ({"expires_at": "soon"}, 422, "invalid"),
        ({"expires_at": "2099-01-01T00:00:00"}, 422, "invalid"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, 422, "invalid"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid"),
        ({"expires_at": "0001-01-02T00:00:00+14:00"}, 422, "expiry_past"),
        ({"expires_at": 10**30}, 422, "invalid"),
        ({"org_id": "11111111-1111-7111-8111-111111111111"}, 422, "invalid"),
        ({"created_by": "22222222-2222-7222-8222-222222222222"}, 422, "invalid"),
    ],
    ids=lambda item: json.dumps(item)[:60] if isinstance(item, dict) else str(item),
)
def test_a_wrong_wish_makes_no_key(
    org: Org, emulator: RunningSuite, wish: dict[str, Any], status: int, code: str
) -> None:
    problem(org.make_key(**wish), status, code)
    assert org.keys(emulator.tokens["viewer"]).json()["items"] == []


@pytest.mark.parametrize(
    "name",
    [
        "\u00fc \U0001f511 key",
        "'; drop table core.api_keys; --",
        "<script>alert(1)</script>",
        "x" * 100,
        "%s %(a)s {0} :name",
    ],
)
def test_any_real_name_is_kept_as_it_is(org: Org, name: str) -> None:
    made = org.make_key(name=name)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == name
    assert made.headers["content-type"] == "application/json"


def test_keys_of_another_organisation_are_not_found(org: Org, emulator: RunningSuite) -> None:
    made = org.key("admin")
    elsewhere = emulator.org(f"/api-keys/{made['id']}")
    problem(emulator.call("GET", elsewhere, emulator.tokens["owner"]), 404, "not_found")
    problem(emulator.call("DELETE", elsewhere, emulator.tokens["owner"]), 404, "not_found")
    problem(emulator.call("GET", emulator.org("/api-keys"), made["raw_key"]), 404, "not_found")
    assert org.keys(made["raw_key"]).status_code == 200


def test_what_was_done_is_in_the_audit_log_without_the_key(org: Org, emulator: RunningSuite) -> None:
    made = org.make_key()
    org.revoke(made.json()["id"])
    connection = emulator.owner()
    try:
        rows = connection.run(
            "select action, target_id, request_id, cast(facts as text) from core.audit_log where org_id = :org_id and target_kind = 'api_key' order by id",
            org_id=org.id,
        )
    finally:
        connection.close()
    assert [row[0] for row in rows] == ["keys:api_key:created", "keys:api_key:revoked"]
    assert {row[1] for row in rows} == {made.json()["id"]}
    assert rows[0][2] == made.headers["x-request-id"]
    assert made.json()["raw_key"][16:] not in str(rows)
