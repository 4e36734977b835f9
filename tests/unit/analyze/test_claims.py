"""A model that does whatever it is told: nothing of it reaches a reader that the rules did not say."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain.asking import ask_about
from functions.analyze.domain.claims import MOST_ASKED, Accepted, NoAnswer, accept, judge_text
from functions.analyze.domain.narrative import Narrative, write
from shared.security.redact import holds_secret
from shared.testing.clock import FixedEntropy
from tests.support.obedient_model import ATTACKS, FORBIDDEN, GOOD, SECRET, SENTENCES, answer, ids_in
from tests.support.plan_facts import facts, facts_of, finding

GROUNDED = [
    "Anyone on the internet can reach port 22 of `aws_security_group.web1`, so passwords are guessed within minutes.",
    "The rule `ingress[0].cidr_blocks` goes from 10.0.0.0/8 to 0.0.0.0/0, which lets everybody in.",
    "Limit the range to the networks that need it and put a bastion in front of the machines.",
    "Give the group a narrower range, such as the 10.0.0.0/8 that it has had until now.",
    "Whoever holds this role can give themselves further rights, up to those of an administrator.",
    "The data in it is gone once this is applied, unless a backup outside of it exists.",
    "Take a snapshot first and test that it can be restored; then decide whether it has to go.",
    "Deletion protection is switched off, so a mistaken apply can delete the instance.",
    "Everything that was encrypted under the key becomes unreadable once the key is gone.",
    "Use a `moved` block when the resource should live on under another address.",
    "Clients go on asking the old address until the lifetime of their caches is over.",
    "Nobody can say afterwards who did what, as the trail that records it is turned off.",
]


def told(text: str, verdict: object = None) -> tuple[Narrative, Narrative]:
    """Return the narrative by the templates and in the words of a model that wrote a text."""
    found = facts_of("google") if verdict is None else verdict
    written = write(found)  # type: ignore[arg-type]
    try:
        accepted = accept(text, found)  # type: ignore[arg-type]
    except NoAnswer:
        accepted = Accepted()
    return written, written.told_by(accepted, "own", "openai_compatible/x")


def model_texts(narrative: Narrative) -> list[str]:
    pieces = [*narrative.summary, *(piece for item in narrative.explanations for piece in (item.why, item.action))]
    return [piece.text for piece in pieces if piece.author == "model"]


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("plan", ["google", "azure"])
def test_an_attack_reaches_nobody(name: str, plan: str) -> None:
    verdict = facts_of(plan)
    ids = ids_in(ask_about(verdict, FixedEntropy()).user)
    assert ids, "the model is told of no finding"
    written, narrative = told(ATTACKS[name](ids), verdict)
    assert not model_texts(narrative), f"let through: {model_texts(narrative)}"
    assert (narrative.level, narrative.headline, narrative.not_judged, narrative.reverted) == (
        written.level, written.headline, written.not_judged, written.reverted,
    )  # fmt: skip
    assert narrative.explanations == written.explanations


@pytest.mark.parametrize("name", SENTENCES)
def test_one_bad_sentence_takes_no_good_one_with_it(name: str) -> None:
    item = finding()
    _, narrative = told(answer([item.id], SENTENCES[name], GOOD, summary=GOOD), facts(item))
    assert model_texts(narrative) == [GOOD, GOOD]
    assert narrative.explanations[0].why.author == "template"
    assert narrative.dropped == 1


@pytest.mark.parametrize("text", GROUNDED)
def test_what_is_borne_out_is_let_through(text: str) -> None:
    assert judge_text(text, [finding()]) == (text, None)


_WORDS = st.sampled_from([
    *SENTENCES.values(), *GROUNDED, *FORBIDDEN, "the", "is", "of", " ", "`", "**", "\n", "\n\n", "(", ")", "[", "]", "!", "<", "/", ".", ":", "not",
    "low", "risk", "s", "a", "f", "e", "-", "\u200b", SECRET[:8], SECRET[8:], "http", "evil", "0.0.0.0/0", "22",
])  # fmt: skip
_SAID = st.lists(st.one_of(_WORDS, st.text(max_size=5)), max_size=12).map(" ".join)


@settings(max_examples=400)
@given(_SAID, _SAID, _SAID)
def test_no_text_of_any_form_brings_a_link_markup_or_a_secret(why: str, action: str, summary: str) -> None:
    item = finding()
    written, narrative = told(answer([item.id], why, action, summary=summary), facts(item))
    for text in model_texts(narrative):
        assert not {"<", ">", "\n"} & set(text)
        assert not [piece for piece in ("://", "//", "www.", "](", "![", "@", "evil.example") if piece in text], text
        assert not holds_secret(text)
        assert text.isascii()
    assert [one.severity for one in narrative.explanations] == [one.severity for one in written.explanations]
    assert narrative.level == written.level


@given(st.text(max_size=300))
def test_any_answer_at_all_is_read_or_refused(text: str) -> None:
    written, narrative = told(text, facts())
    assert narrative.explanations == written.explanations


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.sampled_from(["summary", "explanations", "finding", "findings", "why", "action", "text", "severity"]), inner, max_size=4), max_leaves=20))  # fmt: skip
def test_any_document_is_read_or_refused(document: object) -> None:
    written, narrative = told(json.dumps(document), facts())
    assert narrative.explanations == written.explanations


def test_a_finding_that_the_model_was_not_told_about_is_none() -> None:
    many = facts(*(finding(number) for number in range(MOST_ASKED + 5)))
    unseen = many.findings[MOST_ASKED].id
    assert unseen not in ids_in(ask_about(many, FixedEntropy()).user)
    assert not accept(answer([unseen], GOOD), many).why


def test_a_claim_that_points_at_two_findings_may_name_what_stands_in_either_and_in_no_third() -> None:
    one, two, three = finding(1), finding(2), finding(3)
    text = "Together `aws_security_group.web1` and `aws_security_group.web2` are open to everybody."
    assert judge_text(text, [one, two])[1] is None
    assert judge_text(text, [one, three])[1] == "shown"


def test_the_first_explanation_of_a_finding_stands() -> None:
    item = finding()
    document = {"summary": [], "explanations": [{"finding": item.id, "why": GOOD, "action": GOOD}] * 3}
    assert accept(json.dumps(document), facts(item)).dropped == {"again": 4}


@pytest.mark.parametrize("severity", ["low", "medium", "high", "critical"])
def test_a_text_names_no_level_not_even_the_rules_own(severity: str) -> None:
    for level in ("low", "medium", "high", "critical"):
        text = f"The severity of what this does to the account is {level}."
        assert judge_text(text, [finding(severity=severity)])[0] == ""


def test_an_answer_between_fences_is_read() -> None:
    item = finding()
    assert accept(f"```json\n{answer([item.id], GOOD)}\n```", facts(item)).why == {item.id: GOOD}


@pytest.mark.parametrize("piece", [" a", "a", "ab ", "not ", "safe", "`a` ", "a.", "9 ", "- ", "x-", "a'"])
def test_no_text_takes_for_ever(piece: str) -> None:
    began = time.process_time()
    judge_text((piece * 1_000)[:600], [finding()] * 30)
    assert time.process_time() - began < 1.0


def test_the_model_is_told_no_secret_and_nothing_about_people() -> None:
    hidden = finding(note=f"key {SECRET} of ada@example.test", address=f'aws_x.y["{SECRET}"]')
    prompt = ask_about(facts(hidden), FixedEntropy())
    assert SECRET not in prompt.user + prompt.system
    assert "ada@example.test" not in prompt.user


@given(st.text(max_size=100), st.text(max_size=100))
def test_what_stands_in_a_plan_never_reaches_the_systems_message(address: str, note: str) -> None:
    plain = ask_about(facts(), FixedEntropy())
    hostile = ask_about(facts(finding(address=address, note=note, title=note)), FixedEntropy())
    assert hostile.system == plain.system
    assert len(hostile.user) < 120_000
