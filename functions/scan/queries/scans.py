"""All SQL on scans, their shards, what they saw and what they could not see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_COLUMNS = """id, account_id, status, requested_by, shards_total, shards_done, resources, summary, error_code,
  created_at, started_at, finished_at, regions"""

_INSERT = f"""
insert into scan.scans (account_id, requested_by, shards_total, regions)
values (:account_id, :requested_by, :shards_total, cast(:regions as text[]))
returning {_COLUMNS}
"""
_INSERT_SHARDS = """
insert into scan.shards (scan_id, service, region)
select cast(:scan_id as uuid), s.service, s.region
from jsonb_to_recordset(cast(:shards as jsonb)) as s (service text, region text)
returning id, service, region
"""
_LIST = f"""
select {_COLUMNS}
from scan.scans
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from scan.scans where org_id = :org_id and id = :scan_id"
_LOCK = f"{_GET} for update"
_COUNT_ACTIVE = """
select count(*) as active, count(*) filter (where account_id = :account_id) as of_account
from scan.scans
where org_id = :org_id and status in ('pending', 'running', 'comparing')
"""
_LATEST = """
select id
from scan.scans
where org_id = :org_id and account_id = :account_id
order by id desc
limit 1
"""
_BEGIN_SHARD = """
update scan.shards
set status = 'running', attempts = attempts + 1, started_at = now()
where org_id = :org_id and id = :shard_id and status in ('pending', 'running')
returning id, scan_id, service, region, attempts, resources, progress
"""
_BEGIN_SCAN = """
update scan.scans
set status = 'running', started_at = coalesce(started_at, now())
where org_id = :org_id and id = :scan_id and status in ('pending', 'running')
returning id, account_id, regions, readings
"""
_SPREAD_SCAN = """
update scan.scans
set regions = cast(:regions as text[]), shards_total = shards_total + cast(:added as integer)
where org_id = :org_id and id = :scan_id and status in ('pending', 'running') and regions is null
returning id
"""
_LATEST_REGIONS = """
select regions
from scan.scans
where org_id = :org_id and account_id = :account_id and regions is not null
order by id desc
limit 1
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
_SET_COMPARING = """
update scan.scans
set status = 'comparing', readings = 2, comparison = null, compared_at = now()
where org_id = :org_id and id = :scan_id
"""
_SET_DONE = """
update scan.scans
set status = 'done', summary = cast(:summary as jsonb), comparison = null, finished_at = now()
where org_id = :org_id and id = :scan_id
"""
_SET_ENDED = """
update scan.scans
set status = :status, error_code = :error_code, finished_at = now()
where org_id = :org_id and id = :scan_id and status in ('pending', 'running', 'comparing')
returning id
"""
_UPSERT_LIVE = """
insert into scan.live_resources (account_id, type, key, region, cloud_id, attributes, tags, cloud_made, parent, aliases, scan_id)
select cast(:account_id as uuid), r.type, r.key, r.region, r.cloud_id, r.attributes, r.tags, r.cloud_made, r.parent, r.aliases,
  cast(:scan_id as uuid)
from jsonb_to_recordset(cast(:resources as jsonb))
  as r (type text, key text, region text, cloud_id text, attributes jsonb, tags jsonb, cloud_made boolean, parent text[], aliases jsonb)
on conflict (org_id, account_id, type, key) do update
set region = excluded.region, cloud_id = excluded.cloud_id, attributes = excluded.attributes, tags = excluded.tags,
  cloud_made = excluded.cloud_made, parent = excluded.parent, aliases = excluded.aliases, scan_id = excluded.scan_id
where live_resources.scan_id <= excluded.scan_id
returning type, key
"""
_DELETE_ALIASES = """
delete from scan.live_aliases a
using jsonb_to_recordset(cast(:stored as jsonb)) as s (type text, key text)
where a.org_id = :org_id and a.account_id = :account_id and a.live_type = s.type and a.live_key = s.key
"""
_INSERT_ALIASES = """
insert into scan.live_aliases (account_id, type, key, live_type, live_key)
select distinct cast(:account_id as uuid), a.type, a.key, a.live_type, a.live_key
from jsonb_to_recordset(cast(:aliases as jsonb)) as a (type text, key text, live_type text, live_key text)
"""
_FIND_LIVE = """
select type, key, region, cloud_id, attributes, tags
from scan.live_resources
where org_id = :org_id and account_id = :account_id and type = :type and key = :key
"""
_PAGE_LIVE = """
select type, key, region, cloud_id, tags
from scan.live_resources
where org_id = :org_id and scan_id = :scan_id and (cast(:type as text) is null or type = :type)
  and (cast(:after_type as text) is null or (type, key) > (:after_type, :after_key))
