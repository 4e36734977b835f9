"""What ends when a directory switches a person off, and what does not: membership, sessions, API keys, in one transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scim_function import PATCH, USER, ScimFunction, ScimOrg, told

OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


def switch_off(org: ScimOrg, user: dict[str, Any], way: str) -> None:
    """Switch a person off, as providers do."""
    path = f"/Users/{user['id']}"
    if way == "DELETE":
        org.ask("DELETE", path, status=204)
    elif way == "PUT":
        org.ask(
            "PUT", path, {"schemas": [USER], "userName": user["userName"], "emails": user["emails"], "active": False}
        )
    elif way == "PATCH by Okta":
        org.patch(path, {"op": "replace", "value": {"active": False}})
    elif way == "PATCH by Entra ID":
        org.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    else:
        operation = {"method": "PATCH", "path": path, "data": {"schemas": [PATCH], "Operations": [OFF]}}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
        assert org.ask("POST", "/Bulk", body)["Operations"][0]["status"] == "200"


@pytest.mark.parametrize("way", ["DELETE", "PUT", "PATCH by Okta", "PATCH by Entra ID", "Bulk"])
def test_a_person_who_is_switched_off_is_refused_at_once(org: ScimOrg, way: str) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    session, bound, key = org.sign_in(ada), org.sign_in(ada, bound_org_id=org.id), org.make_key(ada).reveal()
    assert [org.knock(item) for item in (session, bound, key)] == [200, 200, 200]
    switch_off(org, user, way)
    assert [org.knock(item) for item in (session, bound)] == [401, 401]
    org.function.clock.advance(3)  # as long as another process may remember a key that it saw a moment ago
    assert org.knock(key) == 401
    assert org.role(ada) is None
    told_of = dict(org.function.audits(org.id))
    assert told_of["scim:member:removed"]["sessions_ended"] == 2
    assert told_of["scim:member:removed"]["keys_revoked"] == 1
    assert "scim:api_key:revoked" in told_of


def test_who_belongs_elsewhere_loses_this_organisation_and_nothing_else(org: ScimOrg, other: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    owner = org.function.database.owner
    owner.run("insert into core.members (org_id, user_id, role) values (:o, :u, 'admin')", o=other.id, u=ada)
    session, here, there = (
        org.sign_in(ada),
        org.sign_in(ada, bound_org_id=org.id),
        org.sign_in(ada, bound_org_id=other.id),
    )
    key_there = other.make_key(ada).reveal()
    org.patch(f"/Users/{user['id']}", OFF)
    assert (org.knock(session), other.knock(session)) == (404, 200), "the session goes on, without this organisation"
    assert (org.knock(here), other.knock(there), other.knock(key_there)) == (401, 200, 200)
    assert (org.role(ada), other.role(ada)) == (None, "admin")


def test_a_platform_admin_keeps_the_sessions_that_run_the_platform(org: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    org.function.database.owner.run("update core.users set is_platform_admin = true where id = :u", u=ada)
    session, bound = org.sign_in(ada), org.sign_in(ada, bound_org_id=org.id)
    org.patch(f"/Users/{user['id']}", OFF)
    assert (org.knock(session), org.knock(bound)) == (404, 401)


def test_switched_on_again_a_person_is_a_member_without_the_old_keys(org: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    session, key = org.sign_in(ada), org.make_key(ada).reveal()
    org.patch(f"/Users/{user['id']}", OFF)
    assert org.ask("GET", f"/Users/{user['id']}")["active"] is False, "who is off is still told of"
    assert org.ask("GET", f"/Users?filter=userName%20eq%20%22ada@{org.domain}%22")["totalResults"] == 1
    org.patch(f"/Users/{user['id']}", ON)
    assert org.role(ada) == "viewer"
    assert (org.knock(session), org.knock(key)) == (401, 401)
    assert org.knock(org.sign_in(ada)) == 200
    actions = [action for action, _ in org.function.audits(org.id, "scim:user:%")]
    assert actions == ["scim:user:created", "scim:user:deactivated", "scim:user:activated"]


def test_a_put_without_active_and_a_patch_of_something_else_switch_nobody_off(org: ScimOrg) -> None:
    user = org.make_user("ada")
    session = org.sign_in(org.person("ada"))
    org.ask("PUT", f"/Users/{user['id']}", {"schemas": [USER], "userName": user["userName"], "emails": user["emails"]})
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "Engineer"})
    remove = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "active"}]}
    org.refused("PATCH", f"/Users/{user['id']}", remove, status=400, scim_type="mutability")
    assert org.knock(session) == 200
    assert org.ask("GET", f"/Users/{user['id']}")["active"] is True


def test_the_last_owner_stays(org: ScimOrg) -> None:
    user = org.make_user("owner")
    path = f"/Users/{user['id']}"
    body = {"schemas": [PATCH], "Operations": [OFF]}
    assert "last owner" in org.refused("PATCH", path, body, status=403)
    org.refused("DELETE", path, status=403)
    assert org.ask("GET", path)["active"] is True, "nothing of a refused change is kept"
    assert org.role(org.owner_id) == "owner"
    refusals = [facts["code"] for _, facts in org.function.audits(org.id, "scim:request:refused")]
    assert refusals == ["last_owner"]
    second = org.function.database.make_member(org.id, "owner")
    org.patch(path, OFF)
    assert (org.role(org.owner_id), org.role(second)) == (None, "owner")


def test_invitations_that_a_removed_person_made_are_taken_back(org: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    owner = org.function.database.owner
    owner.run(
        "insert into core.invitations (org_id, email, role, token_hash, invited_by, expires_at) "
        "values (:o, 'x@example.test', 'viewer', :h, :u, now() + interval '1 day')",
        o=org.id, h=org.id.bytes * 2, u=ada,
    )  # fmt: skip
    org.patch(f"/Users/{user['id']}", OFF)
    assert owner.run("select revoked_at is not null from core.invitations where org_id = :o", o=org.id) == [[True]]


def test_a_member_who_came_by_another_door_is_taken_out_too(org: ScimOrg) -> None:
    """An account with the address of a resource that is off has no access, whoever made the membership."""
    ada = org.function.database.make_member(org.id, "admin", email=f"ada@{org.domain}")
    session = org.sign_in(ada)
    org.make_user("ada", active=False)
    assert org.knock(session) == 401
    assert org.role(ada) is None


def test_two_who_switch_one_person_off_at_once_do_it_once(function: ScimFunction, org: ScimOrg) -> None:
    from concurrent.futures import ThreadPoolExecutor

    user = org.make_user("ada")
    org.sign_in(org.person("ada"))
    body = {"schemas": [PATCH], "Operations": [OFF]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: org.send("PATCH", f"/Users/{user['id']}", body), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {told(answer)["meta"]["version"] for answer in answers} == {'W/"2"'}
    assert [action for action, _ in function.audits(org.id, "scim:member:removed")] == ["scim:member:removed"]
