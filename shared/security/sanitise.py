"""What of a stranger's text may be shown: plain sentences, a little emphasis, lists, and names that are known. Nothing else.

The text is read as Markdown by a parser of the field, and what it means is kept as a structure; no HTML is ever made here, and none
passes. There are no links, images or addresses of any kind, no code but single names that the caller knows, and no secrets. Code
that could be pasted and run is left out altogether: whoever wrote it, nobody should find a command to run in a text that a
model wrote. What was left out is said, so that a caller may refuse the whole text instead.
Source: OWASP LLM05:2025; CommonMark 0.31; GitHub Flavored Markdown 0.29, "Autolinks (extension)".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from .passages import UNSEEN, mark_unseen
from .redact import holds_secret, redact_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Style: TypeAlias = Literal["plain", "strong", "emphasis", "code"]
Kind: TypeAlias = Literal["paragraph", "item"]
Removed: TypeAlias = Literal["link", "image", "html", "code", "secret", "unseen", "length"]

MOST_CHARACTERS: Final = 4_000  # the parser's worst case grows with the square of the length
_MOST_BLOCKS = 40
_MOST_NESTING = 8
_OMITTED: Final = "[left out]"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\[\]\"*:/-]{0,199}")
# What mail programs, chats and GitHub make links of without being asked: a scheme and what follows it, `www.`, an address of
# mail, two slashes, or a name with a last part of letters, in any script.
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}:[/\\]\S*"
    r"|(?:mailto|xmpp|javascript|vbscript|\b(?:tel|sms|blob))\s*:\s*\S*"
    r"|\bdata:[\w/+.-]*[,;]\S*"
    r"|(?:/|\\){2}\S+"
    r"|\bwww\d?\.\S*"
    r"|\S{1,64}@\S+"
    r"|(?<![\w-])[\w-]++(?:\.[\w-]++){0,8}\.(?:[^\W\d_]{2}|xn--)\S*",
    re.IGNORECASE,
)
_AFTER = re.compile(r"[.,;:!?)'\"]*\Z")  # what ends a sentence rather than a name
_MARKED = re.compile(r"[@#](?=\w)|\bGH-(?=\d)", re.IGNORECASE)  # people and issues, to GitHub and GitLab
_DOTS = str.maketrans({"\u3002": ".", "\uff61": ".", "\u2024": ".", "\u2044": "/", "\u2215": "/", "\u29f8": "/"})
_SHOWN_AS = str.maketrans({"<": "\u2039", ">": "\u203a", "`": "'", "@": " "})
_ESCAPED = re.compile(r"([\\*_{}\[\]()#+\-.!|~$&:=^\"'/])")
_STYLES: dict[str, Style] = {"strong_open": "strong", "em_open": "emphasis"}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `code` is a single name that the caller knows."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or an item of a list."""

    kind: Kind
    spans: tuple[Span, ...]

    @property
    def text(self) -> str:
        """The words alone; names stand between backquotes, so that nothing makes a link of them."""
        return "".join(f"`{span.text}`" if span.style == "code" else span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is left of a text.

    Attributes:
        blocks: in order.
        removed: what kinds of things were left out or cut.
    """

    blocks: tuple[Block, ...]
    removed: frozenset[Removed]

    @property
    def plain(self) -> str:
        """As plain text, one line for each block."""
        return "\n".join(f"- {block.text}" if block.kind == "item" else block.text for block in self.blocks)

    @property
    def markdown(self) -> str:
        """As Markdown in which every character that could mean something is escaped."""
        return "\n\n".join(
            ("- " if block.kind == "item" else "") + "".join(map(_markdown, block.spans)) for block in self.blocks
        )


def sanitise(text: str, known: Collection[str] = frozenset()) -> Shown:
    """Reduce a text to what may be shown.

    Args:
        text: of any length; what is over 4,000 characters is cut.
        known: names that may stand in the text as code, such as addresses of resources; those with blanks or of an unusual form
            are not taken. A known name with a dot in it becomes code wherever it stands.
    """
    removed: set[Removed] = set()
    source = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).translate(_DOTS)
    if len(text) > MOST_CHARACTERS or len(source) > MOST_CHARACTERS:
        removed.add("length")
    visible = mark_unseen(source[:MOST_CHARACTERS])
    if UNSEEN in visible:
        removed.add("unseen")
    clean = redact_text(visible.replace(UNSEEN, ""), has_people=True)
    if clean != visible.replace(UNSEEN, ""):
        removed.add("secret")
    names = frozenset(name for name in known if _is_name(name))
    blocks: list[Block] = []
    for kind, spans in _read(clean, removed):
        block = Block(kind, tuple(_tidied(_without_addresses(spans, names, removed), removed)))
        if holds_secret(block.text):  # put together from pieces that were none
            removed.add("secret")
        elif block.text.strip():
            blocks.append(block)
    if len(blocks) > _MOST_BLOCKS:
        removed.add("length")
    return Shown(tuple(blocks[:_MOST_BLOCKS]), frozenset(removed))


def _read(text: str, removed: set[Removed]) -> Iterator[tuple[Kind, list[Span]]]:
    """Yield paragraphs and items of lists; headings, quotations and tables count as paragraphs."""
    items = 0
    for token in _parser().parse(text):
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.type in {"fence", "code_block"}:
            removed.add("code")
        elif token.type == "html_block":
            removed.add("html")
        elif token.type == "inline":
            yield ("item" if items else "paragraph"), list(_spans(token.children or [], removed))


def _spans(tokens: Sequence[Token], removed: set[Removed]) -> Iterator[Span]:
    style: list[Style] = []
    for token in tokens:
        if token.type in _STYLES:
            style.append(_STYLES[token.type])
        elif token.type in {"strong_close", "em_close"} and style:
            style.pop()
        elif token.type in {"softbreak", "hardbreak"}:
            yield Span(" ", style[-1] if style else "plain")
        elif token.type == "code_inline":
            yield Span(token.content, "code")
        elif token.type == "image":
            removed.add("image")
        elif token.type == "html_inline":
            removed.add("html")
        elif token.type == "link_open":
            removed.add("link")
        elif token.content:
            yield Span(token.content, style[-1] if style else "plain")


def _without_addresses(spans: Sequence[Span], names: frozenset[str], removed: set[Removed]) -> Iterator[Span]:
    """Yield the spans without addresses and code; what an address is put together from loses its styles."""
    for is_code, group in groupby(spans, key=lambda span: span.style == "code"):
        run = list(group)
        if is_code:
            for span in run:
                if span.text in names:
                    yield span
                else:
                    removed.add("code")
                    yield Span(_OMITTED)
            continue
        text = "".join(span.text for span in run)
        if _ADDRESS.search(text) is None:
            yield from run
        else:
            yield from _split(text, names, removed)


def _split(text: str, names: frozenset[str], removed: set[Removed]) -> Iterator[Span]:
    """Yield a text with known names as code and without every other address."""
    end = 0
    for match in _ADDRESS.finditer(text):
        yield Span(text[end : match.start()])
        end = match.end()
        after = _AFTER.search(match[0])
        tail = after[0] if after else ""
        name = match[0].removesuffix(tail)
        if name in names:
            yield from (Span(name, "code"), Span(tail))
        else:
            removed.add("link")
            yield Span(_OMITTED)
    yield Span(text[end:])


def _tidied(spans: Iterator[Span], removed: set[Removed]) -> Iterator[Span]:
    """Yield spans without the signs that some reader makes more of than text, neighbours of one style in one piece."""
    for style, group in groupby(spans, key=_style_of):
        run = [span.text for span in group]
        if style == "code":
            yield from (Span(text, "code") for text in run)
            continue
        text = "".join(run)
        if _MARKED.search(text):
            removed.add("link")
        text = re.sub(r"\s+", " ", _MARKED.sub("", text).translate(_SHOWN_AS))
        if text:
            yield Span(text, style)


def _style_of(span: Span) -> Style:
    return span.style


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and "//" not in name and not name.lower().startswith("www")


def _markdown(span: Span) -> str:
    if span.style == "code":
        return f"`{span.text}`"
    text = _ESCAPED.sub(r"\\\1", span.text)
    sign = {"strong": "**", "emphasis": "*"}.get(span.style, "")
    words = text.strip()
    if not sign or not words:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{sign}{words}{sign}{after}"


@cache
def _parser() -> MarkdownIt:
    """Return the parser. It is told that HTML is HTML, so that it can be told apart and dropped."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True, "maxNesting": _MOST_NESTING})
