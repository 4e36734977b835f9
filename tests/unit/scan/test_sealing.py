"""Sensitive values as digests: comparable, never readable."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import records, shapes
from functions.scan.domain.comparison import Drift, Sides, compare
from functions.scan.domain.difference import changes
from functions.scan.domain.resources import Attributes, Declared, LiveResource
from functions.scan.domain.sealing import (
    Sealer,
    incomparable,
    is_sealed,
    mark_declared,
    mark_live,
    marks_of,
    stored_attributes,
)
from functions.scan.domain.specs import TypeSpec
from shared.ports.secret_store import Secret

SPEC = TypeSpec(
    "aws_thing",
    {"password": shapes.text, "env": shapes.string_map, "name": shapes.text, "size": shapes.number},
    sensitive=frozenset({"password"}),
)
OTHER = TypeSpec("aws_other", {"password": shapes.text})
KEY, SECOND, THIRD = (Secret(letter * 32) for letter in (b"k", b"l", b"m"))
ORG = UUID(int=1)
SEAL = Sealer([(1, KEY)], ORG)
BOTH = Sealer([(2, SECOND), (1, KEY)], ORG)
HIDDEN = frozenset({"password"})


def test_equal_values_have_equal_digests_however_they_are_spelled() -> None:
    assert SEAL(SPEC, "size", "5.0") == SEAL(SPEC, "size", 5)
    assert SEAL(SPEC, "env", {"b": 2, "a": 1}) == SEAL(SPEC, "env", {"a": "1", "b": "2"})


@given(st.text(min_size=1), st.text(min_size=1))
def test_digests_are_equal_only_for_equal_values(one: str, other: str) -> None:
    assert (SEAL(SPEC, "password", one) == SEAL(SPEC, "password", other)) == (one == other)


def test_the_same_value_looks_different_in_every_organisation_type_attribute_and_under_every_key() -> None:
    digests = [
        SEAL(SPEC, "password", "hunter2"),
        Sealer([(1, KEY)], UUID(int=2))(SPEC, "password", "hunter2"),
        Sealer([(1, SECOND)], ORG)(SPEC, "password", "hunter2"),
        SEAL(SPEC, "name", "hunter2"),
        SEAL(OTHER, "password", "hunter2"),
    ]
    assert len({json.dumps(digest) for digest in digests}) == len(digests)


def test_null_stays_null_so_that_removing_a_secret_is_seen() -> None:
    assert SEAL(SPEC, "password", None) is SEAL(SPEC, "password", "") is None


def test_a_digest_is_not_sealed_again() -> None:
    digest = SEAL(SPEC, "password", "hunter2")
    assert is_sealed(digest)
    assert SEAL(SPEC, "password", digest) == digest


@pytest.mark.parametrize(
    "value",
    [
        "text", None, 3, {}, {"$sealed": "0" * 64, "more": 1}, {"sealed": "0" * 64}, {"$sealed": "hunter2"}, {"$sealed": {}},
        {"$sealed": {"0": "0" * 64}}, {"$sealed": {"1": "hunter2"}}, {"$sealed": {"1": "0" * 64, "x": "0" * 64}},
        {"$sealed": {"9" * 5000: "0" * 64}}, {"$sealed": ["0" * 64]}, {"$sealed": {"1": ["0" * 64]}},
    ],
)  # fmt: skip
def test_ordinary_values_are_no_digests(value: object) -> None:
    assert not is_sealed(value)


@given(st.text(min_size=9))
def test_what_is_stored_never_holds_a_sensitive_value(secret: str) -> None:
    attributes = {"password": secret, "env": {"TOKEN": secret}, "name": "shop", "unmapped": secret}
    stored = stored_attributes(SPEC, attributes, frozenset({"env"}), SEAL)
    assert stored.keys() == {"password", "env", "name"}
    assert json.dumps(secret)[1:-1] not in json.dumps(stored)


def test_attributes_that_nothing_compares_are_not_stored() -> None:
    attributes = {"id": "t", "arn": "arn:x", "tags_all": {}, "user_data": "secret", "name": "n"}
    assert stored_attributes(SPEC, attributes, frozenset(), SEAL).keys() == {"id", "arn", "tags_all", "name"}
    assert stored_attributes(None, attributes, frozenset(), SEAL) == {"id": "t", "arn": "arn:x"}


TAGGED = TypeSpec("aws_tagged", {"description": shapes.text, "tags": shapes.tags, "rules": shapes.list_of(shapes.text)})
SPECS = {spec.type: spec for spec in (SPEC, TAGGED)}


def declared(attributes: Attributes, *sensitive: str, spec: TypeSpec = SPEC) -> Declared:
    """Declare a resource, as it comes back from the database."""
    item = Declared("a.b", spec.type, "k", attributes, frozenset(sensitive))
    (row,) = records.declared_rows([item], SPECS, SEAL)
    return records.declared_of(json.loads(json.dumps(row)))


def seen(attributes: Attributes, *states: Declared, spec: TypeSpec = SPEC, **more: Any) -> LiveResource:
    """See a resource, as it comes back from the database, while these states are known."""
    resource = LiveResource(spec.type, "k", "r", attributes, "arn:k", **more)
    return records.live_of(json.loads(json.dumps(records.live_row(resource, SPECS, SEAL, marks=marks_of(states)))))


def drift_of(live: LiveResource, *states: Declared) -> list[Drift]:
    """Compare, as the worker does."""
    marks = marks_of(states)
    spec = SPECS[live.type]
    hidden = mark_live(live, spec, marks, SEAL)
    sides = [mark_declared(state, spec, hidden, marks, SEAL) for state in states]
    return list(compare(Sides("1", frozenset({"r"}), sides, [hidden]), SPECS))


@pytest.mark.parametrize(("live", "is_changed"), [("hunter2", False), ("hunter3", True), (None, True), ("", True)])
def test_sealed_and_plain_sides_are_compared_by_their_digests(live: object, is_changed: bool) -> None:
    state = declared({"password": "hunter2"})
    for resource in (seen({"password": live, "name": "n"}, state), seen({"password": live, "name": "n"})):
        found = drift_of(resource, state)
        assert [item.path for item in found] == (["password"] if is_changed else [])
        assert all(item.is_sensitive for item in found)
        assert "hunter" not in repr(found)


def test_what_no_state_marks_stays_readable() -> None:
    state, live = declared({"name": "a"}), seen({"name": "b"})
    assert (live.attributes["name"], state.attributes["name"]) == ("b", "a")
    (found,) = drift_of(live, state)
    assert (found.before, found.after, found.is_sensitive) == ("a", "b", False)


@pytest.mark.parametrize("is_marked_early", [True, False], ids=["the state came first", "the cloud was read first"])
@pytest.mark.parametrize("value, is_changed", [("from a vault", False), ("another", True), (None, True)])
def test_a_live_value_is_hidden_when_a_state_marks_it(
    is_marked_early: bool, value: str | None, is_changed: bool
) -> None:
    state = declared({"name": "from a vault"}, "name")
    live = seen({"name": value, "env": {"a": "b"}}, *([state] if is_marked_early else []))
    assert is_sealed(live.attributes["name"]) == (is_marked_early and value is not None)
    assert live.attributes["env"] == {"a": "b"}
    marked = mark_live(live, SPEC, marks_of([state]), SEAL)
    assert value is None or value not in repr(marked)
    found = drift_of(live, state)
    assert [(item.path, item.is_sensitive) for item in found] == ([("name", True)] if is_changed else [])
    assert "vault" not in repr(found)


def test_a_null_that_a_state_marks_hides_what_the_cloud_has_in_its_place() -> None:
    state = declared({"name": None}, "name")
    live = seen({"name": "set by hand"}, state)
    assert "set by hand" not in repr(live)
    assert [item.is_sensitive for item in drift_of(live, state)] == [True]


def test_a_mark_that_a_state_takes_back_makes_no_drift() -> None:
    """The cloud was read while the mark was there: until it is read again, the state's value is hidden as well."""
    live = seen({"name": "a"}, declared({"name": "a"}, "name"))
    assert drift_of(live, declared({"name": "a"})) == []
    (found,) = drift_of(live, declared({"name": "b"}))
    assert found.is_sensitive


