"""Writes what the chart grants: `python -m driftwise_operator.rights [--check]`, one rule per kind that is read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .kinds import KINDS

FILE = Path(__file__).parents[1] / "chart" / "files" / "kinds.json"


def text() -> str:
    """Return the table of kinds as the chart reads it."""
    kinds = [{"name": kind.name, "group": kind.group, "plural": kind.plural} for kind in KINDS]
    return json.dumps(kinds, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    if "--check" not in arguments:
        FILE.write_text(text(), "utf-8")
    elif FILE.read_text("utf-8") != text():
        sys.stderr.write("kinds.json is stale: run `python -m driftwise_operator.rights` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
