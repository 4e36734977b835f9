"""All SQL on other functions' outboxes."""

from __future__ import annotations

from shared.data.rows import Lookups, Row

_LIST_ORGS_WITH_OUTBOX = """
select org_id, waiting, cast(extract(epoch from now() - oldest_at) as double precision) as oldest_seconds
from core.list_orgs_with_outbox(cast(:older_than_seconds as integer), cast(:most as integer))
"""


def list_orgs_with_outbox(db: Lookups, *, older_than_seconds: int, most: int) -> list[Row]:
    """List organisations whose outbox holds rows that a crash may have left, oldest first."""
    return db.lookup(_LIST_ORGS_WITH_OUTBOX, older_than_seconds=older_than_seconds, most=most)
