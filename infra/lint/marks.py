"""What must not be left lying in the tree: `python -m infra.lint.marks`.

Marks of unfinished work, paths of somebody's machine, and `print` in what runs in production (which logs instead).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions", "shared", "infra", "local_emulator", "terraform", "tests")
SILENT = ("functions", "shared")
SUFFIXES = frozenset({
    ".css", ".html", ".js", ".json", ".md", ".py", ".sh", ".sql", ".tf", ".tfvars", ".toml", ".txt", ".yaml", ".yml", "",
})  # fmt: skip
FOREIGN = frozenset({"__pycache__", "node_modules"})  # not ours, or made
RECORDED = ("tests/fixtures/",)  # what other programs wrote
GENERATED = re.compile(r"requirements.*\.txt|LICENSE")

_UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
_MACHINE = re.compile(r"(?<![\w.:/$}{~-])/(?:work|root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/[\w.]")


def check_tree(root: Path) -> Iterator[str]:
    """Yield every mark, one line each."""
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        yield from check(name, path.read_text("utf-8", errors="replace"))


def check(name: str, text: str) -> Iterator[str]:
    """Yield the marks of one file.

    Args:
        name: its path in the tree.
        text: what it holds.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if found := _UNFINISHED.search(line):
            yield f"{name}:{number}: {found[0]}: finish it, or file an issue"
        if found := _MACHINE.search(line):
            yield f"{name}:{number}: {found[0]}…: a path of somebody's machine"
    if name.endswith(".py") and name.split("/", 1)[0] in SILENT:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield f"{name}:{node.lineno}: print: functions log, tools write to sys.stdout"


def _files(root: Path) -> Iterator[Path]:
    tops = [path for path in root.iterdir() if path.is_file()]
    below = [path for folder in FOLDERS if (root / folder).is_dir() for path in (root / folder).rglob("*")]
    for path in sorted([*tops, *below]):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or not path.is_file() or path.suffix not in SUFFIXES or "/." in f"/{name}":
            continue
        if not FOREIGN.isdisjoint(path.parts) or name.startswith(RECORDED) or GENERATED.fullmatch(path.name):
            continue
        yield path


def main(_arguments: Sequence[str]) -> int:
    """Check this tree."""
    found = list(check_tree(ROOT))
    for line in found:
        print(line)
    print(f"marks: {len(found)} found" if found else "marks: none")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
