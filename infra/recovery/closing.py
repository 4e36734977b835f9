"""Closing a database to the functions, and opening it again: `python -m infra.recovery close`, `… reopen`.

What is written to a database that will be left behind is lost. So nobody connects to it any more but its owner; functions
answer 503 `database_away` meanwhile, and messages wait in the queue.
"""

from __future__ import annotations

from . import queries
from .owner import OwnerDatabase


def close(database: OwnerDatabase) -> int:
    """Let nobody but the owner connect, and end who is connected; returns how many connections ended."""
    database.session.simple(queries.CLOSE)
    return len(database.session.run(queries.END_CONNECTIONS))


def reopen(database: OwnerDatabase) -> None:
    """Let everybody connect again who has a login."""
    database.session.simple(queries.REOPEN)
