"""All SQL on what scans could not see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_CLEAR_GAPS = "delete from scan.gaps where org_id = :org_id and shard_id = :shard_id"
_INSERT_GAPS = """
insert into scan.gaps (scan_id, shard_id, types, key, attributes, region, reason, permission, detail)
select cast(:scan_id as uuid), cast(:shard_id as uuid), g.types, g.key, g.attributes, g.region, g.reason, g.permission, g.detail
from jsonb_to_recordset(cast(:gaps as jsonb))
  as g (types text[], key text, attributes text[], region text, reason text, permission text, detail text)
"""
_LIST_GAPS = """
select types, key, attributes, region, reason, permission, detail
from scan.gaps
where org_id = :org_id and scan_id = :scan_id
order by id
"""
_BATCH = 500


def replace_gaps(tx: UnitOfWork, *, scan_id: UUID, shard_id: UUID, gaps: Iterable[Mapping[str, object]]) -> None:
    """Store what a shard could not read, in the place of what an earlier try could not."""
    tx.execute(_CLEAR_GAPS, shard_id=shard_id)
    add_gaps(tx, scan_id=scan_id, shard_id=shard_id, gaps=gaps)


def add_gaps(tx: UnitOfWork, *, scan_id: UUID, shard_id: UUID, gaps: Iterable[Mapping[str, object]]) -> None:
    """Store what a further turn of a shard could not read."""
    rows = list(gaps)
    for start in range(0, len(rows), _BATCH):
        tx.execute(_INSERT_GAPS, scan_id=scan_id, shard_id=shard_id, gaps=json.dumps(rows[start : start + _BATCH]))


def list_gaps(tx: UnitOfWork, scan_id: UUID) -> Sequence[Row]:
    """List what a scan could not read."""
    return tx.rows(_LIST_GAPS, scan_id=scan_id)
