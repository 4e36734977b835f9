"""A customer's own rules judge beside the built-in ones, and a rule that is switched off says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from shared.rules.engine import ALL_RULES, WHOLE_PLAN_RULES, judge_plan
from shared.rules.levels import Severity
from shared.rules.plan import Change, Plan
from shared.rules.rule import CUSTOM, Match, Rule, whole
from shared.rules.switches import rule_of
from shared.rules.values import UNKNOWN, raw


def _untagged(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.after is not None and not raw(change.after, "tags"):
        yield Match((whole(change),))


def _own(*types: str, severity: Severity = "high") -> Rule:
    return rule_of("own-tags", "custom", CUSTOM, severity, "No owner is named", types, _untagged, paths=("tags",))


def _flags(plan: Plan, extra: tuple[Rule, ...] = (), disabled: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(item.flag, item.severity, item.address) for item in judge_plan(plan, extra, disabled).findings]


QUEUE = Change("aws_sqs_queue.q", "aws_sqs_queue", ("create",), None, {"name": "q"})
NEW = Change("aws_new.n", "aws_new", ("create",), None, {"name": "n"})


def test_a_rule_of_ones_own_speaks_about_its_types_only_and_raises_the_level() -> None:
    assert _flags(Plan((QUEUE,))) == []
    assert _flags(Plan((QUEUE,)), (_own("aws_sqs_*"),)) == [("custom-rule", "high", QUEUE.address)]
    assert _flags(Plan((QUEUE,)), (_own("aws_sns_*"),)) == []
    assert judge_plan(Plan((QUEUE,)), (_own("*"),)).level == "high"


def test_what_a_rule_of_ones_own_looks_at_is_unknown_to_it_too() -> None:
    pending = Change(QUEUE.address, QUEUE.type, ("create",), None, {"tags": UNKNOWN})
    assert ("unknown-value", "medium", QUEUE.address) in _flags(Plan((pending,)), (_own(QUEUE.type),))


def test_a_type_is_covered_by_a_rule_of_ones_own_that_names_it_and_not_by_one_about_everything() -> None:
    assert judge_plan(Plan((NEW,)), (_own("aws_new"),)).uncovered == {}
    assert judge_plan(Plan((NEW,)), (_own("*"),)).uncovered == {"aws_new": 1}


def test_a_disabled_rule_says_nothing_and_covers_nothing() -> None:
    zone = Change(
        "aws_route53_record.r", "aws_route53_record", ("update",), {"ttl": 1, "name": "a"}, {"ttl": 2, "name": "a"}
    )
    assert _flags(Plan((zone,))) == [("dns-change", "low", zone.address)]
    verdict = judge_plan(Plan((zone,)), disabled=["dns-record", "never-was"])
    assert [item.flag for item in verdict.findings] == ["uncovered-type"]
    assert judge_plan(Plan((QUEUE,)), (_own("*"),), {"own-tags"}).findings == ()


def test_every_rule_about_the_whole_plan_can_be_disabled() -> None:
    many = tuple(Change(f"aws_new.d[{n}]", "aws_new", ("delete",), {}, None) for n in range(100))
    come = tuple(Change(f"aws_new.c[{n}]", "aws_new", ("create",), None, {}) for n in range(3))
    pending = Change("aws_security_group.g", "aws_security_group", ("create",), None, {"ingress": UNKNOWN})
    plan = Plan((*many, *come, pending))
    assert {rule.id for rule in WHOLE_PLAN_RULES} <= {item.rule for item in judge_plan(plan).findings}
    for rule in WHOLE_PLAN_RULES:
        assert rule.id not in {item.rule for item in judge_plan(plan, disabled={rule.id}).findings}


def test_with_every_rule_disabled_a_plan_has_no_findings_and_says_what_nobody_looked_into() -> None:
    verdict = judge_plan(Plan((QUEUE, NEW)), disabled=frozenset(rule.id for rule in ALL_RULES))
    assert verdict.findings == ()
    assert verdict.uncovered == {"aws_new": 1, "aws_sqs_queue": 1}
