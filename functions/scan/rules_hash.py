"""Names the rules under which a pair was found without a difference: with other rules it is looked at again."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_FOLDERS = ("domain", "types")
_PATTERNS = ("*.py", "*.xz")  # what providers say of their types decides the form of Google's attributes
_FILES = ("streaming.py", "rules_hash.py")


@cache
def rules_hash() -> bytes:
    """Return a digest over everything that decides what is compared, and how: the source of the domain and of the type table."""
    paths = [path for folder in _FOLDERS for pattern in _PATTERNS for path in (_ROOT / folder).rglob(pattern)]
    paths += [_ROOT / name for name in _FILES]
    return hash_of({path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in paths})


def hash_of(files: dict[str, bytes]) -> bytes:
    """Return a digest over files by name, in whatever order they come."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.digest()
