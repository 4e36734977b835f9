"""Laws that hold for every plan: nothing breaks the rules, one more change never makes a plan better, one plan has one answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import ALL_RULES, judge_plan
from shared.rules.levels import rank
from shared.rules.networks import gains, openings
from shared.rules.policies import glob_covers

TYPES = sorted(
    {name for rule in ALL_RULES for name in rule.types if "*" not in name}
    | {"google_project_iam_member", "google_project_iam_policy", "aws_new"}
)
NAMES = sorted({step for rule in ALL_RULES for path in rule.paths for step in path.split(".")} | {"inline_policy", "policy_data", "bindings", "route", "Statement", "Effect",
        "Action", "Principal", "Condition", "from_port", "ports", "security_rule", "permissions", "actions", "ttl", "type", "tags"})  # fmt: skip
WORDS = ["", "*", "0.0.0.0/0", "::/0", "10.0.0.0/8", "Allow", "INGRESS", "Inbound", "22", "1-99999", "-1", "tcp", "allUsers", "roles/owner", "true", "nan", "1e999",
         '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "*"}}]}', '{"Statement": 5}', "[]", "{", "arn:aws:iam::111111111111:root"]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 70_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=4)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.none() | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
ACTIONS = st.sampled_from(
    [
        ["no-op"],
        ["create"],
        ["read"],
        ["update"],
        ["delete"],
        ["delete", "create"],
        ["create", "delete"],
        ["forget"],
        ["create", "forget"],
        [],
        ["new"],
    ]
)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    return {
        "type": kind,
        "change": {
            "actions": draw(ACTIONS), "before": draw(DOCUMENTS), "after": draw(DOCUMENTS),
            "after_unknown": draw(st.dictionaries(st.sampled_from(NAMES), st.booleans() | st.just([{"policy": True}]), max_size=2)),
            "after_sensitive": draw(st.dictionaries(st.sampled_from(NAMES), st.booleans(), max_size=1)),
            "replace_paths": draw(st.lists(st.lists(st.sampled_from(NAMES) | st.integers(-1, 2), max_size=3), max_size=2)),
        },
    }  # fmt: skip


def _plan(items: list[dict[str, Any]], drift: int) -> Any:
    named = [{**item, "address": f"{item['type']}.r[{number}]"} for number, item in enumerate(items)]
    references = {"root_module": {"resources": [
        {"address": f"{item['type']}.r", "expressions": {"vpc_security_group_ids": {"references": [f"{other['type']}.r" for other in items]}}} for item in items
    ]}}  # fmt: skip
    return {
        "format_version": "1.2",
        "resource_changes": named[drift:],
        "resource_drift": named[:drift],
        "configuration": references if drift else None,
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(changes(), max_size=4), st.integers(0, 1))
def test_no_plan_breaks_a_rule_and_one_plan_has_one_answer(items: list[dict[str, Any]], drift: int) -> None:
    document = _plan(items, drift)
    assert judge_plan(read_plan(document)) == judge_plan(read_plan(document))


@settings(max_examples=150, deadline=None)
@given(st.lists(changes(), max_size=3), changes())
def test_one_more_change_never_lowers_the_level(items: list[dict[str, Any]], more: dict[str, Any]) -> None:
    less = judge_plan(read_plan(_plan(items, 0))).level
    assert rank(judge_plan(read_plan(_plan([*items, more], 0))).level) >= rank(less)


CIDRS = st.sampled_from(
    [
        "0.0.0.0/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "10.0.0.0/8",
        "203.0.113.0/24",
        "203.0.113.0/25",
        "8.0.0.0/7",
        "::/0",
        "2001:db8::/32",
        "2000::/3",
    ]
)
RULES = st.lists(
    st.tuples(st.sampled_from(["tcp", "udp", "-1", "icmp", "47"]), st.integers(0, 100), st.integers(0, 100), CIDRS),
    max_size=5,
)


def _open(rules: list[tuple[str, int, int, str]]) -> list[Any]:
    return [item for name, one, two, cidr in rules for item in openings(name, min(one, two), max(one, two), [cidr])]


@given(RULES, RULES)
def test_what_was_open_already_or_is_taken_away_is_no_gain(one: list[Any], two: list[Any]) -> None:
    assert gains(_open([*one, *two]), _open(one)) == []
    assert gains(_open(one), _open([*reversed(one), *one])) == []


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_covers_what_it_matches(pattern: str, text: str) -> None:
    from fnmatch import fnmatchcase

    assert glob_covers(pattern, text) == fnmatchcase(text, pattern)
    assert glob_covers(pattern, pattern) or "?" in pattern or "*" not in pattern
