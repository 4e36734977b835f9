"""People in an organisation, through the gateway: invited, joining, demoted, leaving; the organisation deleted and restored.

What one function changes, the others hold to: keys are tried against the scan function, five seconds are what they may take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.running_suite import RunningSuite, problem
from tests.support.waiting import wait_until

ADMIN = "/api/v2/admin"


@dataclass
class Org:
    """An organisation that the seeded owner made; nobody else is in it."""

    suite: RunningSuite
    id: UUID

    def call(self, role: str, method: str, path: str = "", body: Any = None) -> httpx.Response:
        """Send a request below the organisation as one of the seeded people."""
        options = {} if body is None else {"json": body}
        return self.suite.call(method, self.suite.org(path, self.id), self.suite.tokens[role], **options)

    def done(self, role: str, method: str, path: str = "", body: Any = None, *, status: int = 200) -> Any:
        """The same, which must succeed."""
        answer = self.call(role, method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def invite(self, seeded: str, role: str) -> dict[str, Any]:
        """Invite one of the seeded people, by the owner."""
        email = self.me(seeded)["email"]
        found: dict[str, Any] = self.done("owner", "POST", "/invitations", {"email": email, "role": role}, status=201)
        return found

    def join(self, seeded: str, role: str) -> str:
        """Let one of the seeded people in; returns their id."""
        token = self.invite(seeded, role)["token"]
        answer = self.accept(seeded, token)
        assert answer.status_code == 200, answer.text
        return str(self.me(seeded)["id"])

    def accept(self, seeded: str, token: str) -> httpx.Response:
        """Take an invitation up as one of the seeded people."""
        return self.suite.call("POST", "/api/v2/invitations/accept", self.suite.tokens[seeded], json={"token": token})

    def me(self, seeded: str) -> dict[str, Any]:
        """Return who one of the seeded people is."""
        found: dict[str, Any] = self.suite.call("GET", "/api/v2/me", self.suite.tokens[seeded]).json()
        return found

    def becomes(self, token: str, status: int, *, method: str = "GET", body: Any = None) -> None:
        """Wait until the scan function, another process, answers this status; no longer than it may take."""
        path = self.suite.org("/state-sources", self.id)
        options = {} if body is None else {"json": body}
        wait_until(
            lambda: self.suite.call(method, path, token, **options).status_code == status,
            f"the scan function answers {status}",
            timeout_seconds=5.0,
        )


@pytest.fixture
def org(emulator: RunningSuite) -> Iterator[Org]:
    """An organisation on the plan without limits, as a platform admin puts it there; gone after the test."""
    emulator.sign_in_anew()
    made = emulator.call("POST", "/api/v2/orgs", emulator.tokens["owner"], json={"name": "Journey of members"})
    assert made.status_code == 201, made.text
    found = Org(emulator, UUID(made.json()["id"]))
    platform = f"{ADMIN}/orgs/{found.id}"
    changed = emulator.call("PATCH", platform, emulator.tokens["platform_admin"], json={"plan": "enterprise"})
    assert changed.json()["plan"] == "enterprise", changed.text
    yield found
    emulator.call("DELETE", platform, emulator.tokens["platform_admin"])


def test_somebody_is_invited_joins_rises_falls_and_leaves(org: Org) -> None:
    problem(org.call("admin", "GET"), 404, "not_found")
    invitation = org.invite("admin", "viewer")
    problem(org.accept("member", invitation["token"]), 403, "invitation_for_other")
    assert org.accept("admin", invitation["token"]).json()["role"] == "viewer"
    problem(org.accept("admin", invitation["token"]), 409, "invitation_ended")
    user_id = org.me("admin")["id"]
    assert {item["user_id"]: item["role"] for item in org.done("admin", "GET", "/members")["items"]}[
        user_id
    ] == "viewer"
    problem(org.call("admin", "PATCH", "", {"name": "Mine"}), 403, "role_required")
    org.done("owner", "PATCH", f"/members/{user_id}", {"role": "admin"})
    assert org.done("admin", "PATCH", "", {"name": "Ours"})["name"] == "Ours"
    problem(org.call("admin", "PATCH", f"/members/{user_id}", {"role": "owner"}), 403, "role_above_yours")
    problem(org.call("admin", "DELETE"), 403, "role_required")
    org.done("admin", "DELETE", f"/members/{user_id}", status=204)
    problem(org.call("admin", "GET"), 404, "not_found")
    actions = [item["action"] for item in org.done("owner", "GET", "/audit-log")["items"]]
    assert actions[0] == "auth:member:left"
    assert {"auth:invitation:created", "auth:member:joined", "auth:member:role_changed"} < set(actions)
    assert org.done("owner", "GET", "/audit-log/verify")["ok"] is True


def test_a_demoted_members_key_loses_it_everywhere_within_five_seconds(org: Org, emulator: RunningSuite) -> None:
    user_id = org.join("admin", "admin")
    key = org.done("admin", "POST", "/api-keys", {"name": "ci", "scopes": ["admin"]}, status=201)["raw_key"]
    source = {"account_id": str(UUID(int=1)), "kind": "upload", "name": "x"}
    org.becomes(key, 404, method="POST", body=source)  # let in; there is no such account
    org.done("owner", "PATCH", f"/members/{user_id}", {"role": "viewer"})
    org.becomes(key, 403, method="POST", body=source)
    org.becomes(key, 200)
    org.done("owner", "DELETE", f"/members/{user_id}", status=204)
    org.becomes(key, 401)
    problem(emulator.call("GET", emulator.org("/api-keys", org.id), emulator.tokens["admin"]), 404, "not_found")


def test_the_last_owner_stays_until_somebody_else_owns_it(org: Org) -> None:
    owner_id, heir_id = org.me("owner")["id"], org.join("member", "viewer")
    problem(org.call("owner", "DELETE", f"/members/{owner_id}"), 409, "last_owner")
    org.done("owner", "POST", "/ownership-transfer", {"user_id": heir_id})
    assert org.done("owner", "GET")["role"] == "admin"
    assert org.done("member", "GET")["role"] == "owner"
    org.done("owner", "DELETE", f"/members/{owner_id}", status=204)


def test_a_deleted_organisation_is_gone_everywhere_and_comes_back(org: Org, emulator: RunningSuite) -> None:
    key = org.done("owner", "POST", "/api-keys", {"name": "ci", "scopes": ["read"]}, status=201)["raw_key"]
    org.becomes(key, 200)
    org.done("owner", "DELETE", status=204)
    problem(org.call("owner", "GET"), 404, "not_found")
    problem(org.call("owner", "GET", "/scans"), 404, "not_found")
    org.becomes(key, 401)
    platform, token = f"{ADMIN}/orgs/{org.id}", emulator.tokens["platform_admin"]
    assert emulator.call("GET", platform, token).json()["deleted_at"] is not None
    problem(emulator.call("PATCH", platform, emulator.tokens["owner"], json={"is_deleted": False}), 403, "platform_admin_required")  # fmt: skip
    assert emulator.call("PATCH", platform, token, json={"is_deleted": False}).status_code == 200
    org.becomes(key, 200)
    assert org.done("owner", "GET")["role"] == "owner"
    told = emulator.call("GET", f"{ADMIN}/audit-log?target={org.id}", token).json()["items"]
    assert [item["action"] for item in told][:2] == ["auth:org:restored", "auth:org:deleted"]


def test_a_plan_that_was_changed_holds_in_every_function(org: Org, emulator: RunningSuite) -> None:
    platform, token = f"{ADMIN}/orgs/{org.id}", emulator.tokens["platform_admin"]
    assert emulator.call("PATCH", platform, token, json={"plan": "free"}).json()["plan"] == "free"
    found = problem(org.call("owner", "POST", "/invitations", {"email": "x@y.test"}), 402, "seat_limit_reached")
    assert (found["required_plan"], found["used"], found["cap"]) == ("team", 1, 1)
    for _ in range(2):
        org.done("owner", "POST", "/api-keys", {"name": "ci", "scopes": ["read"]}, status=201)
    found = problem(
        org.call("owner", "POST", "/api-keys", {"name": "ci", "scopes": ["read"]}), 402, "key_limit_reached"
    )
    assert (found["required_plan"], found["used"], found["cap"]) == ("team", 2, 2)
    limits = {item["name"]: item for item in org.done("owner", "GET", "/usage")["limits"]}
    assert (limits["api_keys"]["used"], limits["api_keys"]["cap"], limits["api_keys"]["required_plan"]) == (
        2,
        2,
        "team",
    )
    assert (limits["seats"]["used"], limits["seats"]["cap"]) == (1, 1)


def test_a_person_who_is_switched_off_is_out_everywhere(org: Org, emulator: RunningSuite) -> None:
    user_id = org.join("viewer", "admin")
    key = org.done("viewer", "POST", "/api-keys", {"name": "ci", "scopes": ["read"]}, status=201)["raw_key"]
    org.becomes(key, 200)
    token = emulator.tokens["platform_admin"]
    try:
        emulator.call("PATCH", f"{ADMIN}/users/{user_id}", token, json={"is_disabled": True})
        problem(org.call("viewer", "GET"), 401, "unauthenticated")
        problem(org.call("viewer", "GET", "/scans"), 401, "unauthenticated")
        org.becomes(key, 401)
    finally:  # the seeded people are shared: the session that ended is put back as it was
        assert emulator.call("PATCH", f"{ADMIN}/users/{user_id}", token, json={"is_disabled": False}).status_code == 200
        connection = emulator.owner()
        connection.run(
            "update core.sessions set revoked_at = null where user_id = :id and kind = 'terminal'", id=user_id
        )
        connection.close()
    assert org.done("viewer", "GET")["role"] == "admin"
