"""`make bench`: runs every measurement and prints one line each: what, against what, the ratio, the bar.

A ratio compares two things measured in turn in the same run, so that a slow machine slows both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from . import (
    cold_start,
    comparison,
    plan_analysis,
    refresh_only,
    requests,
    scim,
    sessions,
    streamed_comparison,
    webhooks,
)
from .result import Result

MEASUREMENTS: dict[str, Callable[[], list[Result]]] = {
    "comparison": comparison.measure,
    "streamed-comparison": streamed_comparison.measure,
    "refresh-only": refresh_only.measure,
    "plan-analysis": plan_analysis.measure,
    "cold-start": cold_start.measure,
    "tenant-read": requests.measure_tenant_read,
    "sessions": sessions.measure_sessions,
    "webhooks": webhooks.measure_webhooks,
    "scim": scim.measure,
}

# These take long; they run when they are named.
ON_DEMAND: dict[str, Callable[[], list[Result]]] = {"organisation": streamed_comparison.measure_organisation}


def main(names: Sequence[str]) -> int:
    """Run the named measurements, or all that do not have to be named."""
    known = {**MEASUREMENTS, **ON_DEMAND}
    unknown = sorted(set(names) - known.keys())
    if unknown:
        sys.stderr.write(f"bench: no such measurement: {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    console = Console()
    table = Table("what", "against", "measured", "ratio", "bar", "met")
    for name in names or MEASUREMENTS:
        with console.status(f"measuring {name} ..."):
            results = known[name]()
        for item in results:
            table.add_row(
                item.what, item.against, item.measured, f"{item.ratio:.2f}", item.bar, "yes" if item.is_met else "no"
            )
    console.print(table)
    return 0


raise SystemExit(main(sys.argv[1:]))
