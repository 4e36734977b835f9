"""The bytes of a state file to a JSON document, within bounds.

Refuses what cannot be stored or would be read in two ways, with a place a person can go to. Knows nothing of states beyond
that they are JSON objects. Source: RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

from typing import cast

from shared.documents import DocumentRefused, decode, parse

from ..errors import StateTooLarge, StateUnreadable

EXAMPLE = "`terraform state pull` writes one"
MOST_VALUES = 4_000_000  # what one process can hold as objects; 32 MiB of small values would be far more
MOST_LEVELS = 200


def load_document(content: bytes) -> dict[str, object]:
    """Parse one JSON object.

    Args:
        content: UTF-8 with or without a byte order mark, or UTF-16 (PowerShell's `>` writes that).

    Raises:
        StateUnreadable: (422 `state_unreadable`) says what is wrong, with line and column where they are known.
        StateTooLarge: (413 `state_too_large`) more values than can be held.
    """
    try:
        text = decode(content)
        if not text.strip("\ufeff \t\r\n"):
            raise StateUnreadable(f"the state is empty; {EXAMPLE}")
        document = parse(text, most_values=MOST_VALUES, most_levels=MOST_LEVELS)
    except DocumentRefused as refused:
        if refused.is_too_large:
            raise StateTooLarge(limit_values=MOST_VALUES) from None
        raise StateUnreadable(refused.detail, **refused.facts) from None
    if not isinstance(document, dict):
        raise StateUnreadable("a state is a JSON object at its top level")
    return cast("dict[str, object]", document)
