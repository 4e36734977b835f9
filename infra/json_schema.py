"""JSON Schema, without what the library `jsonschema` loads only to check addresses in other scripts (the format `iri`).

Where `rfc3987-syntax` is installed, as it is with the tools for checking, `jsonschema` has it build its parsers when it is imported. That takes
each process three seconds of a core, and no schema here names that format.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have a package look for the length of a block as if it were not installed, unless somebody has loaded it."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own mark, see `importlib.import_module`
    try:
        yield
    finally:
        del sys.modules[name]


with _absent("rfc3987_syntax"):
    from jsonschema import Draft202012Validator

__all__ = ["Draft202012Validator"]
