"""Sensitive values as digests: comparable, never readable."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import shapes
from functions.scan.domain.difference import changes
from functions.scan.domain.sealing import Sealer, incomparable, is_sealed, sealed_like, stored_attributes
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


@pytest.mark.parametrize(("live", "is_changed"), [("hunter2", False), ("hunter3", True), (None, True), ("", True)])
def test_sealed_and_plain_sides_are_compared_by_their_digests(live: object, is_changed: bool) -> None:
    state = stored_attributes(SPEC, {"password": "hunter2"}, frozenset(), SEAL)
    seen = sealed_like(SPEC, state, {"password": live, "name": "n"}, SEAL)
    found = changes(SPEC, state, seen, hidden=frozenset({"password"}))
    assert [change.path for change in found] == (["password"] if is_changed else [])
    assert "hunter" not in repr(found)


def test_only_what_the_state_seals_is_sealed_on_the_live_side() -> None:
    live = {"password": "a", "name": "b"}
    assert sealed_like(SPEC, {"password": "a", "name": "b"}, live, SEAL) == live


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
