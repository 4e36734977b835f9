"""Text that may be shown: no control characters, nothing that hides or turns round what is read. Pure."""

from __future__ import annotations

import json
import re
import unicodedata

_CUT = "…"
# Characters that are no letters and yet are drawn as nothing: what follows them would be read as something else.
_UNSEEN = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0\ufffc")
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[ -~]*")


def visible(text: str, most: int | None = None) -> str:
    r"""Return a text in one line in which everything is seen: what hides, turns round or breaks lines is written as `\u202e`.

    Args:
        text: anything.
        most: most characters; a longer text is cut, and says so.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + _CUT
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escaped(one) if _hides(one) else one for one in text)


def shown(value: object, most: int) -> str:
    """Return a JSON value as people read it: text as it is, everything else as JSON.

    Args:
        value: ready for JSON.
        most: most characters.
    """
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), most)


def _hides(one: str) -> bool:
    is_selector = "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"
    return unicodedata.category(one) in _HIDING or one in _UNSEEN or is_selector


def _escaped(one: str) -> str:
    number = ord(one)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(one) or (
        f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    )
