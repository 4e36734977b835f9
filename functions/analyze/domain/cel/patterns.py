"""How large a regular expression becomes once it is compiled. RE2 matches in linear time, and compiles at every call."""

from __future__ import annotations

import re

from .limits import MOST_PATTERN, MOST_PATTERN_SIZE, ExpressionRefused

_CLASS, _ALMOST_ANY = 2, 10  # states of what stands for some characters, and of what stands for nearly all of Unicode
_COUNT = re.compile(r"\{(\d{1,6})(?:,(\d{0,6}))?\}")
_CASELESS = re.compile(r"\(\?[a-zA-Z]*i")  # doubles the letters
_NEGATED = re.compile(r"\\[DSW]")
_BRACKETS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)


def pattern_size(pattern: str) -> int:
    """Return about how many states a pattern has.

    Raises:
        ExpressionRefused: it is too long or too large, or names classes of Unicode, which are large each.
    """
    if len(pattern) > MOST_PATTERN:
        raise ExpressionRefused(f"a regular expression has at most {MOST_PATTERN} characters")
    if re.search(r"\\[pPC]", pattern):
        raise ExpressionRefused("a regular expression names no classes of Unicode (`\\p`)")
    sizes, last, at = [0], 0, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "(":
            sizes[-1], last = sizes[-1] + last, 0
            sizes.append(0)
            at += 1
        elif character == ")":
            group = sizes.pop() + last if len(sizes) > 1 else last
            last, at = group, at + 1
        elif (count := _COUNT.match(pattern, at)) is not None:
            last, at = last * max(1, int(count[1]), int(count[2] or 0)), count.end()
        else:
            sizes[-1] += last
            last, at = _atom(pattern, at)
    size = (sum(sizes) + last) * (2 if _CASELESS.search(pattern) else 1)
    if size > MOST_PATTERN_SIZE:
        raise ExpressionRefused("a regular expression repeats too much")
    return size


def _atom(pattern: str, at: int) -> tuple[int, int]:
    """Return the size of one atom, and where it ends."""
    found = _BRACKETS.match(pattern, at)
    if found is not None:
        is_wide = found[0].startswith("[^") or "[:^" in found[0] or _NEGATED.search(found[0]) is not None
        return _ALMOST_ANY if is_wide else _CLASS, found.end()
    if pattern[at] == "\\":
        return _ALMOST_ANY if _NEGATED.match(pattern, at) else _CLASS, at + 2
    return (_ALMOST_ANY if pattern[at] == "." else 1), at + 1
