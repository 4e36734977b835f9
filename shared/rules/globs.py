"""Globs over names and addresses: `*` stands for any text, `?` for one character, and everything else for itself.

A bracket is no class here: Terraform's addresses hold them (`aws_subnet.private[0]`). Matching takes linear time for few stars, so
their number is capped, as is the length.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

MOST_LENGTH = 200
MOST_STARS = 6
_RUN_OF_STARS = re.compile(r"\*{2,}")


def glob_problem(pattern: str) -> str | None:
    """Say what is wrong with a pattern, None when nothing is."""
    if not pattern:
        return "a pattern may not be empty"
    if len(pattern) > MOST_LENGTH:
        return f"a pattern has at most {MOST_LENGTH} characters"
    if _RUN_OF_STARS.sub("*", pattern).count("*") > MOST_STARS:
        return f"a pattern has at most {MOST_STARS} stars"
    if any(not character.isprintable() for character in pattern):
        return "a pattern has printable characters only"
    return None


def matches(pattern: str, text: str) -> bool:
    """Say whether a whole text is as a pattern says; case matters."""
    return _compiled(pattern).match(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(_RUN_OF_STARS.sub("*", pattern).replace("[", "[[]")))
