"""Rules in CEL: what an expression sees, what is refused, and that nothing it does ends an analysis or goes unsaid."""

from __future__ import annotations

import threading
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain import cel
from functions.analyze.domain.cel import costs, limits
from functions.analyze.domain.cel.patterns import pattern_size
from functions.analyze.domain.cel.values import Attributes
from functions.analyze.domain.custom_rules import CustomRule, Judging, compile_rule, try_rule
from functions.analyze.models.rules import CustomRuleTrial
from shared.rules.engine import judge_plan
from shared.rules.plan import Change, Plan
from shared.rules.values import SENSITIVE, UNKNOWN

BUCKET = Change(
    'module.a["x"].aws_s3_bucket.logs[0]',
    "aws_s3_bucket",
    ("update",),
    {"acl": "private", "tags": {"owner": "ann"}, "size": 1},
    {
        "acl": "public-read",
        "tags": {"owner": "ann"},
        "size": 2.5,
        "ingress": [{"port": 22, "cidrs": ["0.0.0.0/0", "10.0.0.0/8"]}, {"port": 80, "cidrs": []}],
        "arn": UNKNOWN,
        "password": SENSITIVE,
        "empty": None,
    },
    name="logs",
    provider="registry.terraform.io/hashicorp/aws",
    module='module.a["x"]',
    replace_paths=(("tags", 0, "owner"),),
    reason="replace_because_tainted",
)
GONE = Change("aws_s3_bucket.gone", "aws_s3_bucket", ("delete",), {"acl": "private"}, None)
NEW = Change("aws_s3_bucket.new", "aws_s3_bucket", ("create",), None, {"acl": "private"})
PLAN = Plan((BUCKET, GONE, NEW), terraform_version="1.11.0", format_version="1.2")


def outcome(expression: str, change: Change = BUCKET) -> str:
    return try_rule(expression, change, PLAN).outcome.kind


def refused(expression: str) -> str:
    with pytest.raises(cel.ExpressionRefused) as caught:
        cel.compile_expression(expression)
    return caught.value.problem


def judge(
    *rules: CustomRule, plan: Plan = PLAN, **more: Any
) -> tuple[list[tuple[str, str]], list[tuple[str, str, int, str]]]:
    judging = Judging([compile_rule(rule) for rule in rules], plan, **more)
    verdict = judge_plan(plan, judging.rules())
    own = [(item.rule, item.address) for item in verdict.findings if item.flag == "custom-rule"]
    return own, [(note.rule, note.trouble, note.changes, note.example) for note in judging.notes()]


def own_rule(expression: str, name: str = "mine", **more: Any) -> CustomRule:
    return CustomRule(name, "Not like this", expression, more.pop("severity", "high"), **more)


@pytest.mark.parametrize(
    "expression",
    [
        'change.after.acl == "public-read" && change.before.acl == "private"',
        'change.address == "module.a[\\"x\\"].aws_s3_bucket.logs[0]"',
        'change.module == "module.a[\\"x\\"]" && change.name == "logs" && change.mode == "managed"',
        'change.provider.endsWith("/aws") && change.type.startsWith("aws_")',
        'change.actions == ["update"] && change.is_update && !change.is_create && !change.destroys',
        'change.reason == "replace_because_tainted" && change.replace_paths == ["tags[0].owner"]',
        "change.previous_address == null && change.deposed == null && !change.is_import",
        'change.after.ingress.exists(i, i.port == 22 && "0.0.0.0/0" in i.cidrs)',
        'change.after.ingress.exists(i, i.cidrs.exists(c, c.matches("^10[.]")))',
        "change.after.size > 2 && change.before.size == 1",
        "has(change.after.tags.owner) && !has(change.after.tags.team)",
        '"acl" in change.after && !("nope" in change.after)',
        "change.after.empty == null",
        'change.after.arn == "(known after apply)"',
        'change.after.password == "(sensitive value)"',
        "change.after.all(name, size(name) > 2)",
        'plan.changes_total == 3 && plan.counts.delete == 1 && plan.terraform_version == "1.11.0"',
        'change.after["acl"] == "public-read"',
    ],
)
def test_what_an_expression_sees(expression: str) -> None:
    trial = try_rule(expression, BUCKET, PLAN)
    assert (trial.outcome.kind, trial.outcome.message) == ("matched", "")
    assert trial.evidence


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "Syntax error"),
        ("change.after.acl ==", "1:20"),
        ("chnage.after.acl == 1", "undeclared reference to 'chnage.after.acl'"),
        ("change.aftr.acl == 1", "has no member `aftr`"),
        ("plan.resources == 1", "has no member `resources`"),
        ("change.type + 1 == 2 || 'a' == 1", "no matching overload"),
        ("1 + 1", "it gives int"),
        ("change.after.acl.matches(change.before.acl)", "stands in the expression as text"),
        ("change.type.matches('\\\\pL')", "classes of Unicode"),
        ("change.type.matches('(a{80}){80}')", "repeats too much"),
        ("change.type.matches('" + "a" * 101 + "')", "at most 100 characters"),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "at most 2 deep"),
        ("google.protobuf.Value{} == google.protobuf.Value{}", "messages are not made"),
        ("(" * 100 + "true" + ")" * 100, "recursion"),
        ("!" * 2_001, "at most 2000 characters"),
        ("true" + " || true" * 240, "at most 300 parts"),
        ("[" + "1," * 350 + "1].size() > 1", "at most 300 parts"),
        ("'\ud800' == ''", "surrogate"),
    ],
)
def test_what_is_refused_and_what_is_said(expression: str, said: str) -> None:
    assert said in refused(expression)


