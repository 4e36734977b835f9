"""What the readers of Azure need, as actions of Azure RBAC: made from what they read.

Source: Azure RBAC documentation, "Azure resource provider operations", "Understand Azure role definitions" (wildcards, NotActions).
"""

from __future__ import annotations

from typing import Final

from ...types.azure import BY_ARM
from .rights import READS_RECORDS, RIGHT, SCALERS, reads
from .settings import APART

GRAPH: Final = "Microsoft.ResourceGraph/resources/read"
FURTHER: Final = (
    GRAPH,
    "Microsoft.Authorization/locks/read",
    RIGHT,
    SCALERS,
    READS_RECORDS,
    *(item.action for item in APART),
    "Microsoft.Resources/subscriptions/read",
)
EVERYTHING: Final = "*/read"
"""Reads what no mapping covers as well: Resource Graph leaves out what the caller may not read, without a word."""

CONTENTS: Final = (
    "Microsoft.DocumentDB/databaseAccounts/readonlykeys/read",
    "Microsoft.Insights/Logs/*",
    "Microsoft.OperationalInsights/workspaces/query/*",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
)
"""What ends in `read` and yet gives keys, or the rows of logs."""


def needed() -> tuple[str, ...]:
    """Return the actions without which something that is mapped would not be seen, sorted without case."""
    by_name = {action.lower(): action for action in (*map(reads, BY_ARM), *FURTHER)}
    return tuple(by_name[name] for name in sorted(by_name))
