"""The narrative that is written without a language model, and what a model may change of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.analyze.domain.claims import Accepted
from functions.analyze.domain.narrative import MOST_EXPLAINED, Narrative, write
from shared.rules.levels import SEVERITIES
from shared.rules.rule import Evidence
from shared.security.redact import holds_secret
from tests.support.obedient_model import SECRET
from tests.support.plan_facts import facts, facts_of, finding

HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["`; rm -rf", "a\nb", "https://evil.example", SECRET, "\u202eabc", "x" * 5_000, "<b>", "[a](b)", "\x00"]),
)  # fmt: skip


def everything(narrative: Narrative) -> list[str]:
    """Return every text that is shown."""
    told = [piece for item in narrative.explanations for piece in (item.why, item.action)]
    pieces = [*narrative.summary, *told]
    return [
        narrative.headline,
        *(piece.text for piece in pieces),
        *narrative.not_judged,
        *narrative.reverted,
        narrative.note,
    ]


@pytest.mark.parametrize("name", ["google", "azure"])
def test_it_is_complete_without_a_model(name: str) -> None:
    verdict = facts_of(name)
    narrative = write(verdict)
    assert [item.finding for item in narrative.explanations] == [item.id for item in verdict.findings]
    assert all(item.why.text and item.action.text for item in narrative.explanations)
    for item, found in zip(narrative.explanations, verdict.findings, strict=True):
        assert found.title in item.why.text
        assert not found.address or f"`{found.address}`" in item.why.text
    for kind in verdict.uncovered:
        assert any(f"`{kind}`" in text for text in narrative.not_judged), f"{kind} is not named as not judged"
    assert (narrative.source, narrative.model, narrative.note) == ("template", "", "")


def test_it_reads_like_this() -> None:
    narrative = write(facts(finding(note="Opened: tcp 22."), counts={"update": 1, "delete": 2}))
    assert narrative.headline == "This plan's risk is critical, with 1 finding."
    assert [piece.text for piece in narrative.summary] == [
        "3 resources: 1 changed in place, 2 destroyed.",
        "Critical: A port is opened to public networks. `aws_security_group.web1`.",
    ]
    assert narrative.explanations[0].why.text == (
        "`aws_security_group.web1`: A port is opened to public networks. Opened: tcp 22. `ingress[0].cidr_blocks` goes from"
        ' `["10.0.0.0/8"]` to `["0.0.0.0/0"]`. `ingress[0].to_port` goes from `22` to `22`. Anybody on the internet can connect.'
    )
    assert narrative.explanations[0].action.text == "Name the networks that need it."


def test_a_plan_that_no_rule_objects_to_is_not_called_safe() -> None:
    narrative = write(facts_of("google").__class__(level="none", findings=()))
    assert narrative.headline == "No rule objects to this plan."
    assert "says nothing about what no rule looks at" in narrative.summary[-1].text
    assert not any("safe" in text for text in everything(narrative))


def test_what_is_unknown_is_told_apart_and_what_is_undone_too() -> None:
    unknown = finding(1, flag="unknown-value", evidence=(Evidence("policy", "a", "(known after apply)"),))
    undone = finding(2, flag="drift-reverted", evidence=(Evidence("size", 3, 2),))
    narrative = write(facts(unknown, undone, notes=("a note of the plan",)))
    assert narrative.not_judged == (
        "`aws_security_group.web1`: `policy` is known only after the apply, so nothing is said about it.",
        "About the plan: `a note of the plan`.",
    )
    assert narrative.reverted == (
        "`aws_security_group.web2` was changed outside of Terraform, and the apply undoes it. `size` goes from `3` to `2`.",
    )


def test_it_is_bounded() -> None:
    many = tuple(finding(number) for number in range(3_000))
    narrative = write(facts(*many))
    assert len(narrative.explanations) == MOST_EXPLAINED
    assert f"The {MOST_EXPLAINED} worst of 3000 findings are explained." in [piece.text for piece in narrative.summary]
    assert sum(map(len, everything(narrative))) < 200_000


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_names_and_values_out_of_a_plan_stand_between_backquotes_on_one_line(
    address: str, path: str, value: str, note: str
) -> None:
    item = finding(address=address, evidence=(Evidence(path, value, {path: [value]}),), note=note, type=path)
    narrative = write(facts(item, uncovered={path: 1}, notes=(note,)))
    for text in everything(narrative):
        assert "\n" not in text
        assert "://" not in text
        assert not holds_secret(text), text
        assert "\u202e" not in text
        assert "\x00" not in text
        assert len(text) < 5_000
    assert narrative.explanations[0].severity == item.severity


@pytest.mark.parametrize("severity", SEVERITIES)
def test_what_a_model_says_leaves_level_severities_and_headline_alone(severity: str) -> None:
    item = finding(severity=severity)
    written = write(facts(item))
    told = written.told_by(Accepted(("One.",), {item.id: "Why."}, {}, {"said": 2}), "own", "openai/x")
    assert (told.level, told.headline) == (written.level, written.headline)
    assert [one.severity for one in told.explanations] == [severity]
    assert (told.explanations[0].why.author, told.explanations[0].action.author) == ("model", "template")
    assert told.explanations[0].action == written.explanations[0].action
    assert [piece.author for piece in told.summary] == ["template", "model", "template"]
    assert (told.source, told.model, told.dropped) == ("own", "openai/x", 2)