def test_a_rule_becomes_a_finding_with_what_it_looked_at() -> None:
    rule = own_rule('change.after.acl == "public-read"', reason="We do not.", remedy="Ask us.", severity="critical")
    judging = Judging([compile_rule(rule)], PLAN)
    (item,) = [found for found in judge_plan(PLAN, judging.rules()).findings if found.flag == "custom-rule"]
    assert (item.rule, item.severity, item.title, item.reason, item.remedy) == (
        "custom-mine", "critical", "Not like this", "We do not.", "Ask us.",
    )  # fmt: skip
    assert [(seen.path, seen.before, seen.after) for seen in item.evidence] == [("acl", "private", "public-read")]
    assert judging.notes() == ()


def test_a_pattern_says_which_types_a_rule_is_asked_about() -> None:
    other = Change("aws_sqs_queue.q", "aws_sqs_queue", ("create",), None, {"name": "q"})
    plan = Plan((BUCKET, other))
    assert judge(own_rule("change.is_create", resource_pattern="aws_sqs_*"), plan=plan)[0] == [
        ("custom-mine", other.address)
    ]
    assert judge(own_rule("change.is_create", resource_pattern="aws_s3_*"), plan=plan) == ([], [])


def test_a_value_that_is_not_known_is_told_and_never_safe() -> None:
    judging = Judging([compile_rule(own_rule('change.after.arn == "arn:x"'))], PLAN)
    findings = judge_plan(PLAN, judging.rules()).findings
    assert [
        (item.address, [seen.path for seen in item.evidence]) for item in findings if item.flag == "unknown-value"
    ] == [(BUCKET.address, ["arn"])]
    judging = Judging([compile_rule(own_rule('change.after.exists(name, name == "x")'))], PLAN)
    findings = judge_plan(PLAN, judging.rules()).findings
    (unknown,) = [item for item in findings if item.flag == "unknown-value"]
    assert {seen.path for seen in unknown.evidence} == {"arn", "password"}, "it may have looked at anything"


def test_a_change_without_the_side_that_is_asked_for_is_not_the_rules_business() -> None:
    assert outcome('change.after.acl == "x"', GONE) == "does_not_apply"
    assert outcome('change.before.acl == "x"', NEW) == "does_not_apply"
    assert outcome("change.before == null", NEW) == "matched"
    assert judge(own_rule('change.after.acl == "x"'), plan=Plan((GONE,))) == ([], [])


def test_a_rule_that_fails_is_noted_with_its_name_and_how_often() -> None:
    found, notes = judge(
        own_rule("change.after.nope == 1", "fails"),
        own_rule("change.after.acl", "gives-text"),
        own_rule("change.is_update", "works"),
    )
    assert found == [("custom-works", BUCKET.address)]
    assert notes == [
        ("custom-fails", "failed", 2, BUCKET.address),  # and not the deletion
        ("custom-gives-text", "failed", 2, BUCKET.address),
    ]


def test_a_rule_that_is_no_longer_taken_is_noted() -> None:
    assert judge(own_rule("change.nope == 1")) == ([], [("custom-mine", "does_not_compile", 0, "")])


def test_an_expression_that_costs_too_much_is_noted_and_not_evaluated() -> None:
    wide = Change("aws_x.y", "aws_x", ("create",), None, {"texts": ["x" * 1_000] * 200, "more": list(range(200))})
    expression = "change.after.texts.exists(a, change.after.more.exists(b, a.contains('y' + string(b))))"
    assert judge(own_rule(expression), plan=Plan((wide,))) == ([], [("custom-mine", "too_costly", 1, "aws_x.y")])
    assert judge(own_rule("change.after.texts.exists(a, a.contains('y'))"), plan=Plan((wide,))) == ([], [])


