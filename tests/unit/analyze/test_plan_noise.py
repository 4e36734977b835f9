"""Noise and suppressions, and what they can never hide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain.plan_noise import NoiseKey, Settings, Suppression
from functions.analyze.domain.policy import Policy, PolicyRule
from functions.analyze.domain.rulebook import Judgement, Rulebook, judge
from shared.rules.engine import MANY_CHANGED_RULE, judge_plan
from shared.rules.levels import Level, rank
from shared.rules.plan import Change, Plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = Suppression(UUID(int=1), "*", None, None, "all of it")


def update(address: str, before: dict[str, Any], after: dict[str, Any], **more: Any) -> Change:
    return Change(address, address.rsplit(".", 2)[-2], ("update",), before, after, **more)


QUEUE = update("aws_sqs_queue.jobs[0]", {"delay_seconds": 1}, {"delay_seconds": 2})
TAGS = update("aws_sqs_queue.tagged", {"tags": {"a": "1"}}, {"tags": {"a": "2"}})
SPELLING = update("aws_sqs_queue.spelled", {"tags": {}}, {"tags": None})
BAD = update(
    "aws_db_instance.main",
    {"deletion_protection": True, "tags": {"a": "1"}},
    {"deletion_protection": False, "tags": {"a": "2"}},
)


def suppress(attribute: str = "*", kind: str | None = None, address: str | None = None) -> Suppression:
    return Suppression(UUID(int=7), attribute, kind, address, "known")


def hidden(judgement: Judgement) -> set[str]:
    return {address for address, _ in judgement.noise.hidden}


def test_a_suppression_hides_an_update_whose_every_difference_it_covers() -> None:
    judged = judge(Plan((QUEUE, TAGS)), Rulebook(suppressions=(suppress("tags"),)))
    assert hidden(judged) == {TAGS.address}
    assert [(item.address, item.attribute, item.suppression) for item in judged.noise.items] == [
        (TAGS.address, "tags", suppress("tags"))
    ]


def test_a_suppression_is_about_a_type_and_an_address_with_or_without_its_index() -> None:
    plan = Plan((QUEUE, TAGS))
    for address in ("aws_sqs_queue.jobs[0]", "aws_sqs_queue.jobs", "aws_sqs_queue.j*", "*[0]"):
        assert hidden(judge(plan, Rulebook(suppressions=(suppress("*", None, address),)))) == {QUEUE.address}, address
    assert hidden(judge(plan, Rulebook(suppressions=(suppress("*", "aws_sns_*"),)))) == set()
    assert hidden(judge(plan, Rulebook(suppressions=(suppress("*", "aws_sqs_*"),)))) == {QUEUE.address, TAGS.address}


def test_nothing_is_suppressed_while_noise_is_off() -> None:
    judged = judge(Plan((QUEUE,)), Rulebook(noise=Settings(is_enabled=False), suppressions=(EVERYTHING,)))
    assert (judged.noise.items, judged.noise.hidden, judged.noise.seen) == ((), frozenset(), ())


def test_a_resource_with_a_bad_finding_hides_nothing() -> None:
    judged = judge(Plan((BAD,)), Rulebook(suppressions=(EVERYTHING,)))
    assert (hidden(judged), judged.noise.items) == (set(), ())
    assert rank(judged.level) >= rank("high")


def test_a_policy_that_accepts_or_raises_does_not_open_a_way_to_hide() -> None:
    accepting = Policy(1, (PolicyRule("a", "*", None, "none", "we know"),))
    assert hidden(judge(Plan((BAD,)), Rulebook(policy=accepting, suppressions=(EVERYTHING,)))) == set()
    quiet = (
        update("aws_zzz_thing.a", {"b": 1}, {"b": 2}),
        update("aws_instance.x", {"instance_type": "t3.large"}, {"instance_type": "t3.nano"}),
    )
    for change in quiet:
        plan = Plan((change,))
        raising = Policy(1, (PolicyRule("a", "*", None, "critical", "no"),))
        is_flagged = any(item.address == change.address for item in judge_plan(plan).findings)
        judged = judge(plan, Rulebook(policy=raising, suppressions=(EVERYTHING,)))
        assert (hidden(judged) == set()) == is_flagged


def test_recurring_noise_is_told_and_hidden_only_when_that_is_wanted() -> None:
    key = NoiseKey("aws_sqs_queue", "aws_sqs_queue.spelled", "tags", "null and empty are the same")
    plan = Plan((SPELLING,))
    assert judge(plan, Rulebook()).noise.seen == (key,)
    shown = judge(plan, Rulebook(recurring=frozenset({key})))
    assert ([item.is_recurring for item in shown.noise.items], hidden(shown)) == ([True], set())
    unseen = judge(plan, Rulebook(recurring=frozenset({key}), noise=Settings(hides_recurring=True)))
    assert hidden(unseen) == {SPELLING.address}
    assert hidden(judge(plan, Rulebook(noise=Settings(hides_recurring=True)))) == set(), "it was not seen often enough"


def test_real_differences_beside_recurring_noise_are_shown() -> None:
    key = NoiseKey("aws_sqs_queue", "aws_sqs_queue.spelled", "tags", "null and empty are the same")
    both = update(SPELLING.address, {"tags": {}, "delay_seconds": 1}, {"tags": None, "delay_seconds": 2})
    judged = judge(Plan((both,)), Rulebook(recurring=frozenset({key}), noise=Settings(hides_recurring=True)))
    assert hidden(judged) == set()


def test_hidden_updates_do_not_count_towards_many_changes() -> None:
    plan = Plan(tuple(update(f"aws_sqs_queue.q{n}", {"tags": n}, {"tags": n + 1}) for n in range(120)))

    def many(rulebook: Rulebook) -> list[tuple[Level, Any]]:
        findings = judge(plan, rulebook).findings
        return [
            (item.severity, item.finding.evidence[0].after)
            for item in findings
            if item.finding.rule == MANY_CHANGED_RULE.id
        ]

    assert many(Rulebook()) == [("medium", 120)]
    assert many(Rulebook(suppressions=(suppress("tags", None, "aws_sqs_queue.q1?"),))) == [("medium", 110)]
    assert many(Rulebook(suppressions=(suppress("tags"),))) == []


attributes = st.dictionaries(
    st.sampled_from(["tags", "deletion_protection", "acl", "policy", "cidr_blocks", "name", "multi_az"]),
    st.sampled_from([None, "", "x", True, False, 0, 1, [], ["0.0.0.0/0"], {}, {"a": "b"}]),
    max_size=4,
)
changes = st.builds(
    lambda number, kind, actions, before, after, more: Change(
        f"{kind}.n{number}",
        kind,
        actions,
        None if actions == ("create",) else before,
        None if actions == ("delete",) else after,
        **more,
    ),
    st.integers(0, 30),
    st.sampled_from(
        ["aws_db_instance", "aws_s3_bucket", "aws_security_group_rule", "aws_sqs_queue", "aws_nothing_known"]
    ),
    st.sampled_from(
        [
            ("create",),
            ("update",),
            ("update",),
            ("update",),
            ("delete",),
            ("delete", "create"),
            ("create", "delete"),
            ("no-op",),
            ("forget",),
        ]
    ),
    attributes,
    attributes,
    st.sampled_from([{}, {}, {}, {"is_import": True}, {"previous_address": "aws_x.y"}, {"deferred": "unknown"}]),
)
plans = st.lists(changes, max_size=12, unique_by=lambda change: change.address).map(lambda found: Plan(tuple(found)))


@settings(deadline=None)
@given(plans, st.sampled_from([Settings(), Settings(hides_recurring=True)]))
def test_the_law_of_hiding(plan: Plan, how: Settings) -> None:
    """With everything suppressed and every noise recurring: no finding goes, and only harmless updates are hidden."""
    verdict = judge_plan(plan)
    every = frozenset(judge(plan, Rulebook()).noise.seen)
    judged = judge(plan, Rulebook(noise=how, recurring=every, suppressions=(EVERYTHING,)))
    assert [item.finding for item in judged.findings if item.finding.rule != MANY_CHANGED_RULE.id] == [
        item for item in verdict.findings if item.rule != MANY_CHANGED_RULE.id
    ]
    loud = {item.address for item in verdict.findings if rank(item.severity) >= rank("high")}
    for change in plan.changes:
        if change.key in judged.noise.hidden:
            assert change.is_update
            assert not (change.is_import)
            assert not (change.previous_address)
            assert not (change.deferred)
            assert change.address not in loud
    assert not {item.address for item in judged.noise.items if item.suppression} & loud
