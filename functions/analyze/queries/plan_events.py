"""All SQL on deliveries that carry a plan: one read of another function's table (ADR-0023)."""

from __future__ import annotations

from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_FIND = """
select id, config_id, provider, status, body_encrypted
from webhook.deliveries_in
where org_id = :org_id and id = :delivery_id
"""


def find_delivery(tx: UnitOfWork, delivery_id: UUID) -> Row | None:
    """Read a delivery with its body as ciphertext, None when it was forgotten."""
    return tx.row(_FIND, delivery_id=delivery_id)