order by type, key
limit :most
"""
_COUNT_LIVE = """
select type, count(*) as resources
from scan.live_resources
where org_id = :org_id and scan_id = :scan_id
group by type
order by type
"""
_LIST_LIVE_KEYS = """
select key
from scan.live_resources
where org_id = :org_id and account_id = :account_id and scan_id = :scan_id and type = any(cast(:chosen_types as text[]))
order by type, key
"""
_DELETE_GONE = """
delete from scan.live_resources
where org_id = :org_id and account_id = :account_id and scan_id <> :scan_id
"""
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
_LIST_STUCK_SHARDS = """
select h.id, h.scan_id, h.service, h.region, h.attempts
from scan.shards h
join scan.scans s on s.org_id = h.org_id and s.id = h.scan_id and s.status in ('pending', 'running')
where h.org_id = :org_id and s.org_id = :org_id and h.status in ('pending', 'running')
  and coalesce(h.started_at, s.created_at) < now() - make_interval(secs => cast(:stuck_seconds as integer))
order by h.id
limit 200
"""
_LIST_STUCK_COMPARISONS = """
select s.id
from scan.scans s
where s.org_id = :org_id and s.status = 'comparing'
  and greatest(
    s.created_at, s.compared_at, (select max(h.finished_at) from scan.shards h where h.org_id = :org_id and h.scan_id = s.id)
  ) < now() - make_interval(secs => cast(:stuck_seconds as integer))
"""
_LIST_WORKING = """
select service, region
from scan.shards
where org_id = :org_id and scan_id = :scan_id and status = 'running'
order by service, region
limit :most
"""
_LIST_ORGS_WITH_ACTIVE_SCANS = "select org_id from scan.list_orgs_with_active_scans(cast(:most as integer))"
_BATCH = 500


def insert_scan(tx: UnitOfWork, **values: object) -> Row:
    """Insert a scan, without `regions` when they are still to be looked up; returns its row."""
    return tx.rows(_INSERT, **{"regions": None, **values})[0]


def insert_shards(tx: UnitOfWork, scan_id: UUID, shards: Sequence[Mapping[str, str]]) -> Sequence[Row]:
    """Insert the shards of a scan; returns their rows."""
    return tx.rows(_INSERT_SHARDS, scan_id=scan_id, shards=json.dumps(list(shards)))


def list_scans(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List scans, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_scan(tx: UnitOfWork, scan_id: UUID) -> Row:
    """Read one scan.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_GET, scan_id=scan_id))


def lock_scan(tx: UnitOfWork, scan_id: UUID) -> Row:
    """Read one scan and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_LOCK, scan_id=scan_id))


def count_active_scans(tx: UnitOfWork, account_id: UUID) -> tuple[int, int]:
    """Count scans that are under way: of the organisation, and of one account."""
    found = tx.rows(_COUNT_ACTIVE, account_id=account_id)[0]
    return int(found["active"]), int(found["of_account"])


def latest_scan_id(tx: UnitOfWork, account_id: UUID) -> UUID | None:
    """Find the newest scan of an account."""
    found = tx.row(_LATEST, account_id=account_id)
    return found["id"] if found else None


def begin_shard(tx: UnitOfWork, shard_id: UUID) -> Row | None:
    """Take a shard into work; None when it is over already."""
    return tx.row(_BEGIN_SHARD, shard_id=shard_id)


def spread_scan(tx: UnitOfWork, scan_id: UUID, *, regions: Sequence[str], added: int) -> bool:
    """Note the regions that were looked up and count the shards that come of them, once; returns whether that was now.

    The scan is held from here on, as it is by whoever takes one of its shards into work.
    """
    return tx.row(_SPREAD_SCAN, scan_id=scan_id, regions=list(regions), added=added) is not None


def latest_regions(tx: UnitOfWork, account_id: UUID) -> Sequence[str] | None:
    """Find the regions of the newest scan of an account that knows its own; None when there is none."""
    found = tx.row(_LATEST_REGIONS, account_id=account_id)
    return found["regions"] if found else None


def begin_scan(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Mark a scan as running; None when it is over already."""
    return tx.row(_BEGIN_SCAN, scan_id=scan_id)


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


