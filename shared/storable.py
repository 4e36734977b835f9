"""Which texts can be stored and sent on: those without NUL (PostgreSQL keeps none) and without halves of surrogate pairs (no characters at all)."""

from __future__ import annotations

import re
from typing import Any

UNSTORABLE = "a text holds NUL or half of a surrogate pair"
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def is_storable(text: str) -> bool:
    """Say whether a text can be stored."""
    return _REFUSED.search(text) is None


def is_document_storable(written: str, document: object) -> bool:
    """Say whether every text of a JSON document can be stored, names of members too.

    Args:
        written: the document as it was written; where no escape in it is suspect, that settles it.
        document: what was read from it.
    """
    if "\x00" not in written and not _SUSPECT_ESCAPE.search(written):
        return True
    waiting: list[Any] = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and not is_storable(item):
            return False
    return True
