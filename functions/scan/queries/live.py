"""All SQL on what scans saw: the live resources of an account, each once, with the other names that states may call them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

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
