"""What of a stranger's text may be shown."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shared.security.redact import holds_secret
from shared.security.sanitise import MOST_CHARACTERS, sanitise
from tests.support.obedient_model import SECRET, SENTENCES

KNOWN = {"aws_s3_bucket.logs", "module.net.aws_vpc.main[0]", "0.0.0.0/0", "ingress[0].cidr_blocks"}
_PIECES = [
    "<", ">", "<b>", "</b>", "<script>", "<!--", "-->", "&lt;", "&#60;", "[a](", ")", "![", "](", "[1]: ", "http", "s", ":", "//", "evil.example",
    ".", "www", "@", "a", "**", "*", "_", "`", "``", "```\n", "\n", "\n\n", "    ", "- ", "1. ", "> ", "# ", "|", "---", "\\", "\u202e",
    "\u200b", "\u3002", "\uff0f", "javascript:", "mailto:", "aws_s3_bucket.logs", "the bucket", " ", "AKIA", "\x00", "#1", "\t",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=40).map("".join)
)
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*:[/\\]|\bwww\.|[^\s`]@|(?:mailto|javascript|vbscript|xmpp):|(?<![\w-])[\w-]+\.[^\W\d_]{2}",
    re.IGNORECASE,
)


def without_names(text: str) -> str:
    """Return a text without what stands between backquotes, which must be known."""
    for name in re.findall(r"`([^`]*)`", text):
        assert name in KNOWN
    return re.sub(r"`[^`]*`", " ", text)


@given(TEXTS)
def test_nothing_but_words_comes_through(text: str) -> None:
    shown = sanitise(text, KNOWN)
    for block in shown.blocks:
        words = without_names(block.text)
        assert not set(words) & set("<>`@\x00\u202e\u200b"), words
        assert _LINK.search(words) is None, words
        assert not holds_secret(block.text)
        assert "\n" not in block.text


@given(TEXTS)
def test_its_markdown_makes_no_link_no_image_no_html_and_no_code(text: str) -> None:
    shown = sanitise(text, KNOWN)
    tokens = MarkdownIt("commonmark").parse(shown.markdown)
    kinds = {child.type for token in tokens for child in (token, *(token.children or []))}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "fence", "code_block", "heading_open", "hr"}
    assert {token.content for top in tokens for token in top.children or [] if token.type == "code_inline"} <= KNOWN


@given(TEXTS)
def test_what_was_sanitised_is_clean(text: str) -> None:
    plain = sanitise(text, KNOWN).plain.replace("[left out]", "")
    assert not sanitise(plain, KNOWN).removed - {"code"}  # a list's sign and blanks may read as code


@pytest.mark.parametrize("name", [
    "a link", "a reference link", "an image that is fetched", "a reference image", "an autolink", "a bare address", "a host alone",
    "an address without a scheme", "an address of dots", "an address in pieces", "an address in HTML pieces", "an address of mail", "script",
    "a handler", "a comment", "a javascript address", "a style", "a secret", "a secret in pieces", "a command", "a command in a line",
    "an indented command", "safe with a joiner", "turned around", "tags",
])  # fmt: skip
def test_what_is_left_out_is_said(name: str) -> None:
    shown = sanitise(SENTENCES[name])
    assert shown.removed
    assert "evil.example" not in shown.plain
    assert SECRET not in shown.plain.replace("*", "")


@pytest.mark.parametrize(
    "text", ["Write to root@localhost now.", "As @bob said, and @carol too.", "This is like #12 was.", "See GH-7 too."]
)
def test_what_a_chat_or_a_forge_makes_more_of_than_text_is_taken(text: str) -> None:
    shown = sanitise(text)
    assert shown.removed == {"link"}
    assert not {"@", "#"} & set(shown.plain)


def test_prose_stays_as_it_is() -> None:
    text = "Anybody can **read** the objects; take the *grant* away.\n\n- first, look at who reads them\n- then close it (e.g. today)."
    shown = sanitise(text)
    assert not shown.removed
    assert [block.kind for block in shown.blocks] == ["paragraph", "item", "item"]
    assert shown.blocks[0].text == "Anybody can read the objects; take the grant away."
    assert [span.style for span in shown.blocks[0].spans] == ["plain", "strong", "plain", "emphasis", "plain"]


def test_known_names_stand_as_code_and_others_do_not_stand() -> None:
    shown = sanitise("It is `aws_s3_bucket.logs`, or aws_s3_bucket.logs. But not `aws_s3_bucket.other`.", KNOWN)
    assert shown.plain == "It is `aws_s3_bucket.logs`, or `aws_s3_bucket.logs`. But not [left out]."
    assert shown.removed == {"code"}


@pytest.mark.parametrize(
    "name", ["https://evil.example", "//evil.example/x", "www.evil.example", "a b", "a`b", "a\nb", "", "javascript:x y"]
)
def test_a_name_that_is_none_is_never_known(name: str) -> None:
    shown = sanitise(f"Go to {name} or `{name}` now.", {name})
    assert not [span for block in shown.blocks for span in block.spans if span.style == "code"]


def test_it_is_bounded() -> None:
    shown = sanitise("word " * 10_000)
    assert len(shown.plain) <= MOST_CHARACTERS
    assert "length" in shown.removed
    assert len(sanitise("x\n\n" * 1_000).blocks) <= 40


@pytest.mark.parametrize("piece", [
    "[ a_", "a@", "a.", "**a ", "<", "a", "> ", "- ", "`", "![[", "_ a", "*_", "[](", "\u0301", "a:/", "//", "&#", "<a ", "\ufdfa", "www.", "[a]: b\n",
])  # fmt: skip
def test_no_text_takes_for_ever(piece: str) -> None:
    began = time.process_time()
    sanitise(piece * 100_000)
    assert time.process_time() - began < 60.0, (
        "its time grows faster than the text"
    )  # a tenth of a second, when it does not
