"""Canonical forms: what each one folds together, and the real change beside it that must stay visible."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.domain import shapes
from functions.scan.domain.shapes import Shape

_BLOCK = shapes.block({"enabled": shapes.boolean, "days": shapes.number})
_KEYED = shapes.keyed("name", {"value": shapes.text})

# shape, two spellings of one value, a value that means something else
FOLDS: list[tuple[str, Shape, object, object, object]] = [
    ("null and the empty string", shapes.text, None, "", " "),
    ("a number as text", shapes.text, 80, "80", "81"),
    ("upper and lower case", shapes.folded_text, "TCP", "tcp", "udp"),
    ("a trailing dot", shapes.dns_name, "Example.COM.", "example.com", "example.org"),
    ("a number and its text", shapes.number, 443, "443", 444),
    ("whole and fractional spelling", shapes.number, 5, "5.0", 5.5),
    ("null and no number", shapes.number, None, "", 0),
    ("zero and not set, where the provider writes zero", shapes.number_or_zero, None, "0", 1),
    ("false and absent", shapes.boolean, None, False, True),
    ("a flag as text", shapes.boolean, "true", True, "false"),
    ("an empty map and null", shapes.string_map, {}, None, {"": ""}),
    ("numbers in a map", shapes.string_map, {"a": 1}, {"a": "1"}, {"a": "2"}),
    ("null and empty values in a map", shapes.string_map, {"a": None}, {"a": ""}, {}),
    ("tags that AWS sets", shapes.tags, {"Team": "x", "aws:cloudformation:stack-id": "y"}, {"Team": "x"}, {"Team": "y"}),
    ("no tags but AWS's own", shapes.tags, {"aws:x": "y"}, None, {"AWS:x": "y"}),
    ("set order", shapes.set_of(shapes.text), ["a", "b"], ["b", "a"], ["a", "c"]),
    ("repetition in a set", shapes.set_of(shapes.text), ["a", "a"], ["a"], ["a", "b"]),
    ("an empty set and null", shapes.set_of(shapes.text), [], None, ["a"]),
    ("one value and a set of it", shapes.set_of(shapes.number), "80", [80], [81]),
    ("an empty list and null", shapes.list_of(shapes.text), [], None, ["a"]),
    ("a list keeps its order", shapes.list_of(shapes.text), ["a", "b"], ["a", "b"], ["b", "a"]),
    ("a block of defaults and none", _BLOCK, [{"enabled": False, "days": None}], [], [{"enabled": True}]),
    ("a block and a list of one", _BLOCK, {"enabled": True}, [{"enabled": "true", "days": ""}], [{"enabled": True, "days": 1}]),
    ("a default that is spelled out", shapes.default_is("private", shapes.text), "private", None, "public-read"),
    ("named blocks in any order", _KEYED, [{"name": "a", "value": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "value": "1"}], [{"name": "a"}]),
    ("white space and order in a document", shapes.document, '{ "a": 1, "b": [1, 2] }', {"b": [1, 2], "a": 1}, {"a": 1, "b": [2, 1]}),
    ("an empty document and null", shapes.document, "{}", None, '{"a": null}'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "one", "other", "changed"), [fold[1:] for fold in FOLDS], ids=[fold[0] for fold in FOLDS]
)
def test_two_spellings_of_one_value_are_equal_and_a_change_beside_them_is_not(
    shape: Shape, one: object, other: object, changed: object
) -> None:
    assert shape(one) == shape(other)
    assert shape(changed) != shape(one)


@pytest.mark.parametrize("shape", [fold[1] for fold in FOLDS], ids=[fold[0] for fold in FOLDS])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
)
def test_no_shape_stumbles_over_a_value_it_does_not_expect(shape: Shape, value: Any) -> None:
    assert shape(value) == shape(value)


# --- Policies ---------------------------------------------------------------------------------------------------------

READ: dict[str, Any] = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
WRITE: dict[str, Any] = {"Effect": "Deny", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": ["*"]}


def _policy(*statements: object, **members: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements), **members}


def _with(**members: object) -> dict[str, object]:
    return _policy({**READ, **members})


SAME_POLICIES = {
    "text and parsed": (json.dumps(_policy(READ)), _policy(READ)),
    "white space": (json.dumps(_policy(READ), indent=4), json.dumps(_policy(READ), separators=(",", ":"))),
    "order of statements": (_policy(READ, WRITE), _policy(WRITE, READ)),
    "one statement and a list of it": (_policy(READ), {"Version": "2012-10-17", "Statement": READ}),
    "one action and a list of it": (_with(Action="s3:GetObject"), _with(Action=["s3:GetObject"])),
    "order of actions": (_with(Action=["a:b", "a:c"]), _with(Action=["a:c", "a:b"])),
    "case of actions": (_with(Action="S3:getobject"), _with(Action="s3:GetObject")),
    "order of resources": (_with(Resource=["arn:1", "arn:2"]), _with(Resource=["arn:2", "arn:1"])),
    "an account and its root": (
        _with(Principal={"AWS": "123456789012"}),
        _with(Principal={"AWS": ["arn:aws:iam::123456789012:root"]}),
    ),
    "order of principals": (_with(Principal={"AWS": ["arn:b", "arn:a"]}), _with(Principal={"AWS": ["arn:a", "arn:b"]})),
    "a condition's flag as text": (
        _with(Condition={"Bool": {"aws:SecureTransport": True}}),
        _with(Condition={"Bool": {"aws:securetransport": ["true"]}}),
    ),
    "an empty sid and none": (_with(Sid=""), _policy({name: READ[name] for name in READ if name != "Sid"})),
}
OTHER_POLICIES = {
    "the effect": _with(Effect="Deny"),
    "one action more": _with(Action=["s3:GetObject", "s3:PutObject"]),
    "every action": _with(Action="*"),
    "all actions but one": _policy({**{k: v for k, v in READ.items() if k != "Action"}, "NotAction": "s3:GetObject"}),
    "another resource": _with(Resource="*"),
    "the case of a resource": _with(Resource="arn:aws:s3:::B/*"),
    "everybody": _with(Principal="*"),
    "every AWS account": _with(Principal={"AWS": "*"}),
    "another account": _with(Principal={"AWS": "210987654321"}),
    "a service in the place of an account": _with(Principal={"Service": "ec2.amazonaws.com"}),
    "a condition": _with(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    "the condition's value": _with(Condition={"Bool": {"aws:SecureTransport": "false"}}),
    "the condition's operator": _with(Condition={"BoolIfExists": {"aws:SecureTransport": "true"}}),
    "the case of a condition's value": _with(Condition={"Bool": {"aws:SecureTransport": "True "}}),
    "one statement more": _policy(READ, WRITE),
    "no statement": _policy(),
    "the language's version": _policy(READ, Version="2008-10-17"),
    "the sid": _with(Sid="Other"),
}


@pytest.mark.parametrize(("one", "other"), SAME_POLICIES.values(), ids=SAME_POLICIES)
def test_a_policy_has_one_form_however_it_is_spelled(one: object, other: object) -> None:
    assert shapes.policy(one) == shapes.policy(other)


def test_policies_that_say_something_else_are_all_told_apart() -> None:
    forms = {name: shapes.policy(document) for name, document in {"as it was": _policy(READ), **OTHER_POLICIES}.items()}
    pairs = [(one, other) for one in forms for other in forms if one < other and forms[one] == forms[other]]
    assert pairs == []


@pytest.mark.parametrize("value", [None, "", "{}", {}, []])
def test_no_policy_is_null(value: object) -> None:
    assert shapes.policy(value) is None


@pytest.mark.parametrize("value", ["not json", '{"Statement": [], "Statement": []}', 3])
def test_what_cannot_be_read_as_a_policy_does_not_pass_for_none(value: object) -> None:
    assert shapes.policy(value) == value


_words = st.lists(st.sampled_from(["s3:Get*", "s3:Put*", "ec2:Describe*", "*"]), min_size=1, max_size=3)
_statements = st.lists(
    st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": _words, "Resource": _words},
        optional={
            "Principal": st.sampled_from([{"AWS": ["123456789012", "*"]}, {"Service": "ec2.amazonaws.com"}, "*"])
        },
    ),
    min_size=1,
    max_size=4,
)


@given(_statements, st.randoms())
def test_shuffling_a_policy_changes_nothing(statements: list[dict[str, Any]], chance: random.Random) -> None:
    shuffled = [dict(chance.sample(list(item.items()), len(item))) for item in statements]
    for item in shuffled:
        item["Action"] = chance.sample(item["Action"], len(item["Action"]))
        if len(item["Resource"]) == 1:
            item["Resource"] = item["Resource"][0]
    chance.shuffle(shuffled)
    assert shapes.policy(json.dumps(_policy(*shuffled))) == shapes.policy(_policy(*statements))


@given(_statements)
def test_one_action_more_is_always_seen(statements: list[dict[str, Any]]) -> None:
    wider = [{**statements[0], "Action": [*statements[0]["Action"], "iam:PassRole"]}, *statements[1:]]
    assert shapes.policy(_policy(*wider)) != shapes.policy(_policy(*statements))


@given(st.lists(st.text(max_size=4)))
def test_a_set_has_one_form_whatever_its_order(values: list[str]) -> None:
    shape = shapes.set_of(shapes.text)
    assert shape(values) == shape(list(reversed(values))) == shape([*values, *values])


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_number_equals_its_text(value: Decimal) -> None:
    assert shapes.number(str(value)) == shapes.number(float(value) if value == int(value) else str(value))


@given(st.integers(), st.integers())
def test_numbers_are_equal_only_to_themselves(one: int, other: int) -> None:
    assert (shapes.number(str(one)) == shapes.number(other)) == (one == other)


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=4), max_size=4))
def test_a_change_of_any_tag_of_a_user_is_seen(given_tags: dict[str, str]) -> None:
    own = {name: value for name, value in given_tags.items() if not name.startswith("aws:")}
    for name, value in own.items():
        assert shapes.tags({**given_tags, name: value + "!"}) != shapes.tags(given_tags)
    assert shapes.tags(given_tags) == (own or None)
