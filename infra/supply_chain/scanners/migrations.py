"""Migrations: what squawk says of locks and rewrites, and the project's own lint of what running releases still use.

Source: https://squawkhq.com/docs/rules
"""

from __future__ import annotations

from pathlib import Path

from infra.lint import contraction

from ..results import Finding
from ..tools import here, parsed, run
from ..tree import files, place

_CONFIGURATION = Path(__file__).parents[1] / "squawk.toml"


def squawk(root: Path) -> list[Finding]:
    """Return what squawk finds in `infra/migrations`."""
    found = files(root, "infra/migrations/*.sql")
    if not found:
        return []
    command = [str(here("squawk")), "--config", str(_CONFIGURATION), "--reporter", "json"]
    return [
        Finding(place(root, item["file"]), item["rule_name"], item["message"], item["line"] + 1)
        for item in parsed(run([*command, *map(str, found)], root, good=(0, 1)), "squawk")
    ]


def contracting(root: Path) -> list[Finding]:
    """Return what migrations take away from the release that serves while they run."""
    return [
        Finding(f"infra/migrations/{line.partition(':')[0]}", "takes away", line.partition(":")[2].strip())
        for line in contraction.check_tree(root)
    ]
