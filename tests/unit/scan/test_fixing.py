"""Generated configuration: nothing in a value becomes code, no secret is written, nothing is said that the provider computes."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.scan.fixing import hcl
from functions.scan.fixing.configuration import named
from functions.scan.fixing.importing import build_import
from functions.scan.fixing.reverting import build_revert
from functions.scan.types.aws import SPECS
from functions.scan.types.aws.imports import RULES
from functions.scan.types.aws.schema import SCHEMA
from functions.scan.types.import_rules import Source

SEALED = {"$sealed": {"1": "a" * 64}}


def _source(key: str = "vpc-1", attributes: dict[str, Any] | None = None, **tags: str) -> Source:
    return Source(key, key, attributes or {}, tags)


@given(st.text(max_size=40))
def test_no_text_becomes_an_expression(text: str) -> None:
    written = hcl.quoted(text)
    inside = written[1:-1]
    assert written[0] == written[-1] == '"'
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", inside.replace("$${", "").replace("%%{", ""))
    assert not re.search(r'(?<!\\)(\\\\)*"', inside)
    assert inside.isprintable()


@given(st.text(min_size=1, max_size=40))
def test_a_name_is_one_of_terraform(text: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", named([text]))


def test_values_are_laid_out_like_terraform_fmt() -> None:
    found = hcl.Block(
        'resource "a" "b"',
        [("long_name", 1), ("x", [True, None]), ("tags", {"Name": "n", "a b": "c"}), hcl.Block("inner", [])],
    )
    assert hcl.block(found) == (
        'resource "a" "b" {\n  long_name = 1\n  x         = [true, null]\n  tags      = {\n    Name = "n"\n    "a b" = "c"\n  }\n\n  inner {}\n}'
    )


def test_secrets_are_variables() -> None:
    found = build_import("aws_ssm_parameter", Source("arn:aws:ssm:us-east-1:1:parameter/shop/key", "arn:aws:ssm:us-east-1:1:parameter/shop/key",
                                                     {"type": "SecureString", "value": SEALED, "description": SEALED}, {}))  # fmt: skip
    assert found.configuration
    assert "a" * 64 not in found.configuration
    assert "var.key_value" in found.configuration
    assert 'variable "key_value"' in found.configuration
    assert "var.key_description" in found.configuration
    assert any("Secrets" in note for note in found.notes)


def test_what_only_the_provider_sets_is_left_out() -> None:
    found = build_import(
        "aws_vpc",
        _source(attributes={"cidr_block": "10.0.0.0/16", "main_route_table_id": "rtb-1", "ipv6_cidr_block": ""}),
    )
    assert found.configuration
    assert "rtb-1" not in found.configuration
    assert "ipv6_cidr_block" not in found.configuration


def test_a_type_without_a_known_import_says_how_to_go_on() -> None:
    found = build_import("aws_key_pair", _source("operations"))
    assert (found.id, found.configuration) == (None, None)
    assert "generate-config-out" in found.notes[0]


@pytest.mark.parametrize("type_name", sorted(RULES))
def test_every_rule_names_attributes_that_can_be_set(type_name: str) -> None:
    rule, schema = RULES[type_name], SCHEMA.attribute_schema(type_name)
    assert schema is not None
    assert type_name in SPECS
    source = Source("a|b|100", "arn:aws:x:us-east-1:1:thing/name-abcdef", {}, {})
    for name in (*rule.adds(source), *rule.unreadable, *(path.split(".")[0] for path in rule.left_out)):
        assert name in schema, name
    for name in rule.adds(source):
        assert not schema[name].is_computed_only


def _item(**members: Any) -> dict[str, Any]:
    base = {
        "kind": "changed",
        "type": "aws_subnet",
        "path": "tags.a",
        "before": "x",
        "after": "y",
        "is_sensitive": False,
    }
    return {**base, **members}


def test_a_replacement_is_told_where_it_is_known() -> None:
    found = build_revert("aws_subnet.a", [_item(), _item(path="cidr_block")])
    assert found.action == "replace"
    assert {change.path: change.replaces for change in found.changes} == {"cidr_block": True, "tags.a": None}
    assert build_revert("aws_subnet.a", [_item()]).action == "update"


@given(st.text(min_size=1, max_size=30))
def test_the_command_is_safe_in_a_shell(index: str) -> None:
    address = f"aws_subnet.a[{json.dumps(index)}]"
    assert shlex.split(build_revert(address, [_item()]).command)[2] == f"-target={address}"
