"""A PATCH of members as a difference: the same outcome as on the whole group, without the group."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scim.domain.errors import InvalidPath, InvalidValue, NoTarget
from functions.scim.domain.members import MembersDelta, members_delta
from functions.scim.domain.operations import PATCH_URN, Operation, parse_patch
from functions.scim.domain.patch import apply_patch
from functions.scim.domain.schemas import GROUP


def delta_of(*operations: dict[str, Any]) -> MembersDelta | None:
    return members_delta(parse_patch({"schemas": [PATCH_URN], "Operations": list(operations)}))


def test_members_are_added_and_removed_by_id():
    found = delta_of(
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": "1"}, {"value": "2"}, {"value": "1"}]},
        {"op": "Remove", "path": "members", "value": [{"value": "3"}]},
        {"op": "remove", "path": 'members[value eq "4" or value eq "5"]'},
    )
    assert found == MembersDelta(False, ("1", "2"), frozenset({"3", "4", "5"}), ())


def test_the_last_word_on_a_member_counts():
    found = delta_of(
        {"op": "add", "path": "members", "value": "1"},
        {"op": "remove", "path": 'members[value eq "1"]'},
        {"op": "remove", "path": 'members[value eq "2"]'},
        {"op": "add", "path": "members", "value": ["2"]},
    )
    assert found == MembersDelta(False, ("2",), frozenset({"1"}), ())


def test_all_members_are_replaced_or_removed():
    assert delta_of({"op": "replace", "path": "members", "value": []}) == MembersDelta(True, (), frozenset(), ())
    assert delta_of({"op": "remove", "path": "members"}) == MembersDelta(True, (), frozenset(), ())
    assert delta_of({"op": "replace", "value": {"members": [{"value": "1"}]}}) == MembersDelta(
        True, ("1",), frozenset(), ()
    )
    both = delta_of(
        {"op": "replace", "path": "members", "value": ["1", "2"]}, {"op": "remove", "path": 'members[value eq "1"]'}
    )
    assert both == MembersDelta(True, ("2",), frozenset(), ())
    assert delta_of({"op": "replace", "path": "members", "value": None}) == MembersDelta(True, (), frozenset(), ())


def test_removing_no_value_removes_nobody():
    found = delta_of({"op": "remove", "path": "members", "value": []})
    assert found is not None
    assert found == MembersDelta(False, (), frozenset(), ())


def test_what_is_said_of_other_attributes_is_handed_on():
    found = delta_of(
        {
            "op": "replace",
            "value": {"id": "g", "displayName": "New", "members": [{"value": "1"}], "schemas": ["x"], "unknown": 1},
        }
    )
    assert found is not None
    assert found.others == (Operation("replace", "id", "g"), Operation("replace", "displayName", "New"))
    assert apply_patch({"id": "g", "displayName": "Old"}, found.others, GROUP).resource == {
        "id": "g",
        "displayName": "New",
    }


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": 'members[display co "x"]'}, {"op": "remove", "path": 'members[value eq "1" and type eq "User"]'}, {"op": "remove", "path": 'members[not (value eq "1")]'},
        {"op": "replace", "path": 'members[value eq "1"].display', "value": "x"}, {"op": "add", "path": "members.display", "value": "x"}, {"op": "remove", "path": 'members[value ne "1"]'},
    ],
)  # fmt: skip
def test_what_needs_the_whole_group_is_said(operation):
    assert delta_of(operation) is None


def test_wrong_operations_are_refused_as_on_the_whole_group():
    for operation, error in (
        ({"op": "add", "path": "members", "value": [{"display": "x"}]}, InvalidValue), ({"op": "add", "path": "members", "value": [5]}, InvalidValue),
        ({"op": "add", "path": "members", "value": [{"value": ""}]}, InvalidValue), ({"op": "remove"}, NoTarget), ({"op": "add", "path": "nosuch", "value": 1}, InvalidPath),
        ({"op": "add", "path": "members", "value": [{"value": str(number)} for number in range(20_001)]}, InvalidValue),
    ):  # fmt: skip
        with pytest.raises(error):
            delta_of(operation)


ids = st.sampled_from(["1", "2", "3", "4"])
values = st.lists(ids.map(lambda one: {"value": one}), max_size=3)
operations = st.one_of(
    st.tuples(st.sampled_from(["add", "Replace"]), values).map(
        lambda found: {"op": found[0], "path": "members", "value": found[1]}
    ),
    values.map(lambda found: {"op": "Remove", "path": "members", "value": found}),
    values.map(lambda found: {"op": "replace", "value": {"members": found, "displayName": f"{len(found)}"}}),
    ids.map(lambda found: {"op": "remove", "path": f'members[value eq "{found}"]'}),
    st.just({"op": "remove", "path": "members"}),
    st.just({"op": "replace", "path": "displayName", "value": "other"}),
)


@given(st.lists(operations, min_size=1, max_size=6), st.lists(ids, unique=True))
def test_the_difference_comes_to_what_the_whole_group_does(changes, before):
    group = {"displayName": "G"} | ({"members": [{"value": one} for one in before]} if before else {})
    read = parse_patch({"schemas": [PATCH_URN], "Operations": changes})
    whole = apply_patch(group, read, GROUP).resource
    delta = members_delta(read)
    assert delta is not None
    assert not delta.remove & set(delta.add)
    left = set() if delta.replaces_all else set(before)
    assert (left - delta.remove) | set(delta.add) == {one["value"] for one in whole.get("members", [])}
    assert apply_patch({"displayName": "G"}, delta.others, GROUP).resource["displayName"] == whole["displayName"]
