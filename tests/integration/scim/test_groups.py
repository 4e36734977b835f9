"""Groups and the roles that they give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scim_function import GROUP, PATCH, ScimOrg, told


def add(*ids: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": item} for item in ids]}


def put_config(org: ScimOrg, default_role: str = "viewer", **roles: str) -> None:
    body = {
        "default_role": default_role,
        "group_roles": [{"group": name, "role": role} for name, role in roles.items()],
    }
    answer = org.admin("PUT", "/scim-config", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)


def test_the_highest_role_of_a_persons_groups_counts(org: ScimOrg) -> None:
    put_config(org, Admins="admin", engineers="member")
    ada = org.make_user("ada")
    person = org.person("ada")
    engineers = org.make_group("Engineers", ada["id"])
    assert org.role(person) == "member"
    admins = org.make_group("ADMINS", ada["id"])
    assert org.role(person) == "admin"
    org.patch(f"/Groups/{admins['id']}", {"op": "remove", "path": f'members[value eq "{ada["id"]}"]'})
    assert org.role(person) == "member"
    org.patch(f"/Groups/{engineers['id']}", {"op": "replace", "path": "displayName", "value": "Others"})
    assert org.role(person) == "viewer", "a group that is called otherwise gives another role"
    org.patch(
        f"/Groups/{engineers['id']}", {"op": "replace", "value": {"id": engineers["id"], "displayName": "Engineers"}}
    )
    assert org.role(person) == "member"
    org.ask("DELETE", f"/Groups/{engineers['id']}", status=204)
    assert org.role(person) == "viewer"
    changes = [
        (facts["old_role"], facts["role"]) for _, facts in org.function.audits(org.id, "scim:members:role_changed")
    ]
    assert changes == [
        ("viewer", "member"), ("member", "admin"), ("admin", "member"), ("member", "viewer"), ("viewer", "member"),
        ("member", "viewer"),
    ]  # fmt: skip


def test_what_is_set_up_later_holds_for_everybody_from_then_on(org: ScimOrg) -> None:
    ada, bob = org.make_user("ada"), org.make_user("bob")
    org.make_group("Engineers", ada["id"])
    put_config(org, default_role="member", Engineers="admin")
    assert (org.role(org.person("ada")), org.role(org.person("bob"))) == ("admin", "member")
    put_config(org)
    assert (org.role(org.person("ada")), org.role(org.person("bob"))) == ("viewer", "viewer")
    shown = told(org.admin("GET", "/scim-config"))
    assert (shown["default_role"], shown["group_roles"]) == ("viewer", [])
    assert shown["scim_endpoint"] == f"https://driftwise.example/scim/v2/{org.id}"
    assert bob["active"]


def test_nobody_becomes_owner_by_a_group(org: ScimOrg) -> None:
    body = {"group_roles": [{"group": "Owners", "role": "owner"}]}
    assert org.admin("PUT", "/scim-config", body).status_code == 422
    assert org.admin("PUT", "/scim-config", {"default_role": "owner"}).status_code == 422
    twice = {"group_roles": [{"group": "A", "role": "member"}, {"group": "a", "role": "admin"}]}
    assert org.admin("PUT", "/scim-config", twice).status_code == 422
    owner = org.make_user("owner")
    put_config(org, Viewers="viewer")
    org.make_group("Viewers", owner["id"])
    assert org.role(org.owner_id) == "owner"


def test_who_is_off_gets_the_role_of_their_groups_when_back(org: ScimOrg) -> None:
    put_config(org, Engineers="member")
    ada = org.make_user("ada", active=False)
    org.make_group("Engineers", ada["id"])
    org.patch(f"/Users/{ada['id']}", {"op": "replace", "path": "active", "value": True})
    assert org.role(org.person("ada")) == "member"


def test_members_are_shown_with_name_and_address_and_people_with_their_groups(org: ScimOrg) -> None:
    ada = org.make_user("ada")
    group = org.make_group("Engineers", ada["id"])
    location = f"https://driftwise.example/scim/v2/{org.id}"
    assert group["members"] == [{"value": ada["id"], "$ref": f"{location}/Users/{ada['id']}", "type": "User"}]
    named = org.ask("GET", f"/Groups/{group['id']}?attributes=members.value,members.display")["members"]
    assert named == [{"value": ada["id"], "display": "Ada"}]
    shown = org.ask("GET", f"/Users/{ada['id']}")["groups"]
    assert shown == [
        {"value": group["id"], "$ref": f"{location}/Groups/{group['id']}", "display": "Engineers", "type": "direct"}
    ]
    org.ask("DELETE", f"/Users/{ada['id']}", status=204)
    assert "members" not in org.ask("GET", f"/Groups/{group['id']}")


def test_members_are_left_out_where_nobody_wants_them(org: ScimOrg) -> None:
    ada = org.make_user("ada")
    group = org.make_group("Engineers", ada["id"])
    path = f"/Groups/{group['id']}"
    assert "members" not in org.ask("GET", f"{path}?excludedAttributes=members")
    assert set(org.ask("GET", f"{path}?attributes=displayName")) == {"schemas", "id", "displayName"}
    assert org.ask("GET", f"{path}?attributes=members.value")["members"] == [{"value": ada["id"]}]
    (listed,) = org.ask("GET", "/Groups")["Resources"]
    assert [item["value"] for item in listed["members"]] == [ada["id"]]
    (listed,) = org.ask("GET", "/Groups?excludedAttributes=members")["Resources"]
    assert "members" not in listed


def test_a_large_groups_members_are_not_repeated_by_every_patch(org: ScimOrg) -> None:
    ids = [org.make_user(f"u{number}")["id"] for number in range(101)]
    group = org.make_group("Everybody", *ids[:100])
    path = f"/Groups/{group['id']}"
    assert len(org.patch(path, {"op": "replace", "path": "displayName", "value": "All"})["members"]) == 100
    assert "members" not in org.patch(path, add(ids[100]))
    assert len(org.ask("GET", path)["members"]) == 101
    body = {"schemas": [PATCH], "Operations": [add(ids[0])]}
    assert len(org.ask("PATCH", f"{path}?attributes=members", body)["members"]) == 101


def test_removal_with_a_list_of_values_takes_those_and_an_empty_replacement_all(org: ScimOrg) -> None:
    ids = [org.make_user(name)["id"] for name in ("ada", "bob", "cy")]
    group = org.make_group("Engineers", *ids)
    path = f"/Groups/{group['id']}"
    left = org.patch(path, {"op": "Remove", "path": "members", "value": [{"value": ids[0]}]})["members"]
    assert {item["value"] for item in left} == set(ids[1:])
    assert "members" in org.patch(path, {"op": "replace", "path": "externalId", "value": "e"})
    assert "members" not in org.patch(path, {"op": "replace", "path": "members", "value": []})
    counts = [
        (facts["members_added"], facts["members_removed"]) for _, facts in org.function.audits(org.id, "scim:group:%")
    ]
    assert counts == [(3, 0), (0, 1), (0, 0), (0, 2)]


def test_a_path_that_selects_by_more_than_ids_works_as_well(org: ScimOrg) -> None:
    ids = [org.make_user(name)["id"] for name in ("ada", "bob")]
    group = org.make_group("Engineers", *ids)
    operation = {"op": "remove", "path": f'members[type eq "User" and value eq "{ids[0]}"]'}
    assert [item["value"] for item in org.patch(f"/Groups/{group['id']}", operation)["members"]] == ids[1:]


def test_a_patch_is_all_or_nothing(org: ScimOrg) -> None:
    ada = org.make_user("ada")
    group = org.make_group("Engineers")
    path = f"/Groups/{group['id']}"
    operations = [
        add(ada["id"]),
        {"op": "replace", "path": "displayName", "value": "Changed"},
        {"op": "remove", "path": "displayName"},
    ]
    org.refused("PATCH", path, {"schemas": [PATCH], "Operations": operations}, status=400, scim_type="mutability")
    found = org.ask("GET", path)
    assert (found["displayName"], found.get("members"), found["meta"]["version"]) == ("Engineers", None, 'W/"1"')


def test_groups_in_groups_are_refused_and_names_are_taken_once(org: ScimOrg) -> None:
    group = org.make_group("Engineers")
    body = {"schemas": [GROUP], "displayName": "Nested", "members": [{"value": group["id"], "type": "Group"}]}
    org.refused("POST", "/Groups", body, status=400, scim_type="invalidValue")
    org.refused("POST", "/Groups", {"schemas": [GROUP], "displayName": "ENGINEERS"}, status=409, scim_type="uniqueness")


@pytest.mark.parametrize("way", ["same", "other"])
def test_what_changes_nothing_leaves_the_version(org: ScimOrg, way: str) -> None:
    ada = org.make_user("ada")
    group = org.make_group("Engineers", ada["id"])
    if way == "same":
        assert org.patch(f"/Groups/{group['id']}", add(ada["id"]))["meta"]["version"] == 'W/"1"'
        assert (
            org.patch(f"/Users/{ada['id']}", {"op": "replace", "path": "active", "value": "True"})["meta"]["version"]
            == 'W/"1"'
        )
    else:
        assert (
            org.patch(f"/Groups/{group['id']}", {"op": "replace", "path": "members", "value": []})["meta"]["version"]
            == 'W/"2"'
        )