def test_a_mark_of_one_state_counts_for_every_state_of_the_resource() -> None:
    open_one, marking = declared({"name": "a"}), declared({"name": "a"}, "name")
    assert drift_of(seen({"name": "a"}, open_one, marking), open_one, marking) == []
    found = drift_of(seen({"name": "b"}, open_one, marking), open_one, marking)
    assert {item.is_sensitive for item in found} == {True}


def test_a_mark_counts_for_another_name_of_the_same_thing() -> None:
    state = declared({"description": "secret text"}, "description", spec=TAGGED)
    live = LiveResource(
        "aws_thing", "other", "r", {"name": "n", "description": "secret text"}, "c", aliases=(("aws_tagged", "k"),)
    )
    marked = mark_live(live, TypeSpec("aws_thing", {"description": shapes.text}), marks_of([state]), SEAL)
    assert "secret text" not in repr(marked)


@pytest.mark.parametrize("marked", ["tags", "tags_all"])
def test_marked_tags_are_hidden_in_both_attributes_and_beside_them(marked: str) -> None:
    """`tags_all` is what is compared, and readers keep tags a second time, for reports."""
    tags = {"Token": "hunter2-hunter2"}
    state = declared({"tags": tags, "tags_all": tags}, marked, spec=TAGGED)
    live = seen({"tags": tags}, state, spec=TAGGED, tags=tags)
    assert "hunter2" not in repr(state) + repr(live)
    assert drift_of(live, state) == []
    late = seen({"tags": {"Token": "hunter3-hunter3"}}, spec=TAGGED, tags={"Token": "hunter3-hunter3"})
    found = drift_of(late, state)
    assert [(item.path, item.is_sensitive) for item in found] == [("tags", True)]
    assert "hunter" not in repr(found)


