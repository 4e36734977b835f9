"""The files of a tree: those that git keeps, or all of them where there is no repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path


def files(root: Path, *patterns: str) -> list[Path]:
    """Return the files of a tree, sorted.

    Args:
        root: the tree.
        patterns: of paths below it, `*` crossing folders; every file when there are none.
    """
    names = _kept(root) if (root / ".git").exists() else _all(root)
    found = (name for name in names if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns))
    return [root / name for name in sorted(found) if (root / name).is_file()]


def place(root: Path, path: Path | str) -> str:
    """Return where a file is below the tree."""
    found = Path(path)
    return found.relative_to(root).as_posix() if found.is_absolute() else found.as_posix()


def _kept(root: Path) -> Iterable[str]:
    listed = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, capture_output=True, text=True, check=True)
    return filter(None, done.stdout.split("\0"))


def _all(root: Path) -> Iterable[str]:
    return (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
