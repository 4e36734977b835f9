"""What a policy does to findings: which severity counts, and what it never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.analyze.domain.policy import Policy, PolicyRule, apply, level_of
from shared.rules.engine import ALL_RULES
from shared.rules.globs import MOST_LENGTH, MOST_STARS, glob_problem, matches
from shared.rules.levels import LEVELS, Level, highest
from shared.rules.rule import Evidence, Finding, Match, finding

_ADDRESSES = ["", "aws_s3_bucket.logs", 'module.net["a"].aws_subnet.private[0]', "google_sql_database.main"]


def found(rule_id: str = "stateful-destroyed", address: str = "aws_s3_bucket.logs") -> Finding:
    rule = next(rule for rule in ALL_RULES if rule.id == rule_id)
    return finding(rule, Match((Evidence("", "exists", None),)), address, address.rsplit(".", 2)[-2] if address else "")


def rule(flag: str = "*", resource: str | None = None, severity: Level = "none", name: str = "one") -> PolicyRule:
    return PolicyRule(name, flag, resource, severity, "because")


findings = st.lists(
    st.builds(found, st.sampled_from([rule.id for rule in ALL_RULES]), st.sampled_from(_ADDRESSES)), max_size=8
)
globs = st.text(st.sampled_from("aw_s3.*?-[0]bucket"), min_size=1, max_size=12).filter(
    lambda text: glob_problem(text) is None
)
policies = st.lists(
    st.builds(rule, globs | st.just("*"), st.none() | globs, st.sampled_from(LEVELS), st.text("abc", min_size=1)),
    max_size=6,
).map(lambda rules: Policy(1, tuple(rules)))


@given(policies, findings)
def test_a_policy_neither_drops_nor_reorders(policy: Policy, some: list[Finding]) -> None:
    assert [item.finding for item in apply(policy, some)] == some


@given(policies, findings)
def test_the_first_rule_that_matches_wins(policy: Policy, some: list[Finding]) -> None:
    for item in apply(policy, some):
        alone = [one for one in policy.rules if apply(Policy(1, (one,)), [item.finding])[0].override is not None]
        assert item.override == (alone[0] if alone else None)
        assert item.severity == (alone[0].severity if alone else item.finding.severity)


@given(policies, policies, findings)
def test_rules_behind_never_change_what_rules_before_say(first: Policy, more: Policy, some: list[Finding]) -> None:
    longer = Policy(1, (*first.rules, *more.rules))
    for short, long in zip(apply(first, some), apply(longer, some), strict=True):
        assert short.override is None or short == long


@given(policies, findings)
def test_the_level_is_the_worst_that_counts(policy: Policy, some: list[Finding]) -> None:
    judged = apply(policy, some)
    assert level_of(judged) == highest(item.severity for item in judged)
    assert level_of(item for item in judged if not item.is_accepted) == level_of(judged)


def test_what_is_accepted_stays_visible_with_its_reason_and_what_it_was() -> None:
    (judged,) = apply(Policy(1, (rule("stateful-resource-destruction"),)), [found()])
    assert (judged.severity, judged.severity_before, judged.is_accepted) == ("none", "critical", True)
    assert judged.override is not None
    assert judged.override.reason == "because"


@pytest.mark.parametrize(
    ("flag", "resource", "is_hit"),
    [
        ("stateful-*", None, True),
        ("stateful-destroyed", None, True),  # the id of the rule
        ("public-*", None, False),
        ("*", "aws_s3_bucket", True),  # the type
        ("*", "aws_s3_bucket.logs", True),  # the address
        ("*", "aws_s3_*", True),
        ("*", "aws_s3_bucket.log", False),
        ("*", "AWS_S3_BUCKET", False),
    ],
)
def test_what_a_rule_is_about(flag: str, resource: str | None, is_hit: bool) -> None:
    (judged,) = apply(Policy(1, (rule(flag, resource),)), [found()])
    assert (judged.override is not None) == is_hit


def test_findings_about_the_whole_plan_are_reached_without_a_resource() -> None:
    whole = found("many-destroyed", "")
    assert apply(Policy(1, (rule("mass-change"),)), [whole])[0].is_accepted
    assert not apply(Policy(1, (rule("mass-change", "aws_*"),)), [whole])[0].is_accepted


def test_a_policy_may_raise() -> None:
    (judged,) = apply(Policy(1, (rule("*", severity="critical"),)), [found("uncovered-type")])
    assert level_of([judged]) == "critical"


def test_brackets_of_addresses_are_no_classes() -> None:
    address = 'module.net["a"].aws_subnet.private[0]'
    assert matches(address, address)
    assert matches('module.net["?"].*[0]', address)
    assert not matches("module.net[a].*", address)
    assert not matches("private[0]", "private0")


@given(st.text(max_size=30))
def test_a_text_without_stars_and_question_marks_matches_itself_alone(text: str) -> None:
    pattern = text.replace("*", "").replace("?", "")
    assert not pattern or matches(pattern, pattern)
    assert not pattern or not matches(pattern, pattern + "x")


@given(st.text("ab*?", min_size=1, max_size=10), st.text("ab", max_size=12))
def test_globs_are_as_their_definition_says(pattern: str, text: str) -> None:
    def is_match(at: int, to: int) -> bool:
        if at == len(pattern):
            return to == len(text)
        if pattern[at] == "*":
            return any(is_match(at + 1, later) for later in range(to, len(text) + 1))
        return to < len(text) and pattern[at] in {"?", text[to]} and is_match(at + 1, to + 1)

    assert matches(pattern, text) == is_match(0, 0)


def test_globs_are_bounded() -> None:
    assert glob_problem("") is not None
    assert glob_problem("a" * (MOST_LENGTH + 1)) is not None
    assert glob_problem("*a" * (MOST_STARS + 1)) is not None
    assert glob_problem("a\nb") is not None
    assert glob_problem("*" * 50) is None  # one star, however often it is written
    assert not matches("*a" * MOST_STARS + "b", "a" * 5_000)
