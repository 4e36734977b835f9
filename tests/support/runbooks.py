"""What a runbook tells its reader to run, taken out of the page itself."""

from __future__ import annotations

import re
from pathlib import Path

RUNBOOKS = Path(__file__).parents[2] / "infra" / "runbooks"
_BLOCK = re.compile(r"^ *```sql\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def queries_of(name: str) -> list[list[str]]:
    """Return the SQL blocks of a page, each as its statements."""
    blocks = _BLOCK.findall((RUNBOOKS / name).read_text("utf-8"))
    return [[statement.strip() for statement in block.split(";") if statement.strip()] for block in blocks]
