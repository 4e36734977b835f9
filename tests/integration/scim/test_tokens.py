"""The tokens of a directory: who makes them, how many live, what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.security.api_keys import SCIM_PREFIX, parse_key
from tests.support.http_app import call, problem
from tests.support.scim_function import ScimFunction, ScimOrg, told


def make(org: ScimOrg, **wish: Any) -> dict[str, Any]:
    answer = org.admin("POST", "/scim-tokens", {"name": "second", **wish})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return told(answer)


def test_a_token_is_shown_once_and_never_stored(org: ScimOrg) -> None:
    made = make(org)
    token = parse_key(made["raw_token"], SCIM_PREFIX)
    assert token is not None
    assert made["scim_endpoint"] == f"https://driftwise.example/scim/v2/{org.id}"
    listed = told(org.admin("GET", "/scim-tokens"))["items"]
    assert [item["name"] for item in listed] == ["second", "directory"]
    assert all("raw_token" not in item for item in listed)
    assert listed[0]["prefix"] == f"dws_{token.public_id}"
    rows = org.function.database.owner.run("select cast(t as text) from scim.tokens t where org_id = :o", o=org.id)
    assert not [row for row in rows if token.secret.reveal().decode() in row[0]]


def test_two_live_at_a_time_and_the_old_one_ends_at_once(org: ScimOrg) -> None:
    second = make(org)
    problem(org.admin("POST", "/scim-tokens", {"name": "third"}), 409, "scim_token_limit_reached")
    for token in (org.token, second["raw_token"]):
        org.ask("GET", "/Users", token=token)
    first = told(org.admin("GET", "/scim-tokens"))["items"][1]
    assert org.admin("DELETE", f"/scim-tokens/{first['id']}").status_code == 204
    org.refused("GET", "/Users", status=401)
    org.ask("GET", "/Users", token=second["raw_token"])
    problem(org.admin("DELETE", f"/scim-tokens/{first['id']}"), 409, "scim_token_revoked")
    make(org)
    actions = [action for action, _ in org.function.audits(org.id, "scim:access_token:%")]
    assert actions == ["scim:access_token:created"] * 2 + ["scim:access_token:revoked", "scim:access_token:created"]


def test_an_expired_token_is_refused_and_makes_room(org: ScimOrg) -> None:
    now = org.function.clock.now()
    ends = now + timedelta(minutes=5)
    short = make(org, expires_at=ends.isoformat())["raw_token"]
    org.ask("GET", "/Users", token=short)
    org.function.clock.advance(301)
    org.refused("GET", "/Users", status=401, token=short)
    make(org)
    problem(org.admin("POST", "/scim-tokens", {"name": "past", "expires_at": now.isoformat()}), 422, "expiry_past")


def test_the_last_use_is_shown_to_ten_minutes(org: ScimOrg) -> None:
    assert told(org.admin("GET", "/scim-tokens"))["items"][0]["last_used_at"] is None
    org.ask("GET", "/Users")
    used = told(org.admin("GET", "/scim-tokens"))["items"][0]["last_used_at"]
    assert used is not None
    org.ask("GET", "/Users")
    assert told(org.admin("GET", "/scim-tokens"))["items"][0]["last_used_at"] == used


def test_a_use_under_a_new_pepper_hashes_the_token_anew(org: ScimOrg) -> None:
    sql = "select pepper_version from scim.tokens where org_id = :o"
    org.function.secrets.add_version("api-key-pepper", b"n" * 32)
    org.function.clock.advance(3600)
    org.ask("GET", "/Users")
    assert org.function.database.owner.run(sql, o=org.id) == [[2]]
    org.ask("GET", "/Users")


def test_a_token_outlives_who_made_it(org: ScimOrg) -> None:
    owner = org.function.database.owner
    org.function.database.make_member(org.id, "owner")
    owner.run("delete from core.members where user_id = :u", u=org.owner_id)
    org.ask("GET", "/Users")


def test_a_lesser_plan_makes_none_and_a_deleted_organisations_is_unknown(function: ScimFunction, org: ScimOrg) -> None:
    team = ScimOrg.make(function, plan="team")
    found = problem(team.admin("POST", "/scim-tokens", {"name": "x"}), 402, "feature_required")
    assert (found["required_feature"], found["required_plan"]) == ("scim", "enterprise")
    problem(team.admin("PUT", "/scim-config", {}), 402, "feature_required")
    assert told(team.admin("GET", "/scim-config"))["scim_endpoint"] is None
    function.database.owner.run("update core.orgs set deleted_at = now() where id = :o", o=org.id)
    org.refused("GET", "/Users", status=401)


def test_another_organisations_tokens_are_not_there(org: ScimOrg, other: ScimOrg) -> None:
    theirs = told(other.admin("GET", "/scim-tokens"))["items"][0]
    problem(org.admin("DELETE", f"/scim-tokens/{theirs['id']}"), 404, "not_found")
    other.ask("GET", "/Users")


def test_a_token_opens_nothing_but_scim(org: ScimOrg) -> None:
    assert org.knock(org.token) == 401
    for path in ("/scim-tokens", "/scim-config"):
        problem(call(org.function.app, "GET", f"/api/v2/orgs/{org.id}{path}", token=org.token), 401, "unauthenticated")
