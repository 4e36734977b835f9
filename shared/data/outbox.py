"""What happens to outbox rows once the queue took them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from .unit_of_work import UnitOfWork


def delete_published(tx: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete rows that the queue has taken."""
    tx.execute(statements.DELETE_OUTBOX, ids=list(ids))
