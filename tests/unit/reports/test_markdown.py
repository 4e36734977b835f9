"""Untrusted text in Markdown: GitHub's own renderer shows it, and nothing of it acts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.reports.markdown import cell, code, fence, html_code, html_prose, prose
from shared.reports.text import visible
from tests.support.analyses import HOSTILE
from tests.support.gfm import Page

_ANY = st.text(max_size=40) | st.text("`|\\ a@<&.[]()*_~#:/\n", max_size=20) | st.sampled_from(HOSTILE)


def _collapsed(text: str) -> str:
    return " ".join(text.split())


@given(_ANY)
@example("a\\|b")
@example("`")
@example(" ")
def test_code_shows_exactly_the_text(text: str) -> None:
    page = Page(f"see {code(text)} here")
    assert page.faults == []
    shown = [item for item in page.codes if item.strip()]
    assert shown == ([visible(text)] if visible(text).strip() else [])


@given(_ANY)
@example("a\\|b")
@example("mail@evil.example|")
def test_a_cell_shows_exactly_the_text_and_stays_one_cell(text: str) -> None:
    page = Page(f"| a | b |\n|---|---|\n| {cell(text)} | end |\n")
    assert page.faults == []
    assert page.tags.count("td") == 2
    assert page.loud[-2:] == ["end", "\n"] or "end" in page.loud
    shown = [item for item in page.codes if item.strip()]
    assert [_collapsed(item) for item in shown] == ([_collapsed(visible(text))] if visible(text).strip() else [])


@given(_ANY)
def test_code_in_a_heading_that_opens_shows_exactly_the_text(text: str) -> None:
    page = Page(f"<details>\n<summary>{html_code(text)}</summary>\n\nmore\n\n</details>")
    assert page.faults == []
    assert page.codes == [visible(text)]


@given(_ANY, _ANY)
def test_a_sentence_never_acts(first: str, second: str) -> None:
    for text in (f"{first} {second}", f"{first}{second}", f"see `{first}` and {second}."):
        assert Page(f"Note: {prose(text)}").faults == []
        assert Page(prose(text)).faults == []
        assert Page(f"<details>\n<summary>{html_prose(text)}</summary>\n\nmore\n\n</details>").faults == []


@given(st.lists(_ANY, max_size=4))
def test_a_block_of_code_holds_its_lines(lines: list[str]) -> None:
    page = Page("\n".join(["before", "", *fence(lines, "diff"), "", "after"]))
    assert page.faults == []
    assert [item.strip() for item in page.loud if item.strip()] == ["before", "after"]
    assert "".join(page.codes) == "".join(f"{visible(line)}\n" for line in lines)


@pytest.mark.parametrize(
    "sentence",
    [
        "Check that nothing uses it any more.",
        "The data in it is gone with it, unless a backup outside of it exists.",
        'It\'s 50% less (of 1,000), e.g. "half" - or more: who knows?',
        "Größer als vorher; 日本 too!",
    ],
)
def test_plain_words_stay_as_they_are(sentence: str) -> None:
    assert prose(sentence) == sentence
    assert html_prose(sentence) == sentence


def test_names_in_a_sentence_are_code() -> None:
    assert (
        prose("Use `moved` for aws_s3_bucket.logs (see 0.0.0.0/0).")
        == "Use `moved` for `aws_s3_bucket.logs` (see `0.0.0.0/0`)."
    )


def test_what_hides_is_seen() -> None:
    assert visible("a\u202eb\u200bc\n\x1b\ud800\U000e0041") == "a\\u202eb\\u200bc\\n\\u001b\\ud800\\U000e0041"
    assert visible("Größe 日本 é") == "Größe 日本 é"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 50, 10) == "x" * 9 + "…"
    assert len(prose("word " * 1000, 100)) <= 110
