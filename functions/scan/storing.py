"""Storing what a shard saw: live resources with their documents, hidden what a state of the account marks as sensitive.

Owns the order of the statements. Must not read a cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shared.data.unit_of_work import UnitOfWork

from .domain import records
from .domain.baseline_records import document_row
from .domain.comparison import identities_of
from .domain.resources import LiveResource
from .domain.sealing import Marks, Sealer, marks_of
from .domain.specs import TypeSpec
from .queries import baselines as baseline_queries
from .queries import live as live_queries
from .queries import sources as source_queries

BATCH = 200


def marked(tx: UnitOfWork, account_id: UUID, names: Iterable[tuple[str, str]]) -> Marks:
    """Return what the states of an account mark as sensitive."""
    return marks_of(records.declared_of(row) for row in source_queries.list_marked(tx, account_id, names))


def store_live(
    tx: UnitOfWork,
    items: Sequence[LiveResource],
    specs: Mapping[str, TypeSpec],
    seal: Sealer,
    *,
    account_id: UUID,
    scan_id: UUID,
) -> int:
    """Store what was read; returns how much that is.

    Args:
        tx: the unit of work.
        items: what was read, each identity once.
        specs: the type table of the cloud.
        seal: hides secrets.
        account_id: whose.
        scan_id: the scan that saw it.
    """
    marks = marked(tx, account_id, {name for item in items for name in identities_of(item)})
    rows = [records.live_row(item, specs, seal, marks=marks) for item in items]  # reads what else was handed on
    documents = [row for item in items if (row := document_row(item, specs, seal, marks=marks)) is not None]
    if rows:
        live_queries.upsert_live(tx, account_id=account_id, scan_id=scan_id, resources=rows)
        baseline_queries.upsert_documents(tx, account_id=account_id, scan_id=scan_id, documents=documents)
    return len(rows)
