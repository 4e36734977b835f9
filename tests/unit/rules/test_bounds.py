"""Large plans are judged in bounded time, and what is too large to be compared is unknown, never safe."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from shared.rules.engine import PlanTooComplex, judge_change, judge_plan
from shared.rules.networks import MOST_OPENINGS
from shared.rules.plan import MOST_DEPENDENTS, Change, Plan
from shared.rules.policies import MOST_STATEMENTS, MOST_WORDS


def _policy(*statements: dict[str, Any]) -> dict[str, str]:
    return {"policy": json.dumps({"Statement": list(statements)})}


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
ADMIN = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize("kind", ["aws_iam_policy", "aws_s3_bucket_policy", "aws_kms_key"])
def test_a_policy_with_too_many_statements_is_unknown_whatever_stands_in_it(kind: str) -> None:
    long = _policy(*[READ] * MOST_STATEMENTS, {**ADMIN, "Principal": "*"})
    for before, actions in ((None, ("create",)), (_policy(READ), ("update",))):
        change = Change(f"{kind}.x", kind, actions, before, long)
        found = judge_change(change, Plan((change,)))
        assert [(item.flag, item.severity) for item in found] == [("unknown-value", "medium")]


def test_a_policy_just_short_enough_is_read_to_its_end() -> None:
    change = Change(
        "aws_iam_policy.x", "aws_iam_policy", ("create",), None, _policy(*[READ] * (MOST_STATEMENTS - 1), ADMIN)
    )
    assert {item.flag for item in judge_change(change, Plan((change,)))} == {"iam-wildcard"}


def test_a_policy_with_too_many_actions_is_unknown() -> None:
    many = [f"s{number}:*" for number in range(MOST_WORDS)]
    change = Change("aws_iam_policy.x", "aws_iam_policy", ("create",), None, _policy({**ADMIN, "Action": many}))
    assert {item.flag for item in judge_change(change, Plan((change,)))} == {"unknown-value"}


def test_a_group_with_too_many_openings_is_unknown() -> None:
    blocks = [
        {"protocol": "tcp", "from_port": number, "to_port": number, "cidr_blocks": ["0.0.0.0/0"]}
        for number in range(MOST_OPENINGS + 1)
    ]
    change = Change("aws_security_group.x", "aws_security_group", ("create",), None, {"ingress": blocks})
    assert {item.flag for item in judge_change(change, Plan((change,)))} == {"unknown-value"}


def test_judging_ends_when_the_time_is_over_and_says_how_far_it_came() -> None:
    plan = Plan(tuple(Change(f"aws_sns_topic.t[{n}]", "aws_sns_topic", ("delete",), {}, None) for n in range(10)))
    answers = iter([False, False, False, True])
    with pytest.raises(PlanTooComplex) as caught:
        judge_plan(plan, is_over=lambda: next(answers))
    assert (caught.value.judged, caught.value.total) == (3, 10)
    assert judge_plan(plan, is_over=lambda: False) == judge_plan(plan)


def _chain(size: int) -> Plan:
    changes = tuple(Change(f"aws_sns_topic.t{n}", "aws_sns_topic", ("delete",), {}, None) for n in range(size))
    references = {f"aws_sns_topic.t{n}": {"name": frozenset({f"aws_sns_topic.t{n - 1}"})} for n in range(1, size)}
    return Plan(changes, references=references)


def test_dependents_are_counted_up_to_a_bound_the_nearest_first() -> None:
    plan = _chain(3 * MOST_DEPENDENTS)
    found = plan.dependents(plan.changes[0])
    assert len(found) == MOST_DEPENDENTS
    assert found[:3] == ("aws_sns_topic.t1", "aws_sns_topic.t2", "aws_sns_topic.t3")
    first = next(item for item in judge_plan(plan).findings if item.address == "aws_sns_topic.t0")
    assert f"{MOST_DEPENDENTS} or more depend on it: aws_sns_topic.t1, " in first.note


def test_a_chain_ten_times_as_long_takes_about_ten_times_as_long() -> None:
    def seconds(size: int) -> float:
        plan = _chain(size)
        began = time.process_time()
        judge_plan(plan)
        return time.process_time() - began

    seconds(100)
    assert seconds(5_000) < 40 * seconds(500)  # a walk over everything would take a hundred times as long


def _exposed(size: int) -> Plan:
    """Make groups and firewall rules that each let the world in, and databases and machines behind all of them."""
    block = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
    firewall = {"network": "a", "allow": [{"protocol": "tcp", "ports": ["22"]}], "source_ranges": ["0.0.0.0/0"]}
    kinds: dict[str, dict[str, Any]] = {
        "aws_security_group": {"ingress": [block]}, "aws_db_instance": {"publicly_accessible": True},
        "google_compute_firewall": firewall, "google_compute_instance": {"network_interface": [{"network": "a", "access_config": [{}]}]},
    }  # fmt: skip
    changes = tuple(
        Change(f"{kind}.x[{n}]", kind, ("create",), None, document)
        for kind, document in kinds.items()
        for n in range(size)
    )
    references = {"aws_db_instance.x": {"vpc_security_group_ids": frozenset({"aws_security_group.x"})}}
    return Plan(changes, references=references)


def test_ways_that_many_resources_share_are_followed_once() -> None:
    def seconds(size: int) -> float:
        plan = _exposed(size)
        began = time.process_time()
        found = judge_plan(plan).findings
        assert sum("open-way" in item.rule for item in found) == 2 * size
        return time.process_time() - began

    seconds(10)
    assert seconds(500) < 40 * seconds(50)
