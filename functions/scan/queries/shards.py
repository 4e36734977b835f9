"""All SQL on the shards of scans: one service of one region each, read in turns, counted in its scan when it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_INSERT_SHARDS = """
insert into scan.shards (scan_id, service, region)
select cast(:scan_id as uuid), s.service, s.region
from jsonb_to_recordset(cast(:shards as jsonb)) as s (service text, region text)
returning id, service, region
"""
_BEGIN_SHARD = """
update scan.shards
set status = 'running', attempts = attempts + 1, started_at = now()
where org_id = :org_id and id = :shard_id and status in ('pending', 'running')
returning id, scan_id, service, region, attempts, resources, progress
"""
_END_SHARD = """
update scan.shards
set status = :status, resources = :resources, finished_at = now()
where org_id = :org_id and id = :shard_id and status in ('pending', 'running')
  and progress is not distinct from cast(:progress as jsonb)
returning scan_id
"""
_PAUSE_SHARD = """
update scan.shards
set progress = cast(:following as jsonb), resources = :resources, attempts = 0, started_at = now()
where org_id = :org_id and id = :shard_id and status in ('pending', 'running')
  and progress is not distinct from cast(:progress as jsonb)
returning id
"""
_TOUCH_SHARD = "update scan.shards set started_at = now() where org_id = :org_id and id = :shard_id"
_COUNT_SHARD = """
update scan.scans
set shards_done = shards_done + 1, resources = resources + :resources,
  status = case when shards_done + 1 >= shards_total then 'comparing' else status end
where org_id = :org_id and id = :scan_id and status in ('pending', 'running')
returning status
"""
_LIST_STUCK_SHARDS = """
select h.id, h.scan_id, h.service, h.region, h.attempts
from scan.shards h
join scan.scans s on s.org_id = h.org_id and s.id = h.scan_id and s.status in ('pending', 'running')
where h.org_id = :org_id and s.org_id = :org_id and h.status in ('pending', 'running')
  and coalesce(h.started_at, s.created_at) < now() - make_interval(secs => cast(:stuck_seconds as integer))
order by h.id
limit 200
"""
_LIST_WORKING = """
select service, region
from scan.shards
where org_id = :org_id and scan_id = :scan_id and status = 'running'
order by service, region
limit :most
"""


def insert_shards(tx: UnitOfWork, scan_id: UUID, shards: Sequence[Mapping[str, str]]) -> Sequence[Row]:
    """Insert the shards of a scan; returns their rows."""
    return tx.rows(_INSERT_SHARDS, scan_id=scan_id, shards=json.dumps(list(shards)))


def begin_shard(tx: UnitOfWork, shard_id: UUID) -> Row | None:
    """Take a shard into work; None when it is over already."""
    return tx.row(_BEGIN_SHARD, shard_id=shard_id)


@dataclass(frozen=True, slots=True)
class ShardEnd:
    """A shard that was ended just now; `is_last` when its scan waits for nothing but the comparison."""

    is_last: bool


def pause_shard(
    tx: UnitOfWork, shard_id: UUID, *, before: Mapping[str, Any] | None, following: Mapping[str, Any], resources: int
) -> bool:
    """Note how far a shard was read in one turn; False when another delivery of the turn was first, or it is over.

    Args:
        tx: the unit of work.
        shard_id: which.
        before: where the turn began; None for the first one.
        following: where the next one goes on.
        resources: how many were seen so far.
    """
    places = {"progress": _json(before), "following": _json(following)}
    return tx.row(_PAUSE_SHARD, shard_id=shard_id, **places, resources=resources) is not None


def end_shard(
    tx: UnitOfWork, shard_id: UUID, *, status: str, resources: int, progress: Mapping[str, Any] | None = None
) -> ShardEnd | None:
    """End a shard and count it, once; None when it was over already, or went on from where this turn began.

    Args:
        tx: the unit of work.
        shard_id: which.
        status: `done` or `failed`.
        resources: how many it saw.
        progress: where the last turn began; None for a shard of one turn.
    """
    ended = tx.row(_END_SHARD, shard_id=shard_id, status=status, resources=resources, progress=_json(progress))
    if ended is None:
        return None
    counted = tx.row(_COUNT_SHARD, scan_id=ended["scan_id"], resources=resources)
    return ShardEnd(counted is not None and counted["status"] == "comparing")


def list_working(tx: UnitOfWork, scan_id: UUID, *, most: int) -> Sequence[Row]:
    """List the shards of a scan that are being read."""
    return tx.rows(_LIST_WORKING, scan_id=scan_id, most=most)


def touch_shard(tx: UnitOfWork, shard_id: UUID) -> None:
    """Start a shard's waiting time anew."""
    tx.execute(_TOUCH_SHARD, shard_id=shard_id)


def list_stuck_shards(tx: UnitOfWork, *, stuck_seconds: int) -> Sequence[Row]:
    """List shards that nobody finished in time."""
    return tx.rows(_LIST_STUCK_SHARDS, stuck_seconds=stuck_seconds)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
