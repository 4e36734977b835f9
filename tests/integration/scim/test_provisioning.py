"""Who becomes a member because a directory says so, and what a directory can never do to people."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.scim_function import PATCH, USER, ScimOrg


def account(org: ScimOrg, email: str) -> tuple[Any, ...] | None:
    rows = org.function.database.owner.run(
        "select id, email, name, disabled_at from core.users where email = :e", e=email
    )
    return tuple(rows[0]) if rows else None


def test_a_person_of_a_proven_domain_becomes_a_viewer(org: ScimOrg) -> None:
    user = org.make_user("ada", externalId="00u1", title="Engineer")
    ada = org.person("ada")
    assert org.role(ada) == "viewer"
    assert account(org, f"ada@{org.domain}") == (ada, f"ada@{org.domain}", "Ada", None)
    assert user["meta"]["location"] == f"https://driftwise.example/scim/v2/{org.id}/Users/{user['id']}"
    assert user["schemas"] == [USER]
    response = org.send("GET", f"/Users/{user['id']}")
    assert response.headers["ETag"] == user["meta"]["version"] == 'W/"1"'
    assert "Location" not in response.headers
    joined = dict(org.function.audits(org.id))["scim:member:joined"]
    assert joined == {"role": "viewer", "resource_id": user["id"]}


def test_a_person_of_an_unproven_domain_is_kept_and_gets_nothing(org: ScimOrg) -> None:
    user = org.make_user("ada", domain="elsewhere.example")
    assert user["active"] is True
    assert account(org, "ada@elsewhere.example") is None, "not even an account is made"
    owner = org.function.database.owner
    owner.run(
        "insert into core.sso_domains (org_id, domain, challenge, verified_at) values (:o, 'elsewhere.example', :c, now())",
        o=org.id, c="c" * 16,
    )  # fmt: skip
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "Engineer"})
    assert org.role(org.person("ada", "elsewhere.example")) == "viewer", (
        "once the domain is proven, the next change lets in"
    )


def test_an_unfinished_proof_is_none(org: ScimOrg) -> None:
    org.function.database.owner.run(
        "insert into core.sso_domains (org_id, domain, challenge) values (:o, 'claimed.example', :c)",
        o=org.id,
        c="c" * 16,
    )
    org.make_user("ada", domain="claimed.example")
    assert account(org, "ada@claimed.example") is None


def test_another_organisations_person_is_never_taken_over_or_changed(org: ScimOrg, other: ScimOrg) -> None:
    bob = other.function.database.make_member(other.id, "admin", email=f"bob@{other.domain}")
    before = account(org, f"bob@{other.domain}")
    user = org.make_user("bob", domain=other.domain, displayName="Mallory")
    assert org.role(bob) is None, "the domain is the other organisation's"
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": False})
    org.ask("DELETE", f"/Users/{user['id']}", status=204)
    assert other.role(bob) == "admin"
    assert account(org, f"bob@{other.domain}") == before


def test_a_person_who_exists_is_joined_and_not_renamed(org: ScimOrg, other: ScimOrg) -> None:
    ada = other.function.database.make_member(other.id, "owner", email=f"ada@{org.domain}")
    before = account(org, f"ada@{org.domain}")
    user = org.make_user("ada", displayName="Somebody Else")
    assert (org.role(ada), other.role(ada)) == ("viewer", "owner")
    new = [{"value": f"new@{org.domain}", "primary": True}]
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "emails", "value": new})
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "userName", "value": f"new@{org.domain}"})
    assert account(org, f"ada@{org.domain}") == before
    assert account(org, f"new@{org.domain}") is None
    org.ask("DELETE", f"/Users/{user['id']}", status=204)
    assert (org.role(ada), other.role(ada)) == (None, "owner")
    assert account(org, f"ada@{org.domain}") == before


def test_a_member_who_is_more_keeps_an_owners_role_only(org: ScimOrg) -> None:
    admin = org.function.database.make_member(org.id, "admin", email=f"ada@{org.domain}")
    org.make_user("ada")
    org.make_user("owner")
    assert org.role(admin) == "viewer", "the directory's role holds from now on"
    assert org.role(org.owner_id) == "owner", "it gives and takes no ownership"


def test_who_was_taken_out_by_a_person_is_not_let_in_by_a_change_of_title(org: ScimOrg) -> None:
    user = org.make_user("ada")
    ada = org.person("ada")
    org.function.database.owner.run("delete from core.members where user_id = :u", u=ada)
    org.patch(f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "Engineer"})
    assert org.role(ada) is None


def test_one_name_and_one_person_once(org: ScimOrg, other: ScimOrg) -> None:
    user = org.make_user("ada")
    body = {"schemas": [USER], "userName": f"ADA@{org.domain}"}
    org.refused("POST", "/Users", body, status=409, scim_type="uniqueness")
    twin = {"schemas": [USER], "userName": "ada2", "emails": [{"value": f"Ada@{org.domain.title()}"}]}
    org.refused("POST", "/Users", twin, status=409, scim_type="uniqueness")
    bob = org.make_user("bob")
    rename = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "userName", "value": user["userName"]}]}
    org.refused("PATCH", f"/Users/{bob['id']}", rename, status=409, scim_type="uniqueness")
    assert other.make_user("ada", domain=org.domain)["userName"] == user["userName"], (
        "another organisation's names are not ours"
    )
    refusals = [facts["code"] for _, facts in org.function.audits(org.id, "scim:request:refused")]
    assert refusals == ["uniqueness"] * 3


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_organisations_ids_are_not_there(org: ScimOrg, other: ScimOrg, method: str) -> None:
    user, group = other.make_user("bob", domain=other.domain), other.make_group("Theirs")
    bodies: dict[str, Any] = {
        "PUT": {"schemas": [USER, "urn:ietf:params:scim:schemas:core:2.0:Group"], "userName": "x", "displayName": "x"},
        "PATCH": {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "x"}]},
    }
    for path in (f"/Users/{user['id']}", f"/Groups/{group['id']}", f"/Users/{uuid4()}"):
        assert org.refused(method, path, bodies.get(method), status=404) == "Not found"
    assert other.ask("GET", f"/Users/{user['id']}")["displayName"] == "Bob"


def test_another_organisations_ids_are_not_there_as_members_in_bulk_and_in_filters(
    org: ScimOrg, other: ScimOrg
) -> None:
    theirs, group = other.make_user("bob", domain=other.domain), org.make_group("Ours")
    for identifier in (theirs["id"], str(uuid4()), "not-an-id"):
        for operation in (
            {"op": "add", "path": "members", "value": [{"value": identifier}]},
            {"op": "replace", "value": {"members": [{"value": identifier}]}},
            {"op": "replace", "path": "members", "value": [{"value": identifier}]},
        ):
            body = {"schemas": [PATCH], "Operations": [operation]}
            assert identifier in org.refused("PATCH", f"/Groups/{group['id']}", body, status=404)
        body = {"schemas": [group["schemas"][0]], "displayName": "Ours", "members": [{"value": identifier}]}
        org.refused("PUT", f"/Groups/{group['id']}", body, status=404)
        org.refused("POST", "/Groups", {**body, "displayName": "More"}, status=404)
        operation = {
            "method": "PATCH",
            "path": f"/Users/{identifier}",
            "data": {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": False}]},
        }
        bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
        assert org.ask("POST", "/Bulk", bulk)["Operations"][0]["status"] == "404"
        for asked in (
            f"/Users?filter=id%20eq%20%22{identifier}%22",
            f"/Groups?filter=members.value%20eq%20%22{identifier}%22",
        ):
            assert org.ask("GET", asked)["totalResults"] == 0
    assert "members" not in org.ask("GET", f"/Groups/{group['id']}"), "nothing of a refused change is kept"
    assert other.ask("GET", f"/Users/{theirs['id']}")["active"] is True


def test_a_password_is_neither_kept_nor_shown(org: ScimOrg) -> None:
    user = org.make_user("ada", password="tiger-secret")
    assert "password" not in user
    ((document,),) = org.function.database.owner.run(
        "select cast(document as text) from scim.users where org_id = :o", o=org.id
    )
    assert "tiger-secret" not in document
    org.refused("GET", "/Users?filter=password%20eq%20%22tiger-secret%22", status=400, scim_type="invalidFilter")


def test_names_that_are_too_long_are_refused_by_name(org: ScimOrg) -> None:
    for attribute, most in (("userName", 320), ("externalId", 512), ("displayName", 512)):
        body = {"schemas": [USER], "userName": "x", attribute: "\N{GRINNING FACE}" * (most + 1)}
        assert attribute in org.refused("POST", "/Users", body, status=400, scim_type="invalidValue")
        org.ask("POST", "/Users", {**body, "userName": attribute, attribute: "\N{GRINNING FACE}" * most}, 201)
