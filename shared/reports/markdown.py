r"""Markdown in which nothing untrusted acts. Pure.

GitHub and GitLab make links of addresses, mentions of `@name`, references of `#1`, `!1`, `~label`, `GH-1` and commit ids, pictures of
`:name:`; none of it inside of code. So untrusted text is shown as code wherever it is not a plain word, and no plain word can act.
A backslash alone would not do: `\@name` and `&#64;name` are mentions all the same, as they are looked for in the finished page.

Source: GitHub Flavored Markdown 0.29, sections 4.5, 4.6, 4.10, 6.3 and 6.9.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable

from .text import visible

_MOST_SENTENCE = 1_000
_CODE = re.compile(r"(`+)(.+?)\1(?!`)", re.DOTALL)
_TICKS = re.compile(r"`+")
_TOKEN = re.compile(r"([(\"]*)(.*?)([.,;:!?)\"]*)", re.DOTALL)
_PUNCTUATION = re.compile(r"[.,;:!?)]*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+(?:[.,]\d+)*%?", re.UNICODE)
_ABBREVIATIONS = frozenset({"e.g", "i.e"})
_SIGNS = frozenset("-\u2013\u2014")
_ITEM = re.compile(r"\d+[.)].*", re.DOTALL)
_COMMIT = re.compile(r"[0-9a-fA-F]{7,}")


def code(text: str, most: int | None = None) -> str:
    """Return text as inline code, for anywhere but a table's cell.

    Args:
        text: anything.
        most: most characters.
    """
    clean = visible(text, most)
    if not clean.strip():
        return "" if not clean else "` `"
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(clean)), default=0))
    is_padded = clean[0] in "` " or clean[-1] in "` "
    return f"{fence} {clean} {fence}" if is_padded else f"{fence}{clean}{fence}"


def cell(text: str, most: int | None = None) -> str:
    """Return text as inline code in a cell of a table.

    A cell ends at a pipe also inside of code, and renderers differ in what a backslash before it means; so a text with either is
    written as HTML. A comment before each `@` keeps a mail address from being one.

    Args:
        text: anything.
        most: most characters.
    """
    clean = visible(text, most)
    if not any(sign in clean for sign in "|\\"):
        return code(clean)
    return "<code>" + "".join(_entity(one) for one in clean) + "</code>"


def html_code(text: str, most: int | None = None) -> str:
    """Return text as code inside of a block of HTML, where no Markdown is read, e.g. in a `<summary>`.

    Args:
        text: anything.
        most: most characters.
    """
    return f"<code>{html.escape(visible(text, most))}</code>"


def prose(text: str, most: int = _MOST_SENTENCE) -> str:
    """Return a sentence: plain words as they are, everything else as code. For anywhere but a table or a block of HTML.

    What stands between backticks is code as it is, as rules write names of attributes.
    """
    return _sentence(text, most, code)


def html_prose(text: str, most: int = _MOST_SENTENCE) -> str:
    """Return a sentence inside of a block of HTML."""
    return _sentence(text, most, html_code)


def fence(lines: Iterable[str], language: str = "") -> list[str]:
    """Return a block of code.

    Args:
        lines: each in one line; whatever they hold, they stay inside.
        language: what it is highlighted as; ours, never the caller's.
    """
    inside = [visible(line) for line in lines]
    longest = max((len(run) for line in inside for run in _TICKS.findall(line)), default=0)
    bar = "`" * max(3, longest + 1)
    return [f"{bar}{language}", *inside, bar]


def _sentence(text: str, most: int, as_code: Callable[[str], str]) -> str:
    clean = text if len(text) <= most else f"{text[: most - 1]}…"
    parts: list[str] = []
    position = 0
    for match in _CODE.finditer(clean):
        parts.extend(_words(clean[position : match.start()], as_code, is_first=not parts))
        parts.append(as_code(match[2].strip()) + _tail(clean, match.end()))
        position = match.end() + len(_tail(clean, match.end()))
    parts.extend(_words(clean[position:], as_code, is_first=not parts))
    return " ".join(part for part in parts if part)


def _tail(text: str, start: int) -> str:
    """Return the punctuation that follows a piece of code at once."""
    match = _PUNCTUATION.match(text, start)
    return match[0] if match else ""


def _words(text: str, as_code: Callable[[str], str], *, is_first: bool) -> Iterable[str]:
    """Yield plain words as they are, and everything else as code."""
    for number, token in enumerate(text.split()):
        lead, core, trail = _split(token)
        is_item = is_first and number == 0 and (token in _SIGNS or _ITEM.fullmatch(token) is not None)
        if not is_item and (_is_plain(core) or token in _SIGNS):
            yield token
        else:
            yield f"{lead}{as_code(core)}{trail}" if core else as_code(token)


def _split(token: str) -> tuple[str, str, str]:
    match = _TOKEN.fullmatch(token)
    return (match[1], match[2], match[3]) if match else ("", token, "")


def _is_plain(core: str) -> bool:
    return core in _ABBREVIATIONS or (_WORD.fullmatch(core) is not None and _COMMIT.fullmatch(core) is None)


def _entity(one: str) -> str:
    if one == "@":
        return "<!-- -->&#64;"
    return one if one.isalnum() or one == " " else f"&#{ord(one)};"
