"""Licences of everything that is locked and installed, against a list of those that we may ship or build with.

Read from the distributions' own metadata: an SPDX expression (PEP 639), else their classifiers, else the free text where it is a licence's name.
Source: https://packaging.python.org/en/latest/specifications/core-metadata/, https://spdx.org/licenses/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from license_expression import ExpressionError, LicenseExpression, Licensing, get_spdx_licensing
from packaging.utils import canonicalize_name

from infra.build.errors import BuildError
from infra.build.lock import read_lock

from ..results import Finding, ScannerBroken, ScannerMissing
from ..tree import files, place

# Permissive ones, and MPL-2.0, which asks for the source of changed files only: we change none.
ALLOWED = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense",
    "Zlib",
})  # fmt: skip
_OF_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU General Public License (GPL)": "GPL-2.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_OF_TEXT = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT style": "MIT",
}
_SAYS_NOTHING = {"OSI Approved", "DFSG approved", "Public Domain"}
_LONGEST_NAME = 60


def scan(root: Path) -> list[Finding]:
    """Return each locked distribution whose licence is not allowed or not known.

    Args:
        root: a tree with requirements files and, in `.venv`, what they name installed.

    Raises:
        ScannerMissing: there is no such environment.
        ScannerBroken: a requirements file cannot be read.
    """
    places = [str(path) for path in root.glob(".venv/lib/python3*/site-packages")]
    if not places:
        raise ScannerMissing("there is no .venv whose distributions could be read: `make setup`")
    locked: dict[str, str] = {}
    try:
        for path in files(root, "requirements*.txt"):
            locked |= dict.fromkeys(read_lock(path), place(root, path))
    except BuildError as error:
        raise ScannerBroken(str(error)) from error
    return [
        finding
        for item in metadata.distributions(path=places)
        if canonicalize_name(item.metadata["Name"]) in locked
        for finding in _judge(item)
    ]


def expression_of(item: metadata.Distribution) -> str | None:
    """Return the licence as an SPDX expression; None when the metadata says nothing that is known."""
    if "License-Expression" in item.metadata:
        return item.metadata["License-Expression"]
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in item.metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    named = [_OF_CLASSIFIER.get(text, text) for text in classifiers if text not in _SAYS_NOTHING]
    if named:
        return " OR ".join(sorted(set(named))) if len(set(named)) > 1 else named[0]
    text = item.metadata["License"].strip() if "License" in item.metadata else ""
    if text.startswith("Apache License") and "Version 2.0" in text[:100]:
        return "Apache-2.0"
    return _OF_TEXT.get(text, text if 0 < len(text) <= _LONGEST_NAME else None)


def is_allowed(expression: str) -> bool:
    """Whether everything that an expression asks for is allowed; of alternatives one is enough.

    Raises:
        ExpressionError: it is no expression of SPDX's identifiers.
    """
    parsed = _licensing().parse(expression, validate=True)
    return parsed is not None and _allows(parsed)


def _allows(node: LicenseExpression) -> bool:
    parts = getattr(node, "args", ())
    if isinstance(node, _licensing().OR):
        return any(_allows(part) for part in parts)
    if isinstance(node, _licensing().AND):
        return all(_allows(part) for part in parts)
    return str(node) in ALLOWED


def _judge(item: metadata.Distribution) -> Iterator[Finding]:
    name = canonicalize_name(item.metadata["Name"])
    expression = expression_of(item)
    if expression is None:
        yield Finding(name, "unknown", "its metadata names no licence")
        return
    try:
        allowed = is_allowed(expression)
    except ExpressionError:
        yield Finding(name, "unknown", f"{expression!r} is no licence that SPDX lists")
        return
    if not allowed:
        yield Finding(name, expression, "this licence is not on the list")


@cache
def _licensing() -> Licensing:
    return get_spdx_licensing()
