"""Laws of every canonical form: it folds only what means the same, and what it has folded it folds no further."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.scan.domain import shapes
from functions.scan.domain.difference import changes
from functions.scan.domain.shapes import Shape
from functions.scan.domain.specs import TypeSpec
from functions.scan.types.aws.route53 import plain_name, record_values

EXAMPLES = settings(max_examples=40)

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab1", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
_networks = st.builds(
    lambda number, length: ipaddress.ip_network((number, length), strict=False),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)
_labels = st.text("abcXYZ-", min_size=1, max_size=5)
_name = st.lists(_labels, min_size=1, max_size=3).map(".".join)
_statement = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Resource": st.lists(st.sampled_from(["*", "arn:a", "arn:b"]), min_size=1, max_size=2),
    },
    optional={
        "Sid": st.sampled_from(["", "One"]),
        "Action": st.lists(st.sampled_from(["a:Get", "a:put", "*"]), min_size=1, max_size=2),
        "NotAction": st.sampled_from(["a:Get", "b:*"]),
        "Principal": st.sampled_from(["*", {"AWS": "*"}, {"AWS": ["123456789012"]}, {"Service": "a.b"}]),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "StringLike"]),
            st.dictionaries(st.sampled_from(["k", "K", "l"]), st.sampled_from(["x", ["x", "y"], True]), max_size=2),
            max_size=2,
        ),
    },
)
_policy = st.lists(_statement, max_size=3).map(lambda found: {"Version": "2012-10-17", "Statement": found})

# A shape, and values of the kind it is made for.
KINDS: dict[str, tuple[Shape, st.SearchStrategy[Any]]] = {
    "text": (shapes.text, st.none() | st.text(max_size=4)),
    "folded_text": (shapes.folded_text, st.text("aA1", max_size=4)),
    "dns_name": (shapes.dns_name, _name | _name.map(lambda name: f"{name}.")),
    "cidr": (shapes.cidr, _networks.map(str) | _networks.map(lambda network: network.exploded.upper())),
    "ip_address": (shapes.ip_address, st.ip_addresses().map(str)),
    "number": (shapes.number, st.none() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2)),
    "boolean": (shapes.boolean, st.none() | st.booleans() | st.sampled_from(["true", "false", "TRUE"])),
    "schedule": (shapes.schedule, st.sampled_from(["rate(1 hour)", "rate(90 minutes)", "cron(0 0 * * ? *)", "rate(x)"])),
    "string_map": (shapes.string_map, st.dictionaries(st.text("aA", max_size=2), st.text("bB", max_size=2), max_size=3)),
    "tags": (shapes.tags, st.dictionaries(st.sampled_from(["aws:x", "Team", "team"]), st.text("b", max_size=2))),
    "document": (shapes.document, _json | _json.map(json.dumps)),
    "whole_document": (shapes.whole_document, _json.map(json.dumps)),
    "policy": (shapes.policy, _policy | _policy.map(json.dumps)),
    "set": (shapes.set_of(shapes.text), st.lists(st.text("ab", min_size=1, max_size=2), max_size=4)),
    "list": (shapes.list_of(shapes.number), st.lists(st.integers(0, 9), max_size=4)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"policy"}))
@EXAMPLES
@given(data=st.data())
def test_a_canonical_form_is_its_own_canonical_form(name: str, data: st.DataObject) -> None:
    shape, values = KINDS[name]
    once = shape(data.draw(values))
    again = shape(once)
    if isinstance(once, str) and name in {"document", "whole_document"}:
        return  # a text within a document may itself look like one
    assert again == once


@EXAMPLES
@given(_policy)
def test_a_policy_written_out_of_its_canonical_form_says_the_same(policy: dict[str, Any]) -> None:
    once = shapes.policy(policy)
    assert shapes.policy(json.dumps(once)) == once


@pytest.mark.parametrize("name", sorted(KINDS))
@EXAMPLES
@given(data=st.data())
def test_the_difference_is_empty_exactly_when_the_forms_are_one(name: str, data: st.DataObject) -> None:
    shape, values = KINDS[name]
    before, after = data.draw(values), data.draw(values)
    found = changes(TypeSpec("t", {"a": shape}), {"a": before}, {"a": after})
    assert bool(found) == (json.dumps(shape(before), default=str, sort_keys=True) != json.dumps(shape(after), default=str, sort_keys=True))  # fmt: skip
    assert all(item.path.startswith("a") for item in found)


@EXAMPLES
@given(_networks, _networks)
def test_blocks_are_one_exactly_when_they_hold_the_same_addresses(one: Any, other: Any) -> None:
    spelled = one.exploded.upper()
    assert shapes.cidr(spelled) == shapes.cidr(one.compressed)
    assert (shapes.cidr(spelled) == shapes.cidr(other.compressed)) == (one == other)


@EXAMPLES
@given(st.integers(0, 32), st.integers(0, 128))
def test_no_block_of_one_family_is_one_of_the_other(short: int, long: int) -> None:
    assert shapes.cidr(f"0.0.0.0/{short}") != shapes.cidr(f"::/{long}")


@EXAMPLES
@given(_json, _json)
def test_documents_are_one_exactly_when_json_says_so(one: Any, other: Any) -> None:
    texts = [json.dumps(item, sort_keys=True) for item in (one, other)]
    is_one = not changes(
        TypeSpec("t", {"a": shapes.whole_document}), {"a": json.dumps(one, indent=1)}, {"a": json.dumps(other)}
    )
    is_null = {"null"} >= set(texts)
    assert is_one == (texts[0] == texts[1] or is_null)


@EXAMPLES
@given(_policy, st.sampled_from(["Effect", "Resource", "Action"]))
def test_every_widening_of_a_statement_shows(policy: dict[str, Any], member: str) -> None:
    added = {"Effect": "Allow", "Resource": ["arn:new"], "Action": ["iam:PassRole"]}
    wider = {**policy, "Statement": [*policy["Statement"], added]}
    assert shapes.policy(wider) != shapes.policy(policy)
    other = {**added, member: {"Effect": "Deny", "Resource": "*", "Action": "*"}[member]}
    assert shapes.policy({**policy, "Statement": [*policy["Statement"], other]}) != shapes.policy(wider)


@EXAMPLES
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_rates_are_one_exactly_when_they_take_as_long(minutes: int, others: int) -> None:
    unit = "minute" if minutes == 1 else "minutes"
    assert shapes.schedule(f"rate({minutes * 60} minutes)") == shapes.schedule(f"rate({minutes} hours)")
    assert (shapes.schedule(f"rate({minutes} {unit})") == shapes.schedule(f"rate({others} minutes)")) == (minutes == others)  # fmt: skip


@EXAMPLES
@given(_name, _name)
def test_names_are_one_but_for_case_and_the_last_dot(one: str, other: str) -> None:
    escaped = "".join(character if character.isalnum() or character in "-." else f"\\{ord(character):03o}" for character in f"*.{one}")  # fmt: skip
    assert plain_name(f"{escaped}.") == plain_name(f"*.{one.upper()}")
    assert (plain_name(one) == plain_name(other)) == (one.lower() == other.lower())
    assert record_values("TXT", [one]) == [one]
    assert record_values("CNAME", [f"{one}."]) == record_values("CNAME", [one.upper()])
    assert (record_values("MX", [f"10 {one}"]) == record_values("MX", [f"10 {other}"])) == (one.lower() == other.lower())  # fmt: skip