def test_more_iterations_than_there_may_be_are_noted() -> None:
    wide = Change("aws_x.y", "aws_x", ("create",), None, {"a": list(range(150)), "b": list(range(150))})
    found, notes = judge(own_rule("change.after.a.all(x, change.after.b.all(y, x >= 0 && y >= 0))"), plan=Plan((wide,)))
    assert found == []
    assert [(note[1], note[2]) for note in notes] == [("failed", 1)]


def test_values_that_are_too_large_are_noted() -> None:
    large = Change("aws_x.y", "aws_x", ("create",), None, {"text": "x" * (limits.MOST_TEXT + 1), "name": "y"})
    assert judge(own_rule('change.after.text == "x"'), plan=Plan((large,)))[1] == [
        ("custom-mine", "too_costly", 1, "aws_x.y")
    ]
    assert judge(own_rule('change.after.name == "y"'), plan=Plan((large,))) == ([("custom-mine", "aws_x.y")], [])


def test_once_the_budget_is_spent_the_rest_is_noted() -> None:
    plan = Plan(tuple(Change(f"aws_x.y{n}", "aws_x", ("create",), None, {"a": 1}) for n in range(10)))
    found, notes = judge(own_rule("change.after.a == 1"), plan=plan, budget_nanoseconds=20_000)
    assert 0 < len(found) < 10
    assert notes == [("custom-mine", "budget_spent", 10 - len(found), f"aws_x.y{len(found)}")]


def test_the_same_plan_gives_the_same_answer() -> None:
    plan = Plan(tuple(Change(f"aws_x.y{n}", "aws_x", ("create",), None, {"a": n}) for n in range(50)))
    rules = [own_rule(f"change.after.a > {n}", f"r{n}") for n in range(20)]
    assert judge(*rules, plan=plan, budget_nanoseconds=2_000_000) == judge(
        *rules, plan=plan, budget_nanoseconds=2_000_000
    )


def test_programs_are_shared_between_threads() -> None:
    program = cel.compile_expression(
        'change.after.ingress.exists(i, i.port == 22 && i.cidrs.exists(c, c == "10.0.0.0/8"))'
    )
    kinds: list[str] = []

    def evaluate() -> None:
        kinds.extend(program.evaluate(cel.Change(BUCKET, {}, program.facts)).kind for _ in range(200))

    threads = [threading.Thread(target=evaluate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds == ["matched"] * 800


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.none() | st.dictionaries(st.sampled_from(["a", "b", "c"]), json_values), json_values)
def test_no_value_of_a_plan_ends_an_evaluation(before: dict[str, Any] | None, value: Any) -> None:
    change = Change("aws_x.y", "aws_x", ("update",), before, {"a": value})
    for expression in (
        "change.after.a == change.before.a",
        'change.after.a.exists(x, x == "1")',
        "change.after.a > 1",
        "size(change.after.a) > 1",
        "change.after.exists(name, change.after[name] == 1)",
        'change.after.a.matches("^x")',
    ):
        assert try_rule(expression, change, PLAN).outcome.kind in {"matched", "not_matched", "failed", "does_not_apply"}


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.text("change.beforaft[]()&|!=<>'\"12,+ ", max_size=80))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        program = cel.compile_expression(text)
    except cel.ExpressionRefused as error:
        said = error.problem
    else:
        said = program.evaluate(cel.Change(BUCKET, {}, program.facts)).kind
    assert said


@given(st.integers(0, 2_000), st.integers(0, 200), st.integers(0, 200))
def test_more_to_look_at_never_costs_less(longest: int, widest: int, more: int) -> None:
    facts = cel.compile_expression("change.after.a.exists(x, x.contains('y') || x in change.after.b)").facts
    small = costs.Size(longest, widest, longest, widest)
    large = costs.Size(longest + more, widest + more, longest + more, widest + more)
    assert facts.bound(small) <= facts.bound(large)


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        ("abc", 3),
        ("a{100}", 100),
        ("(ab){10}c", 21),
        ("[a-z]{3,63}", 63),
        ("(a(b{3}){4}){5}", 65),
        ("[]{2}]", 1),
        ("\\{2}", 1),
    ],
)
def test_the_size_of_a_pattern_is_not_underrated(pattern: str, least: int) -> None:
    assert pattern_size(pattern) >= least


def test_only_what_expressions_look_at_is_handed_over() -> None:
    facts = cel.compile_expression('change.after.acl == "x"').facts
    assert (Attributes.of(BUCKET.after, facts, "after").values, Attributes.of(BUCKET.before, facts, "before").values) == (
        {"acl": "public-read"}, {},
    )  # fmt: skip


def test_the_model_knows_every_outcome() -> None:
    from functions.analyze.domain.cel.evaluation import Kind

    assert set(get_args(CustomRuleTrial.model_fields["outcome"].annotation)) == set(get_args(Kind))
