"""Text that may be shown: no control characters, nothing that hides or turns round what is read. Pure."""

from __future__ import annotations

import json
import re

_CUT = "…"
# Characters that count as printable and yet are drawn as nothing, or change what stands before them.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc\U000e0100-\U000e01ef]"
)


def visible(text: str, most: int | None = None) -> str:
    r"""Return a text in one line in which everything is seen: what hides, turns round or breaks lines is written as `\u202e`.

    Args:
        text: anything.
        most: most characters; a longer text is cut, and says so.
    """
    part = text if most is None else text[:most]
    clean = "".join(_escaped(one) if _hides(one) else one for one in part) if _hides(part) else part
    if most is None or (len(text) <= most and len(clean) <= most):
        return clean
    return clean[: most - 1] + _CUT


def shown(value: object, most: int) -> str:
    """Return a JSON value as people read it: text as it is, everything else as JSON.

    Args:
        value: ready for JSON.
        most: most characters.
    """
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), most)


def _hides(text: str) -> bool:
    return not text.isprintable() or _UNSEEN.search(text) is not None


def _escaped(one: str) -> str:
    number = ord(one)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(one) or (
        f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    )
