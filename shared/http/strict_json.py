"""JSON as RFC 8259 and RFC 7493 (I-JSON) have it, and nothing more.

Two parsers that read one text differently are how checks are passed by: what is doubtful is refused, never guessed.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .errors import MalformedRequest

_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_json(content: bytes) -> Any:
    """Parse JSON strictly: UTF-8 without a byte order mark, no repeated member, only finite numbers, only real characters.

    Raises:
        MalformedRequest: (400 `malformed_request`) with line and column where they are known.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise MalformedRequest("the body starts with a byte order mark")
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"not JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    except (RecursionError, ValueError):  # ValueError: an integer of more digits than Python converts
        raise MalformedRequest("the JSON is nested too deeply or holds a number that is too long") from None
    if "\x00" in text or _SUSPECT_ESCAPE.search(text):
        _refuse_unstorable(found)
    return found


def is_storable(text: str) -> bool:
    """Say whether a text can be stored and sent on: no NUL (PostgreSQL keeps none) and no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("a JSON object has the same member twice")
    return found


def _refuse_constant(word: str) -> Any:
    raise MalformedRequest(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedRequest("a number is too large")
    return number


def _refuse_unstorable(found: Any) -> None:
    waiting = [found]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and not is_storable(item):
            raise MalformedRequest("a text holds NUL or half of a surrogate pair")
