"""PATCH: the examples and rules of RFC 7644 section 3.5.2, and what Okta and Entra ID make of them."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scim.domain.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    ScimError,
    TooMany,
)
from functions.scim.domain.operations import MOST_OPERATIONS, PATCH_URN, parse_patch
from functions.scim.domain.patch import MOST_COMPARED, apply_patch
from functions.scim.domain.schemas import ENTERPRISE_URN, GROUP, USER, USER_URN

USER_DOC: dict[str, Any] = {
    "id": "2819c223", "userName": "bjensen", "active": True, "meta": {"resourceType": "User"},
    "name": {"givenName": "Barbara", "familyName": "Jensen"},
    "emails": [{"value": "bjensen@example.com", "type": "work", "primary": True}, {"value": "babs@example.org", "type": "home"}],
    "addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "primary": True}],
    ENTERPRISE_URN: {"department": "Tours", "manager": {"value": "1", "$ref": "../Users/1"}},
}  # fmt: skip
GROUP_DOC: dict[str, Any] = {
    "id": "e9e30dba",
    "displayName": "Guides",
    "members": [{"value": "1"}, {"value": "2", "type": "User"}],
}


def operation(op: str, path: str | None = None, value: Any = ...) -> dict[str, Any]:
    found: dict[str, Any] = {"op": op}
    if path is not None:
        found["path"] = path
    return found if value is ... else {**found, "value": value}


def patched(resource: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    before = deepcopy(resource)
    schema = GROUP if "displayName" in resource else USER
    result = apply_patch(resource, parse_patch({"schemas": [PATCH_URN], "Operations": list(operations)}), schema)
    assert resource == before, "what came in is left as it was"
    assert result.changed == (result.resource != before)
    return result.resource


# --- the RFC's examples


def test_adding_a_member():  # figure in section 3.5.2.1
    added = patched(GROUP_DOC, operation("add", "members", [{"display": "Babs", "$ref": "../Users/3", "value": "3"}]))
    assert [member["value"] for member in added["members"]] == ["1", "2", "3"]


def test_adding_without_a_path():  # section 3.5.2.1
    added = patched(
        USER_DOC,
        operation("add", None, {"emails": [{"value": "babs@jensen.org", "type": "other"}], "nickname": "Babs"}),
    )
    assert added["nickName"] == "Babs"
    assert len(added["emails"]) == 3


def test_removing_one_member_and_all():  # section 3.5.2.2
    assert patched(GROUP_DOC, operation("remove", 'members[value eq "2"]'))["members"] == [{"value": "1"}]
    assert "members" not in patched(GROUP_DOC, operation("remove", "members"))


def test_removing_emails_by_two_conditions():  # section 3.5.2.2
    left = patched(USER_DOC, operation("remove", 'emails[type eq "work" and value ew "example.com"]'))["emails"]
    assert left == [{"value": "babs@example.org", "type": "home"}]


def test_removing_and_adding_in_one_request():  # section 3.5.2.2
    both = patched(
        GROUP_DOC, operation("remove", 'members[value eq "1"]'), operation("add", "members", [{"value": "9"}])
    )
    assert [member["value"] for member in both["members"]] == ["2", "9"]


def test_replacing_all_members():  # section 3.5.2.3
    assert patched(GROUP_DOC, operation("replace", "members", [{"value": "7"}]))["members"] == [{"value": "7"}]
    assert "members" not in patched(GROUP_DOC, operation("replace", "members", []))


def test_replacing_the_work_address_as_a_whole():  # section 3.5.2.3
    new = {
        "type": "work",
        "streetAddress": "911 Universal City Plaza",
        "locality": "Hollywood",
        "region": "CA",
        "primary": True,
    }
    assert patched(USER_DOC, operation("replace", 'addresses[type eq "work"]', new))["addresses"] == [new]


def test_replacing_one_part_of_the_work_address():  # section 3.5.2.3
    found = patched(USER_DOC, operation("replace", 'addresses[type eq "work"].streetAddress', "1010 Broadway Ave"))[
        "addresses"
    ]
    assert found == [{**USER_DOC["addresses"][0], "streetAddress": "1010 Broadway Ave"}]


def test_replacing_without_a_path():  # section 3.5.2.3
    found = patched(
        USER_DOC,
        operation("replace", None, {"emails": [{"value": "x@example.com", "type": "work"}], "nickName": "Babs"}),
    )
    assert found["emails"] == [{"value": "x@example.com", "type": "work"}]
    assert found["nickName"] == "Babs"


# --- every form of a path


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("title", "T", lambda one: one["title"]),
        ("TITLE", "T", lambda one: one["title"]),
        (f"{USER_URN}:title", "T", lambda one: one["title"]),
        ("name.familyName", "T", lambda one: one["name"]["familyName"]),
        (f"{USER_URN.upper()}:Name.FamilyName", "T", lambda one: one["name"]["familyName"]),
        ('emails[type eq "home"].display', "T", lambda one: one["emails"][1]["display"]),
        ('emails[Type EQ "HOME"].Display', "T", lambda one: one["emails"][1]["display"]),
        (f'{USER_URN}:emails[type eq "home"].display', "T", lambda one: one["emails"][1]["display"]),
        (f"{ENTERPRISE_URN}:department", "T", lambda one: one[ENTERPRISE_URN]["department"]),
        (f"{ENTERPRISE_URN}:manager.value", "T", lambda one: one[ENTERPRISE_URN]["manager"]["value"]),
        (f"{ENTERPRISE_URN.lower()}:Manager", {"value": "T"}, lambda one: one[ENTERPRISE_URN]["manager"]["value"]),
        (ENTERPRISE_URN, {"department": "T"}, lambda one: one[ENTERPRISE_URN]["department"]),
        (USER_URN, {"title": "T"}, lambda one: one["title"]),
        (None, {"title": "T"}, lambda one: one["title"]),
        ("", {"title": "T"}, lambda one: one["title"]),
        (None, {"name.familyName": "T"}, lambda one: one["name"]["familyName"]),
        (None, {"name": {"familyName": "T"}}, lambda one: one["name"]["familyName"]),
        (None, {f"{ENTERPRISE_URN}:department": "T"}, lambda one: one[ENTERPRISE_URN]["department"]),
        (None, {ENTERPRISE_URN: {"department": "T"}}, lambda one: one[ENTERPRISE_URN]["department"]),
        (None, {ENTERPRISE_URN: {"manager.value": "T"}}, lambda one: one[ENTERPRISE_URN]["manager"]["value"]),
        (None, {'emails[type eq "home"].display': "T"}, lambda one: one["emails"][1]["display"]),
        (None, {USER_URN: {"title": "T"}}, lambda one: one["title"]),
        ("emails.display", "T", lambda one: one["emails"][1]["display"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", ["add", "replace", "Add", "REPLACE"])
def test_every_form_of_a_path_is_written_to(op, path, value, place):
    assert place(patched(USER_DOC, operation(op, path, value))) == "T"


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("name.familyName", lambda one: "familyName" not in one["name"]),
        ("name", lambda one: "name" not in one),
        ("emails", lambda one: "emails" not in one),
        ("emails.type", lambda one: all("type" not in email for email in one["emails"])),
        ('emails[type eq "home"].value', lambda one: one["emails"][1] == {"type": "home"}),
        ('emails[type eq "home"]', lambda one: len(one["emails"]) == 1),
        (f"{ENTERPRISE_URN}:manager", lambda one: "manager" not in one[ENTERPRISE_URN]),
        (ENTERPRISE_URN, lambda one: ENTERPRISE_URN not in one),
        ('emails[type eq "none"]', lambda one: one == USER_DOC),
        ("title", lambda one: one == USER_DOC),
    ],
)
def test_every_form_of_a_path_is_removed(path, gone):
    assert gone(patched(USER_DOC, operation("Remove", path)))


def test_nothing_is_left_behind_where_all_is_removed():
    left = patched(
        USER_DOC, operation("remove", "name.familyName"), operation("remove", "name.givenName"), operation("remove", f"{ENTERPRISE_URN}:department"),
        operation("remove", f"{ENTERPRISE_URN}:manager"), operation("remove", "emails.type"), operation("remove", "emails.value"),
    )  # fmt: skip
    assert "name" not in left
    assert ENTERPRISE_URN not in left
    assert left["emails"] == [{"primary": True}]


# --- multi-valued attributes


def test_a_value_that_becomes_primary_is_the_only_one():
    for change in (
        operation("add", "emails", [{"value": "new@example.com", "primary": True}]),
        operation("replace", 'emails[type eq "home"].primary', True),
        operation("replace", 'emails[type eq "home"].primary', "True"),
        operation("add", 'emails[type eq "home"]', {"primary": True}),
        operation("add", 'emails[type eq "other" and primary eq true].value', "o@example.com"),
        operation("add", None, {"emails": [{"value": "babs@example.org", "primary": True}]}),
    ):
        emails = patched(USER_DOC, change)["emails"]
        assert [email.get("primary") for email in emails].count(True) == 1, change
        assert emails[0]["primary"] is False


def test_two_primary_values_at_once_are_refused():
    two = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]
    for change in (
        operation("replace", "emails", two),
        operation("add", "emails", two),
        operation("replace", "emails.primary", True),
    ):
        with pytest.raises(InvalidValue):
            patched(USER_DOC, change)


def test_adding_to_a_selected_value_keeps_the_rest_of_it():
    added = patched(USER_DOC, operation("add", 'emails[type eq "work"]', {"display": "Work"}))["emails"]
    assert added == [{**USER_DOC["emails"][0], "display": "Work"}, USER_DOC["emails"][1]]


def test_text_without_case_names_the_same_value():
    same = [{"value": "BABS@example.org", "type": "HOME"}]
    assert len(patched(USER_DOC, operation("add", "emails", same))["emails"]) == 2
    assert len(patched(USER_DOC, operation("remove", "emails", same))["emails"]) == 1
    assert len(patched(GROUP_DOC, operation("add", "members", ["a", "A"]))["members"]) == 4  # ids are exact


def test_adding_what_is_there_changes_nothing():
    assert (
        patched(USER_DOC, operation("add", "emails", [{"value": "BJENSEN@example.com", "type": "WORK"}]))["emails"][0][
            "primary"
        ]
        is True
    )
    again = patched(
        USER_DOC,
        operation("add", "emails", USER_DOC["emails"]),
        operation("add", "title", "x"),
        operation("remove", "title"),
    )
    assert again == USER_DOC
    assert patched(GROUP_DOC, operation("add", "members", [{"value": "1"}, {"value": "1"}])) == GROUP_DOC
    assert (
        len(
            patched(USER_DOC, operation("add", "emails", [{"value": "bjensen@example.com", "type": "other"}]))["emails"]
        )
        == 3
    )


def test_values_are_told_apart_by_their_types_in_no_time():
    many = [{"value": "1", "type": str(number)} for number in range(5_000)]
    start = time.process_time()
    added = patched({"displayName": "G"}, operation("add", "members", many), operation("add", "members", many))
    assert len(added["members"]) == 5_000
    assert "members" not in patched(added, operation("remove", "members", many))
    assert time.process_time() - start < 2
    assert "members" not in patched(added, operation("remove", 'members[value eq "1"]'))
    told = patched(
        {"displayName": "G"},
        operation("add", "members", [{"value": "1"}, {"value": "1", "type": "User"}, {"value": "1", "type": "Group"}]),
    )
    assert told["members"] == [{"value": "1", "type": "User"}, {"value": "1", "type": "Group"}]


def test_removing_by_value_removes_those_and_never_all():
    for value in (
        [{"value": "1"}],
        [{"$ref": None, "value": "1"}],
        {"value": "1"},
        ["1"],
        "1",
        [{"value": "1", "display": "whatever"}],
    ):
        assert patched(GROUP_DOC, operation("Remove", "members", value))["members"] == [GROUP_DOC["members"][1]], value
    for value in ([], [{"value": "absent"}]):
        assert patched(GROUP_DOC, operation("Remove", "members", value)) == GROUP_DOC, value


def test_a_group_is_not_emptied_by_a_value_that_names_nobody():
    for value in ([{"display": "x"}], [{}], [None], {}, "", [{"value": None}], [{"value": ""}]):
        for op in ("replace", "add", "remove"):
            with pytest.raises(InvalidValue, match=r"members\.value"):
                patched(GROUP_DOC, operation(op, "members", value))


def test_changing_one_attribute_leaves_the_members():  # langwatch#7131
    assert patched(GROUP_DOC, operation("Replace", "displayName", "New"))["members"] == GROUP_DOC["members"]


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ('emails[type eq "other"].value', {"type": "other", "value": "T"}),
        ('emails[type eq "other" and display eq "D"].value', {"type": "other", "display": "D", "value": "T"}),
        ('emails[primary eq "False"].value', {"primary": False, "value": "T"}),
    ],
)
@pytest.mark.parametrize("op", ["Add", "Replace"])
def test_a_missing_target_is_made_from_what_its_filter_describes(op, path, made):
    assert patched(USER_DOC, operation(op, path, "T"))["emails"][-1] == made
    assert patched({"userName": "x"}, operation(op, path, "T"))["emails"] == [made]


def test_a_missing_target_that_cannot_be_made_is_no_target():
    for change in (
        operation("replace", 'emails[type eq "other"]', {"value": "x"}),
        operation("replace", 'emails[type ne "work" and type ne "home"].value', "x"),
        operation("add", 'emails[value co "nobody"].type', "x"),
        operation("add", 'emails[type eq "a" or type eq "b"].value', "x"),
        operation("add", "emails[not (value pr)].type", "x"),
    ):  # fmt: skip
        with pytest.raises(NoTarget) as caught:
            patched(USER_DOC, change)
        assert caught.value.scim_type == "noTarget"


# --- values


def test_single_values_come_wrapped_too():
    for value in ("T", ["T"], [{"value": "T"}], {"value": "T"}):
        assert patched(USER_DOC, operation("replace", "title", value))["title"] == "T", value
        assert patched(USER_DOC, operation("replace", "name.givenName", value))["name"]["givenName"] == "T", value
        assert (
            patched(USER_DOC, operation("replace", 'emails[type eq "work"].value', value))["emails"][0]["value"] == "T"
        ), value


def test_a_manager_is_a_text_or_an_object_and_an_empty_one_is_none():
    for value in ("2", {"value": "2"}, [{"value": "2"}], ["2"]):
        assert patched(USER_DOC, operation("Add", f"{ENTERPRISE_URN}:manager", value))[ENTERPRISE_URN]["manager"] == {
            "value": "2"
        }, value
    for value in ("", None, {"value": None}, {"value": ""}, [{"value": ""}]):
        assert (
            "manager" not in patched(USER_DOC, operation("Replace", f"{ENTERPRISE_URN}:manager", value))[ENTERPRISE_URN]
        ), value


def test_null_takes_away():
    assert "name" not in patched(USER_DOC, operation("replace", "name", None))
    assert patched(USER_DOC, operation("replace", None, {"name": {"familyName": None}}))["name"] == {
        "givenName": "Barbara"
    }
    assert "emails" not in patched(USER_DOC, operation("replace", None, {"emails": None}))
    assert ENTERPRISE_URN not in patched(USER_DOC, operation("replace", ENTERPRISE_URN, None))


@pytest.mark.parametrize(
    ("value", "expected"), [("False", False), ("false", False), ("True", True), (True, True), (False, False)]
)
def test_booleans_as_text(value, expected):
    for change in (
        operation("Replace", "active", value),
        operation("replace", None, {"active": value}),
        operation("Add", "active", value),
    ):
        assert patched(USER_DOC, change)["active"] is expected


@pytest.mark.parametrize(
    "change",
    [
        operation("replace", "active", "yes"), operation("replace", "active", 1), operation("replace", "title", 5), operation("replace", "title", {"a": "b"}),
        operation("replace", "title", ["a", "b"]), operation("add", "title", None), operation("add", "title"), operation("replace", "title"),
        operation("replace", "name", "x"), operation("replace", "emails", [5]), operation("replace", "emails", [{"value": 5}]), operation("replace", None, "x"),
        operation("replace", None, ["x"]), operation("replace", "title", "a" * 2_000), operation("replace", "title", "a\x00"), operation("replace", "userName", ""),
        operation("replace", 'emails[type eq "work"].primary', "maybe"), operation("replace", "x509Certificates", [{"value": "not base64!"}]),
        operation("replace", "emails", [{"value": str(number)} for number in range(101)]),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(change):
    with pytest.raises(InvalidValue) as caught:
        patched(USER_DOC, change)
    assert (caught.value.status, caught.value.scim_type) == (400, "invalidValue")


def test_a_refusal_names_the_path():
    with pytest.raises(InvalidValue, match=r"emails\.primary is a boolean"):
        patched(USER_DOC, operation("replace", 'emails[type eq "work"].primary', "maybe"))


# --- what cannot be changed


@pytest.mark.parametrize(
    "change",
    [
        operation("replace", "id", "other"), operation("replace", None, {"id": "other"}), operation("remove", "id"), operation("replace", "meta", {"location": "x"}),
        operation("replace", "meta.version", "x"), operation("add", "groups", [{"value": "g"}]), operation("remove", "groups"), operation("remove", "userName"), operation("remove", "active"),
        operation("replace", "userName", None), operation("replace", f"{ENTERPRISE_URN}:manager.displayName", "x"), operation("add", "schemas", ["urn:x"]),
        operation("remove", 'groups[value eq "x"]'),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused_as_mutability(change):
    with pytest.raises(Mutability) as caught:
        patched(USER_DOC, change)
    assert (caught.value.status, caught.value.scim_type) == (400, "mutability")


def test_a_member_is_who_it_is():
    assert patched(GROUP_DOC, operation("add", 'members[value eq "1"].type', "User"))["members"][0]["type"] == "User"
    for change in (
        operation("replace", 'members[value eq "1"].display', "Anna"),
        operation("replace", 'members[value eq "2"].type', "Group"),
        operation("replace", 'members[value eq "1"].value', "9"),
        operation("add", 'members[value eq "1"]', {"value": "9"}),
    ):
        with pytest.raises(Mutability):
            patched(GROUP_DOC, change)


def test_read_only_parts_of_a_value_are_passed_over():
    same = patched(
        USER_DOC,
        operation(
            "replace",
            None,
            {"id": "2819c223", "meta": {"version": "9"}, "groups": [{"value": "g"}], "schemas": ["urn:x"]},
        ),
    )
    assert same == USER_DOC


# --- paths


@pytest.mark.parametrize(
    "path",
    [
        "nosuch", "name.nosuch", "name.givenName.x", 'emails[type eq "work"].nosuch', "title.value", 'emails[type eq "work"', '[type eq "work"]', "emails]", "a b", "1",
        'userName eq "x"', "title pr", 'name[givenName eq "a"]', 'userName[value eq "a"].value', f"{ENTERPRISE_URN}:nosuch", f"{USER_URN}:nosuch", "emails..value", ".", "members",
        "password", "a" * 5_000, "emails[" + "(" * 40 + 'type eq "a"' + ")" * 40 + "]", 'emails[type eq "work"].value.x', "/userName", "$.userName",
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", ["add", "remove"])
def test_what_is_no_path_is_refused(op, path):
    change = operation(op, path, "x") if op == "add" else operation(op, path)
    with pytest.raises(InvalidPath) as caught:
        patched(USER_DOC, change)
    assert (caught.value.status, caught.value.scim_type) == (400, "invalidPath")


def test_a_wrong_selection_is_an_invalid_filter():
    for path in ('emails[nosuch eq "a"].value', "emails[primary gt true].value", "emails[type eq 5]"):
        with pytest.raises(InvalidFilter):
            patched(USER_DOC, operation("add", path, "x"))


def test_other_peoples_schemas_are_passed_over():
    urn = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User"
    for change in (
        operation("Add", f"{urn}:badge", "1"), operation("Replace", None, {f"{urn}:badge": "1"}), operation("replace", None, {urn: {"badge": "1"}}), operation("Remove", urn),
        operation("add", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group:x", "1"), operation("replace", None, {"unknown": 1, "un.known": 2, "a[b]": 3}),
    ):  # fmt: skip
        assert patched(USER_DOC, change) == USER_DOC, change


def test_removing_without_a_path_is_no_target():
    for change in (operation("remove"), operation("remove", USER_URN), operation("Remove", None, {"title": "x"})):
        with pytest.raises(NoTarget):
            patched(USER_DOC, change)


# --- all or nothing


def test_one_wrong_operation_undoes_all():
    before = deepcopy(USER_DOC)
    with pytest.raises(InvalidPath):
        patched(
            USER_DOC, operation("replace", "title", "T"), operation("remove", "emails"), operation("add", "nosuch", 1)
        )
    assert before == USER_DOC


@pytest.mark.parametrize(
    "body",
    [
        None, [], "x", {}, {"schemas": [PATCH_URN]}, {"Operations": [operation("remove", "title")]}, {"schemas": ["urn:x"], "Operations": [operation("remove", "title")]},
        {"schemas": [PATCH_URN], "Operations": []}, {"schemas": [PATCH_URN], "Operations": {}}, {"schemas": [PATCH_URN], "Operations": ["x"]},
        {"schemas": [PATCH_URN], "Operations": [{}]}, {"schemas": [PATCH_URN], "Operations": [operation("move", "title", "x")]},
        {"schemas": [PATCH_URN], "Operations": [{"op": 5, "path": "title"}]}, {"schemas": [PATCH_URN], "Operations": [{"op": "add", "path": 5, "value": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_patch_message_is_invalid_syntax(body):
    with pytest.raises(InvalidSyntax):
        parse_patch(body)


def test_names_of_the_message_have_no_case():
    assert (
        parse_patch({"SCHEMAS": [PATCH_URN.upper()], "operations": [{"OP": "ADD", "Path": "title", "Value": "x"}]})[
            0
        ].op
        == "add"
    )


def test_the_caps_hold():
    many = [operation("add", "title", "x")] * (MOST_OPERATIONS + 1)
    with pytest.raises(TooMany):
        parse_patch({"schemas": [PATCH_URN], "Operations": many})
    group = {"displayName": "G", "members": [{"value": str(number)} for number in range(2_000)]}
    rounds = MOST_COMPARED // 2_000 + 1
    with pytest.raises(TooMany):
        patched(group, *[operation("remove", 'members[display eq "x"]')] * rounds)


_paths = st.sampled_from(
    ["title", "name", "name.givenName", "emails", 'emails[type eq "work"]', 'emails[type eq "x"].value', "emails.type", "active", "id", "meta", "nosuch", "", f"{ENTERPRISE_URN}:manager",
     ENTERPRISE_URN, "urn:x:y", "x509Certificates", "addresses[primary eq true].locality"]
)  # fmt: skip
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.sampled_from(["True", "work", "YQ=="]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "type", "primary", "Title", "name.givenName", "emails", "$ref", "urn:x", "id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"op": st.sampled_from(["add", "Replace", "remove"])}, optional={"path": _paths, "value": _values}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_sent_is_refused_or_leaves_a_whole_resource(operations):
    try:
        after = patched(USER_DOC, *operations)
    except ScimError as error:
        if error.status == 400:
            return
        raise
    assert after["id"] == USER_DOC["id"]
    assert after["userName"]
    assert apply_patch(after, (), USER).changed is False
    for emails in (after.get("emails", []), after.get("addresses", [])):
        assert all(isinstance(email, dict) and email for email in emails)
        assert [email.get("primary") for email in emails].count(True) <= 1
