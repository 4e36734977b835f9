"""Which drift an ignore rule hides, and which it never does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.scan.domain.ignoring import IgnoreRule, covering, marked
from functions.scan.triage_models import ChangeDrift, CreateIgnoreRule

ITEM = {
    "type": "aws_security_group", "address": "module.net.aws_security_group.web[0]", "cloud_id": "sg-1", "path": "ingress",
    "severity": "high", "key": "k",
}  # fmt: skip
TAGS = {"team": "web", "kubernetes.io/cluster/a": "owned"}


def rule(number: int = 1, **patterns: Any) -> IgnoreRule:
    values: dict[str, Any] = dict.fromkeys(
        ("type_pattern", "address_pattern", "cloud_id_pattern", "tag_pattern", "path_pattern")
    )
    return IgnoreRule(**({"id": UUID(int=number), "most_severity": "high"} | values | patterns))


@pytest.mark.parametrize(
    ("patterns", "is_hidden"),
    [
        ({"type_pattern": "aws_security_group"}, True),
        ({"type_pattern": "aws_*"}, True),
        ({"type_pattern": "aws_vpc"}, False),
        ({"address_pattern": "module.net.*[0]"}, True),
        ({"address_pattern": "module.net.*[1]"}, False),
        ({"cloud_id_pattern": "sg-?"}, True),
        ({"path_pattern": "ingress"}, True),
        ({"path_pattern": "egress"}, False),
        ({"tag_pattern": "kubernetes.io/cluster/*=owned"}, True),
        ({"tag_pattern": "team=ops"}, False),
        ({"type_pattern": "aws_*", "path_pattern": "egress"}, False),
        ({"type_pattern": "aws_*", "path_pattern": "ingress", "tag_pattern": "team=*"}, True),
        ({"type_pattern": "aws_*", "most_severity": "medium"}, False),
        ({"type_pattern": "aws_*", "most_severity": "critical"}, True),
    ],
)
def test_everything_that_a_rule_names_must_fit(patterns: dict[str, Any], is_hidden: bool) -> None:  # noqa: FBT001
    assert rule(**patterns).covers(ITEM, TAGS) is is_hidden


@pytest.mark.parametrize("name", ["address", "cloud_id", "path"])
def test_a_pattern_does_not_fit_what_is_not_there(name: str) -> None:
    assert not rule(**{f"{name}_pattern": "*"}).covers({**ITEM, name: None}, TAGS)
    assert not rule(tag_pattern="*").covers(ITEM, {})


def test_a_rule_hides_nothing_critical_unless_it_says_so() -> None:
    wish = CreateIgnoreRule(type="aws_*", reason="r")
    assert wish.most_severity == "high"
    assert not rule(type_pattern="aws_*").covers({**ITEM, "severity": "critical"}, TAGS)


def test_the_first_rule_that_fits_is_named_with_the_item() -> None:
    rules = [rule(1, type_pattern="aws_vpc"), rule(2, type_pattern="aws_*"), rule(3, path_pattern="*")]
    assert covering(rules, ITEM, {}) == UUID(int=2)
    other = {**ITEM, "type": "google_x", "path": None}
    assert [row["ignore_rule_id"] for row in marked([ITEM, other], rules, {})] == [UUID(int=2), None]


def test_tags_are_those_of_the_resource_with_that_type_and_key() -> None:
    rules = [rule(tag_pattern="team=web")]
    assert marked([ITEM], rules, {("aws_security_group", "k"): TAGS})[0]["ignore_rule_id"] == UUID(int=1)
    assert marked([ITEM], rules, {("aws_vpc", "k"): TAGS})[0]["ignore_rule_id"] is None


@given(
    st.dictionaries(
        st.sampled_from(["type", "address", "cloud_id", "tag", "path"]), st.text("*?", min_size=1, max_size=5)
    )
)
def test_a_rule_that_would_hide_everything_is_refused(patterns: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CreateIgnoreRule(**patterns, reason="r")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": "r"}, {"ignored_until": "2030-01-01T00:00:00Z"}, {"ignored_until": "2030-01-01T00:00:00", "reason": "r"},
     {"assignee": "  "}, {"assignee": "x" * 201}, {"is_acknowledged": True, "more": 1}, {"is_acknowledged": True, "reason": " "}],
)  # fmt: skip
def test_what_says_nothing_of_an_item_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChangeDrift.model_validate(body)
