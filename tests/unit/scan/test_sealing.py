"""Sensitive values as digests: comparable, never readable."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import shapes
from functions.scan.domain.difference import changes
from functions.scan.domain.sealing import is_sealed, make_sealer, sealed_like, stored_attributes
from functions.scan.domain.specs import TypeSpec
from shared.ports.secret_store import Secret

SPEC = TypeSpec(
    "aws_thing",
    {"password": shapes.text, "env": shapes.string_map, "name": shapes.text, "size": shapes.number},
    sensitive=frozenset({"password"}),
)
OTHER = TypeSpec("aws_other", {"password": shapes.text})
KEY = Secret(b"k" * 32)
SEAL = make_sealer(KEY, UUID(int=1))


def test_equal_values_have_equal_digests_however_they_are_spelled() -> None:
    assert SEAL(SPEC, "size", "5.0") == SEAL(SPEC, "size", 5)
    assert SEAL(SPEC, "env", {"b": 2, "a": 1}) == SEAL(SPEC, "env", {"a": "1", "b": "2"})


@given(st.text(min_size=1), st.text(min_size=1))
def test_digests_are_equal_only_for_equal_values(one: str, other: str) -> None:
    assert (SEAL(SPEC, "password", one) == SEAL(SPEC, "password", other)) == (one == other)


def test_the_same_value_looks_different_in_every_organisation_type_attribute_and_under_every_key() -> None:
    digests = [
        SEAL(SPEC, "password", "hunter2"),
        make_sealer(KEY, UUID(int=2))(SPEC, "password", "hunter2"),
        make_sealer(Secret(b"o" * 32), UUID(int=1))(SPEC, "password", "hunter2"),
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


@pytest.mark.parametrize("value", ["text", None, 3, {}, {"$sealed": "x", "more": 1}, {"sealed": "x"}])
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
