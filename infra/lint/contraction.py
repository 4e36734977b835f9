"""Migrations that take something away: `python -m infra.lint.contraction`.

Migrations run before the functions change, and the functions that serve meanwhile are the release before. So a migration may add; what it
takes away must be something that the release before has stopped using. Such a migration says in its first line, `| contract: …`, what used
it and since when nothing does. Up to `_BEFORE_ANY_RELEASE` nothing was deployed.
Source: https://martinfowler.com/bliki/ParallelChange.html
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BEFORE_ANY_RELEASE = 21
_DECLARED = re.compile(r"^--.*\|\s*contract:\s*\S.{9,}")
_COMMENTS_AND_TEXTS = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_MADE = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:table|function)\s+(?:if\s+not\s+exists\s+)?([a-z_.]+)", re.IGNORECASE
)

# What code that is already running may still rely on.
_TAKES_AWAY: dict[str, re.Pattern[str]] = {
    "drops a table": re.compile(r"\bdrop\s+table\b", re.IGNORECASE),
    "drops a column": re.compile(r"\bdrop\s+column\b", re.IGNORECASE),
    "drops a function": re.compile(r"\bdrop\s+function\b", re.IGNORECASE),
    "drops a type or a schema": re.compile(r"\bdrop\s+(?:type|schema)\b", re.IGNORECASE),
    "drops a role": re.compile(r"\bdrop\s+role\b", re.IGNORECASE),
    "renames": re.compile(r"\brename\s+(?:to|column|constraint)\b", re.IGNORECASE),
    "changes a column's type": re.compile(r"\balter\s+column\s+\w+\s+(?:set\s+data\s+)?type\b", re.IGNORECASE),
    "makes a column required": re.compile(r"\balter\s+column\s+\w+\s+set\s+not\s+null\b", re.IGNORECASE),
    "takes a default away": re.compile(r"\balter\s+column\s+\w+\s+drop\s+default\b", re.IGNORECASE),
    "takes a right away": re.compile(r"\brevoke\b[^;]*?\bfrom\b[^;]*?_(?:work|login)\b", re.IGNORECASE),
}


def check_tree(root: Path) -> Iterator[str]:
    """Yield what each migration takes away without saying so."""
    for path in sorted((root / "infra" / "migrations").glob("*.sql")):
        if int(path.name[:4]) > _BEFORE_ANY_RELEASE:
            yield from check(path.name, path.read_text("utf-8"))


def check(name: str, text: str) -> Iterator[str]:
    """Yield what one migration takes away.

    Args:
        name: of the file.
        text: what it holds.
    """
    if _DECLARED.match(text.split("\n", 1)[0]):
        return
    bare = _COMMENTS_AND_TEXTS.sub("''", text)
    made = {found[1].lower() for found in _MADE.finditer(bare)}
    for statement in bare.split(";"):
        if any(
            re.search(rf"\balter\s+table\s+(?:only\s+)?{re.escape(table)}\b", statement, re.IGNORECASE)
            for table in made
        ):
            continue  # it was made a few lines above, so nobody uses it yet
        for what, pattern in _TAKES_AWAY.items():
            if pattern.search(statement):
                yield f"{name}: {what}; the release before may still use it: say in the first line `| contract: …` why not"


def main(_arguments: Sequence[str]) -> int:
    """Check this tree."""
    found = list(check_tree(ROOT))
    for line in found:
        print(line)
    print(
        f"contraction: {len(found)} found" if found else "contraction: running releases can live with every migration"
    )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
