"""The bytes of a state file to a JSON document, within bounds.

Refuses what cannot be stored or would be read in two ways, with a place a person can go to. Knows nothing of states beyond
that they are JSON objects. Source: RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

from ..errors import StateTooLarge, StateUnreadable

EXAMPLE = "`terraform state pull` writes one"
MOST_VALUES = 4_000_000  # what one process can hold as objects; 32 MiB of small values would be far more
MOST_LEVELS = 200

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def load_document(content: bytes) -> dict[str, object]:
    """Parse one JSON object.

    Args:
        content: UTF-8 with or without a byte order mark, or UTF-16 with one (PowerShell's `>` writes that).

    Raises:
        StateUnreadable: (422 `state_unreadable`) says what is wrong, with line and column where they are known.
        StateTooLarge: (413 `state_too_large`) more values than can be held.
    """
    text = _text(content)
    if not text.strip("\ufeff \t\r\n"):
        raise StateUnreadable(f"the state is empty; {EXAMPLE}")
    if text.count(",") + text.count("{") + text.count("[") > MOST_VALUES:
        raise StateTooLarge(limit_values=MOST_VALUES)
    try:
        document: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_word, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise StateUnreadable(f"not JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise StateUnreadable(f"the JSON is nested deeper than {MOST_LEVELS} levels") from None
    except ValueError:
        raise StateUnreadable("a number has too many digits") from None
    if not isinstance(document, dict):
        raise StateUnreadable("a state is a JSON object at its top level")
    _check_depth(document)
    if "\x00" in text or _SUSPECT_ESCAPE.search(text):
        _refuse_unstorable(document)
    return cast("dict[str, object]", document)


def _text(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise StateUnreadable("the content is not UTF-8 text; a compressed or encrypted file?") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise StateUnreadable("a JSON object has the same member twice", member=twice[:100])
    return found


def _refuse_word(word: str) -> Any:
    raise StateUnreadable(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StateUnreadable("a number is too large")
    return number


def _check_depth(document: dict[str, Any]) -> None:
    """Bound the nesting, so that nothing that walks a value later runs out of stack."""
    level: list[Any] = [document]
    for _ in range(MOST_LEVELS):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise StateUnreadable(f"the JSON is nested deeper than {MOST_LEVELS} levels")


def _refuse_unstorable(document: dict[str, Any]) -> None:
    """Refuse NUL (PostgreSQL keeps none) and halves of surrogate pairs (no character at all)."""
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and _UNSTORABLE.search(item):
            raise StateUnreadable("a text holds NUL or half of a surrogate pair")
