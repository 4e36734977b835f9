"""The comment on a pull request: complete, readable, never too long, and nothing in it acts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.analyze.domain.outputs import to_markdown
from functions.analyze.domain.outputs.markdown import MARK
from tests.support.analyses import HOSTILE, accepted, analysis, drift_link, finding, full, narrative
from tests.support.gfm import Page

_GITHUB_CHARACTERS = 65_536


def _page(answer: dict[str, Any]) -> tuple[str, Page]:
    text = to_markdown(answer)
    page = Page(text.removeprefix(MARK))
    assert page.faults == []
    assert len(text.encode("utf-16-le")) // 2 <= _GITHUB_CHARACTERS
    return text, page


def test_a_plan_without_findings_is_short() -> None:
    text, page = _page(analysis(summary="Nothing to do; no finding."))
    assert "## DriftWise: none risk" not in text
    assert "## DriftWise: no risk" in text
    assert "Findings" not in text
    assert "The gate is at **high**; nothing reaches it." in text
    assert "table" not in page.tags


def test_a_finding_is_told_in_full() -> None:
    text, page = _page(analysis(finding()))
    assert "## DriftWise: high risk" in text
    assert "**Stopped.** The gate is at **high**; 1 finding reaches it." in text
    assert "| 0 | **1** | 0 | 0 |" in text
    assert 'module.web["a"].aws_security_group.main' in page.codes
    assert '@@ ingress[0].cidr_blocks @@\n- ["10.0.0.0/8"]\n+ ["0.0.0.0/0"]\n' in page.codes
    assert "**What to do:** Name the networks that need it; use a `moved` block." in text
    assert "See also: `CWE-284`, `CKV_AWS_24`" in text
    assert page.tags.count("details") == 1


def test_a_gate_that_is_not_set_is_not_spoken_of() -> None:
    assert "gate" not in _page(analysis(finding(), fail_on=None))[0]


def test_a_policys_word_stands_beside_the_finding() -> None:
    override = {"rule": "lab", "severity_before": "low", "reason": "production is stricter"}
    assert (
        "Policy `lab` makes it high instead of low: production is stricter"
        in _page(analysis(finding(override=override)))[0]
    )


def test_accepted_findings_are_folded_away_and_not_counted() -> None:
    text, _ = _page(analysis(finding(), accepted()))
    assert "1 finding accepted by policy" in text
    assert "the lab is meant to be open" in text
    assert "**Stopped.** The gate is at **high**; 1 finding reaches it." in text


def test_drift_that_would_be_lost_is_a_table() -> None:
    links = [drift_link(), drift_link(effect="kept"), drift_link(path=None, effect="deleted", is_certain=False)]
    text, page = _page(analysis(drift=links))
    assert "2 changes made outside of Terraform would be lost." in text
    assert "| `aws_instance.bastion` | `instance_type` | medium | is set back |" in text
    assert "goes with the resource, if the address names the same resource" in text
    assert page.tags.count("tr") == 3


def test_what_was_not_judged_and_what_is_noise_is_said() -> None:
    noise = {
        "changes_only_noise": 1,
        "differences": [
            {"address": "a.b", "attribute": "tags", "why": "null and empty are the same", "is_whole_change": True}
        ],
        "differences_total": 40,
    }
    text, _ = _page(
        analysis(
            uncovered={"acme_thing": 2}, checks=[["check.up", "fail"]], notes=["the plan is errored"], plan_noise=noise
        )
    )
    assert "- `acme_thing`: 2 changes; no rule looks into this type" in text
    assert "- `check.up`: check fail" in text
    assert "- Note: the plan is errored" in text
    assert "40 differences without effect: 1 change that would change nothing" in text
    assert "- `a.b` `tags`: null and empty are the same" in text


def test_a_models_words_take_the_place_of_the_rules_and_are_words() -> None:
    told = "See [this](https://evil.example). The port `ssh` is open."
    text, page = _page(analysis(finding(), narrative=narrative(told, finding()["id"])))
    assert "a" not in page.tags
    assert text.count("The port `ssh` is open.") == 3
    assert "Opened: tcp 22." in text
    assert "Anybody on the internet" not in text
    assert "findings and levels by rules, words by `acme large`" in text


def test_the_templates_words_are_not_said_twice() -> None:
    text, _ = _page(analysis(finding(), narrative=narrative("From the template.", finding()["id"], "template")))
    assert "From the template." not in text
    assert "Anybody on the internet can connect." in text
    assert "words by" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_acts(text: str) -> None:
    _page(full(text))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.text("`|\\ <&@#[]()*_~-+:./\n", max_size=16))
def test_any_text_is_shown_and_never_acts(text: str) -> None:
    _page(full(text))


@pytest.mark.parametrize("number", [10, 100, 5_000])
@pytest.mark.parametrize("severity", ["critical", "low"])
@pytest.mark.parametrize("address", ["aws_x.y", "`" * 400, "\u202e" * 400, "😀" * 400])
def test_however_much_there_is_it_fits_and_the_rest_is_counted(number: int, severity: str, address: str) -> None:
    many = [finding(id=f"i{index}", severity=severity, address=f"{address}[{index}]") for index in range(number)]
    links = [drift_link(address=address) for _ in range(50)]
    text, page = _page(
        analysis(*many, findings_total=number + 3, drift=links, uncovered=dict.fromkeys(map(str, range(99)), 1))
    )
    told = text.count("**What to do:**") + text.count(f"- **{severity}**")
    assert f"… {number + 3 - told} more findings; the analysis itself lists them." in text
    assert told >= min(number, 20)
    assert "Drift that this plan undoes" in text
    assert page.tags.count("details") == text.count("</details>")


def test_the_worst_is_told_first() -> None:
    text, _ = _page(
        analysis(
            finding(severity="critical"),
            finding(id="b", title="Second"),
            finding(id="c", severity="medium", title="Third"),
        )
    )
    assert (
        text.index("#### Critical")
        < text.index("#### High")
        < text.index("Second")
        < text.index("#### Medium")
        < text.index("Third")
    )
