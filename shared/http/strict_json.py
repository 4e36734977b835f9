"""JSON as RFC 8259 and RFC 7493 (I-JSON) have it, and nothing more.

Two parsers that read one text differently are how checks are passed by: what is doubtful is refused, never guessed.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from itertools import accumulate
from typing import Any

from shared.storable import UNSTORABLE, is_document_storable

from .errors import MalformedRequest

MOST_MEMBERS = 50_000
_MOST_DEPTH = 100
_MOST_DIGITS = 100
_DIGITS_AS_ZEROS = bytes(0x30 if 0x30 <= code <= 0x39 else 0x20 for code in range(256))
_LONG_DIGITS = b"0" * (_MOST_DIGITS + 1)
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def parse_json(content: bytes, *, most_members: int = MOST_MEMBERS) -> Any:
    """Parse JSON strictly: UTF-8 without a byte order mark, no repeated member, only finite numbers, only real characters.

    Also no deeper than 100 levels, no number of more than 100 digits in a row, and no more members and elements than allowed:
    a small body can hold a great many, and each costs a hundred times its size.

    Args:
        content: the body.
        most_members: how many members and elements all objects and arrays may have together.

    Raises:
        MalformedRequest: (400 `malformed_request`) with line and column where they are known.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise MalformedRequest("the body starts with a byte order mark")
    _check_shape(content, most_members)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole if _LONG_DIGITS in content.translate(_DIGITS_AS_ZEROS) else None,
        )
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"not JSON: {error.msg}", line=error.lineno, column=error.colno) from None
    if not is_document_storable(text, found):
        raise MalformedRequest(UNSTORABLE)
    return found


def _check_shape(content: bytes, most_members: int) -> None:
    """Count before anything is built; most bodies are so small that counting bytes settles it."""
    openings = content.count(b"[") + content.count(b"{")
    if openings <= _MOST_DEPTH and content.count(b",") + openings <= most_members:
        return
    bare = _without_texts(content, most_members)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > most_members:
        raise MalformedRequest(f"the JSON has more than {most_members} members and elements")
    steps = array("b", bare.translate(_STEPS, _NO_BRACKET))
    if max(accumulate(steps), default=0) > _MOST_DEPTH:
        raise MalformedRequest(f"the JSON is nested more than {_MOST_DEPTH} levels deep")


def _without_texts(content: bytes, most_members: int) -> bytes:
    """Return what lies outside of texts. Without a backslash every quote begins or ends one, which is soon told by splitting."""
    if b"\\" in content or content.count(b'"') > 4 * most_members:
        return _TEXT.sub(b"", content)
    return b"".join(content.split(b'"')[::2])


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _MOST_DIGITS:
        raise MalformedRequest(f"a number has more than {_MOST_DIGITS} digits")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("a JSON object has the same member twice")
    return found


def _refuse_constant(word: str) -> Any:
    raise MalformedRequest(f"{word} is not JSON")


def _finite(digits: str) -> float:
    if len(digits) > _MOST_DIGITS:
        raise MalformedRequest(f"a number has more than {_MOST_DIGITS} digits")
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedRequest("a number is too large")
    return number
