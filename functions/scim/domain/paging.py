"""Pages of a list, by index (RFC 7644 section 3.4.2.4) and by cursor (RFC 9865)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.storable import is_storable

from .errors import ExpiredCursor, InvalidCount, InvalidCursor, InvalidValue

DEFAULT_COUNT: Final = 100
MOST_COUNT: Final = 200
CURSOR_SECONDS: Final = 3_600
_MOST_CURSOR: Final = 4_096
_MOST_DIGITS: Final = 18
_CHECK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for.

    Attributes:
        start_index: number of the first resource, from 1; 1 when paged by cursor.
        count: at most so many; 0 asks for `totalResults` only.
        cursor: None when paged by index; "" for the first page by cursor.
    """

    start_index: int = 1
    count: int = DEFAULT_COUNT
    cursor: str | None = None


def read_page(start_index: object, count: object, cursor: object) -> Page:
    """Read what a query says about pages; each may be None, a number, or a number as text.

    `startIndex` below 1 is 1, a negative `count` is 0, and more than `MOST_COUNT` is that much (RFC 7644 section 3.4.2.4).

    Raises:
        InvalidValue: (400 `invalidValue`) not a whole number.
        InvalidCount: (400 `invalidCount`) by cursor, a count that is no whole number.
        InvalidCursor: (400 `invalidCursor`) not a text, or too long.
    """
    if cursor is not None and not isinstance(cursor, str):
        raise InvalidCursor("cursor is a text")
    if cursor is not None and len(cursor) > _MOST_CURSOR:
        raise InvalidCursor("the cursor is not one of this list")
    number = _whole(count)
    if count is not None and number is None:
        raise (InvalidValue if cursor is None else InvalidCount)("count is a whole number")
    first = _whole(start_index)
    if start_index is not None and first is None:
        raise InvalidValue("startIndex is a whole number")
    return Page(
        1 if cursor is not None else max(1, first or 1),
        DEFAULT_COUNT if number is None else min(max(0, number), MOST_COUNT),
        cursor,
    )


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip().removeprefix("-")
        if not digits.isascii() or not digits.isdecimal() or len(digits) > _MOST_DIGITS:
            return None
        return int(value)
    if isinstance(value, int) and abs(value) < 10**_MOST_DIGITS:
        return value
    return None


def write_cursor(position: Any, query: Mapping[str, object], expires_at: datetime) -> str:
    """Make the cursor of a place in a list.

    It keeps no secret: whoever reads it learns the place, which is a resource that the client was just shown. What a client makes up
    itself opens nothing that the list does not show, since the place only says where a page of the same list begins.

    Args:
        position: where the page begins; JSON.
        query: what the list is of: type, filter, order, `count`. A cursor opens for the same only.
        expires_at: aware; `CURSOR_SECONDS` from now.
    """
    content = json.dumps(
        {"p": position, "q": _digest(query), "n": query.get("count"), "e": int(expires_at.timestamp())},
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()
    return base64.urlsafe_b64encode(_check(content) + content).rstrip(b"=").decode()


def open_cursor(cursor: str, query: Mapping[str, object], now: datetime) -> Any:
    """Read the place out of a cursor.

    Args:
        cursor: not empty.
        query: as when it was made.
        now: aware.

    Raises:
        InvalidCursor: (400 `invalidCursor`) not from here, or of another list.
        ExpiredCursor: (400 `expiredCursor`) too old.
        InvalidCount: (400 `invalidCount`) the pages before were of another size (RFC 9865 section 2.4).
    """
    try:
        found = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        content = found[_CHECK_BYTES:]
        if found[:_CHECK_BYTES] != _check(content):
            raise InvalidCursor("the cursor is not one of this list")
        parts = json.loads(content)
        position, digest, count, expires = parts["p"], parts["q"], parts["n"], parts["e"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidCursor("the cursor is not one of this list") from None
    if digest != _digest(query) or not isinstance(expires, int) or not _is_safe(position):
        raise InvalidCursor("the cursor is not one of this list")
    if now.timestamp() >= expires:
        raise ExpiredCursor(f"a cursor is good for {CURSOR_SECONDS} seconds")
    if count != query.get("count"):
        raise InvalidCount("count is the same for every page of a list")
    return position


def _digest(query: Mapping[str, object]) -> str:
    text = json.dumps({name: value for name, value in query.items() if name != "count"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _check(content: bytes) -> bytes:
    return hashlib.sha256(b"scim cursor 1\0" + content).digest()[:_CHECK_BYTES]


def _is_safe(position: object) -> bool:
    return is_storable(json.dumps(position, ensure_ascii=False)) and "\\u0000" not in json.dumps(position)
