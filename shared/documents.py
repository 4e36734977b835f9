"""Bytes that a person uploads to a JSON value, within bounds: what other programs wrote to a file.

More forgiving than `shared.http.strict_json` about the outside (byte order marks, UTF-16), as strict about the inside. Knows
nothing of what the document means. Source: RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import math
import re
from itertools import chain
from typing import Any

from .storable import UNSTORABLE, is_document_storable

MOST_DIGITS = 1_000

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTAINERS = (dict, list)
_REASON = re.compile(r"\s+")


class DocumentRefused(ValueError):
    """Bytes that are no document that could be read.

    Attributes:
        detail: one sentence for people.
        is_too_large: it is well-formed as far as is known, but more than can be held.
        offset: character at which reading stopped, when it is not JSON.
        facts: where, as far as it is known (`line`, `column`, `member`).
    """

    def __init__(self, detail: str, *, is_too_large: bool = False, offset: int | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_too_large = is_too_large
        self.offset = offset
        self.facts = facts


def decode(content: bytes) -> str:
    """Return the text of UTF-8 with or without a byte order mark, or of UTF-16 (PowerShell's `>` writes that).

    UTF-16 without a mark is known by its first character: JSON starts in ASCII.

    Raises:
        DocumentRefused: it is neither.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    if encoding is None:
        first, second = content[:1], content[1:2]
        is_wide = len(content) % 2 == 0 and b"\x00" in (first, second) and first != second
        encoding = ("utf-16-be" if first == b"\x00" else "utf-16-le") if is_wide else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise DocumentRefused("the content is not UTF-8 text; a compressed or encrypted file?") from None


def parse(text: str, *, most_values: int, most_levels: int) -> Any:
    """Parse one JSON value.

    Args:
        text: the document.
        most_values: how many members and elements it may have (counted before anything is built, text included).
        most_levels: how deep it may nest.

    Raises:
        DocumentRefused: says what is wrong, and where when that is known.
    """
    if text.count(",") + text.count("{") + text.count("[") > most_values:
        raise DocumentRefused(f"more than {most_values} values", is_too_large=True)
    too_deep = DocumentRefused(f"the JSON is nested deeper than {most_levels} levels")
    try:
        found: Any = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_word, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        reason = _REASON.sub(" ", error.msg)
        raise DocumentRefused(f"not JSON: {reason}", offset=error.pos, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise too_deep from None
    if not is_shallow(found, most_levels):
        raise too_deep
    if not is_document_storable(text, found):
        raise DocumentRefused(UNSTORABLE)
    return found


def is_shallow(value: object, most_levels: int) -> bool:
    """Say whether a value nests no deeper than that, so that nothing that walks it later runs out of stack."""
    level: list[Any] = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(most_levels):
        if not level:
            return True
        inner = chain.from_iterable(item.values() if isinstance(item, dict) else item for item in level)
        level = [child for child in inner if isinstance(child, _CONTAINERS)]
    return not level


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentRefused("a JSON object has the same member twice", member=twice[:100])
    return found


def _refuse_word(word: str) -> Any:
    raise DocumentRefused(f"{word} is not JSON")


def _whole(digits: str) -> int:
    return int(_bounded(digits))


def _finite(digits: str) -> float:
    number = float(_bounded(digits))
    if not math.isfinite(number):
        raise DocumentRefused("a number is too large")
    return number


def _bounded(digits: str) -> str:
    if len(digits) > MOST_DIGITS:
        raise DocumentRefused("a number has too many digits")
    return digits