def test_a_secret_inside_a_block_that_an_older_terraform_did_not_mark_is_not_stored() -> None:
    block = [{"type": "authenticate-oidc", "authenticate_oidc": [{"client_id": "c", "client_secret": "hunter2"}]}]
    stored = stored_attributes(TAGGED, {"rules": block}, frozenset(), SEAL)
    assert stored == {"rules": [{"type": "authenticate-oidc", "authenticate_oidc": [{"client_id": "c"}]}]}


# --- a new version of the key -----------------------------------------------------------------------------------------


def stored(value: object, seal: Sealer) -> dict[str, object]:
    return stored_attributes(SPEC, {"password": value}, frozenset(), seal)


def paths(state: dict[str, object], live: dict[str, object]) -> list[str]:
    return [change.path for change in changes(SPEC, state, live, hidden=HIDDEN)]


FIRST, SECOND_ONLY = SEAL, Sealer([(2, SECOND)], ORG)
EVERY = Sealer([(3, THIRD), (2, SECOND), (1, KEY)], ORG)


@pytest.mark.parametrize(
    ("of_state", "of_live"),
    [(FIRST, BOTH), (BOTH, FIRST), (BOTH, SECOND_ONLY), (FIRST, EVERY), (SECOND_ONLY, EVERY), (EVERY, BOTH)],
    ids=["state before", "live before", "the first is gone", "two rotations", "two, the first gone", "state after"],
)
def test_a_rotation_between_state_and_cloud_is_no_change_and_hides_none(of_state: Sealer, of_live: Sealer) -> None:
    state = stored("hunter2", of_state)
    assert paths(state, stored("hunter2", of_live)) == []
    assert paths(state, stored("hunter3", of_live)) == ["password"]
    assert paths(state, stored(None, of_live)) == ["password"]
    assert incomparable(state, stored("hunter3", of_live)) == ()


def test_digests_without_a_version_in_common_are_no_change_and_are_named() -> None:
    state, live = stored("hunter2", FIRST), stored("hunter3", SECOND_ONLY)
    assert paths(state, live) == []
    assert incomparable(state, live) == ("password",)
    assert incomparable(state, {}) == incomparable(state, {"password": None}) == ()


def test_digests_from_before_versions_were_named_are_of_the_first() -> None:
    digest = SEAL(SPEC, "password", "hunter2")
    assert isinstance(digest, dict)
    old: dict[str, object] = {"password": {"$sealed": digest["$sealed"]["1"]}}
    assert is_sealed(old["password"])
    assert paths(old, stored("hunter2", BOTH)) == []
    assert paths(old, stored("hunter3", BOTH)) == ["password"]
    assert incomparable(old, stored("hunter2", SECOND_ONLY)) == ("password",)


def test_a_value_that_only_looks_like_a_digest_is_sealed() -> None:
    """A map that a customer's function has in its environment."""
    looks = {"$sealed": "hunter2"}
    kept = stored_attributes(SPEC, {"env": looks}, frozenset({"env"}), SEAL)
    assert is_sealed(kept["env"])
    assert "hunter2" not in json.dumps(kept)
