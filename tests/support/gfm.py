"""Markdown as GitHub renders it: its own renderer, with what it looks for in the finished page besides."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

# What GitHub and GitLab make links, mentions or pictures of in the text of a finished page, outside of code.
_ACTS = re.compile(
    r"(?<![\w`])@[A-Za-z0-9]|(?<!\w)[#!$%&~]\w|\bGH-\d|\b[A-Za-z][A-Za-z0-9]+-\d|:[a-z0-9+_-]+:|https?://|\bwww\.|\w@\w|\b(?=[a-f]*\d)[0-9a-f]{7,40}\b"
)
_QUIET = {"code", "pre"}
_ALLOWED = {
    "p", "h1", "h2", "h3", "h4", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "br",
    "details", "summary", "b", "sub", "hr",
}  # fmt: skip


class Page(HTMLParser):
    """What a rendered text holds.

    Attributes:
        tags: every element, in order.
        loud: text outside of code.
        codes: text of each piece of code.
        faults: what acts, or is not whole.
    """

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.loud: list[str] = []
        self.codes: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
        self.feed(self.html)
        self.close()
        self.faults += [f"not closed: {tag}" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = {name for name, _ in attrs}
        if tag not in _ALLOWED or names - {"align", "lang"}:
            self.faults.append(f"<{tag} {attrs}>")
        if tag == "code":
            self.codes.append("")
        if tag not in {"br", "hr"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.codes[-1] += data
        if not _QUIET & set(self._open):
            self.loud.append(data)
            self.faults += [f"acts: {data!r}" for _ in _ACTS.finditer(data)]