def set_comparing(tx: UnitOfWork, scan_id: UUID) -> None:
    """Mark a scan as being compared, for what it saw already: the cloud is not read for it again."""
    tx.execute(_SET_COMPARING, scan_id=scan_id)


def set_done(tx: UnitOfWork, scan_id: UUID, summary: Mapping[str, Any]) -> None:
    """End a scan that went through."""
    tx.execute(_SET_DONE, scan_id=scan_id, summary=json.dumps(summary))


def set_ended(tx: UnitOfWork, scan_id: UUID, *, status: str, error_code: str | None = None) -> bool:
    """End a scan as failed or cancelled; returns whether it was under way."""
    return tx.row(_SET_ENDED, scan_id=scan_id, status=status, error_code=error_code) is not None


def upsert_live(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, resources: Sequence[Mapping[str, object]]) -> None:
    """Store what a shard saw; the same resource seen twice is stored once.

    A late shard of an earlier scan (ids count up in time) takes nothing away from a later one.
    """
    batch = json.dumps(resources, default=str)
    stored = tx.rows(_UPSERT_LIVE, account_id=account_id, scan_id=scan_id, resources=batch)
    taken = {(row["type"], row["key"]) for row in stored}
    aliases = [
        {"type": kind, "key": key, "live_type": row["type"], "live_key": row["key"]}
        for row in resources
        if (row["type"], row["key"]) in taken
        for kind, key in cast("Iterable[tuple[str, str]]", row["aliases"])
    ]
    tx.execute(_DELETE_ALIASES, account_id=account_id, stored=json.dumps(stored))
    if aliases:
        tx.execute(_INSERT_ALIASES, account_id=account_id, aliases=json.dumps(aliases))


def find_live(tx: UnitOfWork, *, account_id: UUID, type_name: str, key: str) -> Row | None:
    """Find what the last scan saw of one resource."""
    return tx.row(_FIND_LIVE, account_id=account_id, type=type_name, key=key)


def page_live(
    tx: UnitOfWork, scan_id: UUID, *, type_name: str | None, after: tuple[str, str] | None, most: int
) -> Sequence[Row]:
    """List what a scan saw, one page."""
    after_type, after_key = after or (None, None)
    return tx.rows(_PAGE_LIVE, scan_id=scan_id, type=type_name, after_type=after_type, after_key=after_key, most=most)


def list_live_keys(tx: UnitOfWork, account_id: UUID, scan_id: UUID, *, types: Sequence[str]) -> Sequence[str]:
    """List the keys of what a scan saw of a few types."""
    values = {"account_id": account_id, "scan_id": scan_id, "chosen_types": list(types)}
    return [row["key"] for row in tx.rows(_LIST_LIVE_KEYS, **values)]


def count_live(tx: UnitOfWork, scan_id: UUID) -> dict[str, int]:
    """Count what a scan saw, by type."""
    return {row["type"]: int(row["resources"]) for row in tx.rows(_COUNT_LIVE, scan_id=scan_id)}


def delete_gone(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID) -> None:
    """Forget what earlier scans saw and this one did not."""
    tx.execute(_DELETE_GONE, account_id=account_id, scan_id=scan_id)


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


def list_stuck_shards(tx: UnitOfWork, *, stuck_seconds: int) -> Sequence[Row]:
    """List shards that nobody finished in time."""
    return tx.rows(_LIST_STUCK_SHARDS, stuck_seconds=stuck_seconds)


def list_stuck_comparisons(tx: UnitOfWork, *, stuck_seconds: int) -> Sequence[UUID]:
    """List scans whose comparison nobody finished in time."""
    return [row["id"] for row in tx.rows(_LIST_STUCK_COMPARISONS, stuck_seconds=stuck_seconds)]


def list_orgs_with_active_scans(db: Lookups, *, most: int) -> Sequence[UUID]:
    """List organisations with a scan under way."""
    return [row["org_id"] for row in db.lookup(_LIST_ORGS_WITH_ACTIVE_SCANS, most=most)]


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
