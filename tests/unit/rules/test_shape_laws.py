"""No value of any shape, at any place that a rule looks at, breaks a rule; and what carries no meaning changes no answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from functions.analyze.domain.plan import read_plan
from shared.rules.engine import ALL_RULES, Verdict, judge_plan
from shared.rules.levels import rank
from shared.rules.plan import Plan
from shared.rules.rule import Rule
from tests.support.record_plans import FOLDER, NAMES

# Glob patterns of rules, as types that providers have.
_SPELLED_OUT = (
    "google_project_iam_member", "google_project_iam_binding", "google_project_iam_policy", "google_storage_bucket_iam_binding",
    "google_organization_iam_policy", "aws_s3_bucket_policy", "aws_s3_bucket_lifecycle_configuration", "aws_iam_role", "aws_never_seen",
)  # fmt: skip
TYPES = sorted({name for rule in ALL_RULES for name in rule.types if "*" not in name} | set(_SPELLED_OUT))
# Read by rules beside the paths that they name.
_BESIDE = (
    "arn", "id", "name", "bucket", "tags", "type", "ttl", "engine", "engine_version", "apply_immediately", "skip_final_snapshot", "final_snapshot_identifier",
    "route.cidr_block", "route.gateway_id", "ingress.cidr_blocks", "ingress.prefix_list_ids", "prefix_list_id", "entry.cidr", "network", "network_interface.access_config",
    "network_interface.network", "target_tags", "inline_policy.policy", "policy_data.bindings.members", "permissions.not_actions", "security_rule.access", "security_rule.direction",
    "associate_public_ip_address", "internal", "publicly_accessible", "hash_key", "assume_role_policy", "frontend_ip_configuration.public_ip_address_id", "load_balancing_scheme",
)  # fmt: skip
_POLICY = '{"Statement": [{"Effect": "Allow", "Action": ["*", 5, null], "Resource": {"a": 1}, "Principal": {"AWS": ["*", 7]}, "Condition": {"StringLike": {"a:sub": "repo:*"}, "x": 3}}]}'
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "", "*", "0.0.0.0/0", "::/0", "999.1.1.1/99", "Allow", "a" * 3_000, "\ud800", "{", "[]", "[[[[", '"x"', "5", "nan", "1e999",
    "9" * 5_000, _POLICY, '{"Statement": {"Effect": ["Allow"]}}', '{"bindings": [{"role": [], "members": {"a": 1}}]}', "arn:aws:iam::123456789012:root", "allUsers",
    [], [[]], [None], [[[["x"]]]], {}, {"": None}, {"a": {"b": [{"c": 1}]}}, [{}, 5, "x", [{}], None], ["0.0.0.0/0", 7, None, {"x": 1}],
)  # fmt: skip
MARKS: tuple[Any, ...] = (True, False, None, [], {}, [True], {"a": True}, [{"a": [True]}], "true", 7)
ROUNDS = 6


@cache
def _paths(kind: str) -> list[str]:
    rules = [rule for rule in ALL_RULES if any(fnmatchcase(kind, pattern) for pattern in rule.types)]
    return sorted({path for rule in rules for path in rule.paths} | set(_BESIDE))


def _document(kind: str, draw: random.Random) -> dict[str, Any] | None:
    """Make attributes in which a bad value stands at a path, or on the way to it."""
    if draw.random() < 0.1:
        return None
    document: dict[str, Any] = {}
    for path in _paths(kind):
        if draw.random() < 0.5:
            continue
        steps = path.split(".")
        depth = draw.randint(1, len(steps))
        value: Any = draw.choice(HOSTILE)
        for step in reversed(steps[1:depth]):
            value = {step: value} if draw.random() < 0.5 else [{step: value}, draw.choice(HOSTILE)]
        document[steps[0]] = value
    return document


def _change(kind: str, number: int, draw: random.Random) -> dict[str, Any]:
    marks = {path.split(".")[0]: draw.choice(MARKS) for path in _paths(kind) if draw.random() < 0.2}
    hidden = {path.split(".")[0]: draw.choice(MARKS) for path in _paths(kind) if draw.random() < 0.1}
    actions = [
        ["create"],
        ["update"],
        ["delete"],
        ["delete", "create"],
        ["create", "delete"],
        ["forget"],
        ["no-op"],
        ["read"],
        [],
        ["new"],
    ]
    return {
        "address": f"{kind}.r[{number}]", "type": kind, "name": "r", "mode": "managed",
        "change": {
            "actions": draw.choice(actions), "before": _document(kind, draw), "after": _document(kind, draw), "after_unknown": draw.choice([marks, True, []]),
            "before_sensitive": draw.choice([hidden, True, None]), "after_sensitive": draw.choice([hidden, False, None]),
            "replace_paths": [[step if step != "0" else 0 for step in path.split(".")] for path in draw.sample(_paths(kind), 2)],
        },
    }  # fmt: skip


def _plan(changes: list[dict[str, Any]], kinds: list[str], draw: random.Random) -> dict[str, Any]:
    """Put changes into a plan whose configuration lets every resource refer to every other, over any attribute."""
    references = [f"{kind}.r" for kind in kinds]
    resources = [
        {"address": f"{kind}.r", "expressions": {path.split(".")[0]: {"references": draw.sample(references, 2)} for path in _paths(kind)}}
        for kind in kinds
    ]  # fmt: skip
    return {
        "format_version": "1.2",
        "resource_changes": changes,
        "resource_drift": changes[:1],
        "configuration": {"root_module": {"resources": resources}},
        "prior_state": {"values": {"root_module": {"resources": [{"mode": "data", "type": "google_organization", "values": draw.choice(HOSTILE)}]}}},
    }  # fmt: skip


def _plans(kind: str) -> Iterator[dict[str, Any]]:
    draw = random.Random(kind)  # the same plans in every run
    for _ in range(ROUNDS):
        kinds = [kind, *draw.sample([item for item in TYPES if item != kind], 2)]
        yield _plan([_change(item, number, draw) for number, item in enumerate(kinds)], kinds, draw)


@pytest.mark.parametrize("kind", TYPES)
def test_no_shape_of_a_value_breaks_a_rule_and_the_order_of_members_changes_nothing(kind: str) -> None:
    draw = random.Random(f"order of {kind}")
    for document in _plans(kind):
        assert judge_plan(read_plan(document)) == judge_plan(read_plan(_shuffled(document, draw)))


@pytest.mark.parametrize("name", NAMES)
def test_every_further_change_of_a_real_plan_leaves_the_level_or_raises_it(name: str) -> None:
    plan = read_plan((FOLDER / name / "plan.json").read_bytes())
    for order in (plan.changes, tuple(reversed(plan.changes))):
        levels = [judge_plan(_with(plan, order[:size])).level for size in range(len(order) + 1)]
        assert levels == sorted(levels, key=rank)


@pytest.mark.parametrize("name", NAMES)
def test_switching_rules_off_only_takes_findings_away(name: str) -> None:
    plan = read_plan((FOLDER / name / "plan.json").read_bytes())
    whole = judge_plan(plan)
    draw = random.Random(name)
    for _ in range(5):
        disabled = {rule.id for rule in draw.sample(ALL_RULES, len(ALL_RULES) // 2)}
        less = judge_plan(plan, disabled=disabled)
        assert _ids(less) <= _ids(whole)
        assert not {item.rule for item in less.findings} & disabled


def _ids(verdict: Verdict) -> set[str]:
    left_out = {
        "uncovered-type",
        "unknown-value",
    }  # what nobody looks into any more is told, and rules name unknowns together
    return {item.id for item in verdict.findings if item.flag not in left_out}


def _with(plan: Plan, changes: tuple[Any, ...]) -> Plan:
    return Plan(changes, drift=plan.drift, references=plan.references, own=plan.own)


def _shuffled(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        draw.shuffle(names)
        return {name: _shuffled(value[name], draw) for name in names}
    return [_shuffled(item, draw) for item in value] if isinstance(value, list) else value


def test_every_type_that_a_rule_names_is_among_those_tried() -> None:
    def is_tried(rule: Rule, pattern: str) -> bool:
        return pattern == "*" or any(fnmatchcase(kind, pattern) for kind in TYPES)

    missing = [(rule.id, pattern) for rule in ALL_RULES for pattern in rule.types if not is_tried(rule, pattern)]
    assert not missing
