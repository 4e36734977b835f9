"""All SQL on what an index of the cloud lists, and on declared resources that no mapping covers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_UPSERT = """
insert into scan.inventory (account_id, arn, name, type, region, scan_id)
select cast(:account_id as uuid), r.arn, r.name, r.type, r.region, cast(:scan_id as uuid)
from jsonb_to_recordset(cast(:listed as jsonb)) as r (arn text, name text, type text, region text)
on conflict (org_id, account_id, arn) do update
set name = excluded.name, type = excluded.type, region = excluded.region, scan_id = excluded.scan_id
where inventory.scan_id <= excluded.scan_id
"""
# In no reader's list under its ARN, and in no state of the organisation under its ARN or, with its type, its id. Where the name is a
# whole path, as in Google Cloud and Azure, it needs no type to be one thing's, and no case; a key that is a full resource name tells more.
_PAGE_UNMANAGED = """
select i.arn, i.name, i.type, i.region
from scan.inventory i
where i.org_id = :org_id and i.account_id = :account_id and i.scan_id = :scan_id
  and not (i.type = any(cast(:read_types as text[])))
  and (cast(:after as text) is null or i.arn > :after)
  and not exists (
    select from scan.live_resources l
    where l.org_id = :org_id and l.account_id = i.account_id and l.scan_id = i.scan_id and l.cloud_id = i.arn
  )
  and not exists (
    select from scan.state_resources r where r.org_id = :org_id and r.attributes ->> 'arn' = i.arn
  )
  and not exists (
    select from scan.state_resources r where r.org_id = :org_id and r.attributes ->> 'id' = i.arn
  )
  and not exists (
    select from scan.state_resources r where r.org_id = :org_id and r.type = i.type and r.attributes ->> 'id' = i.name
  )
  and not (i.name like '%/%' and exists (
    select from scan.state_resources r
    where r.org_id = :org_id and lower(r.attributes ->> 'id') = lower(i.name) and (r.key is null or r.key not like '//%' or r.key = i.arn)
  ))
order by i.arn
limit :most
"""
_DELETE_GONE = "delete from scan.inventory where org_id = :org_id and account_id = :account_id and scan_id <> :scan_id"
# What an index could not list this time stays open: nothing is known about it.
_KEEP_OPEN = """
update scan.drift_items
set last_seen_at = now()
where org_id = :org_id and account_id = :account_id and status = 'open' and detector = 'inventory'
  and (cast(:regions as text[]) @> array['global'] or region = any(cast(:regions as text[])))
"""
_LIST_DECLARED = """
select distinct r.type, r.key
from scan.state_resources r
where r.org_id = :org_id and r.account_id = :account_id and not r.is_deposed
  and r.type = any(cast(:chosen_types as text[])) and r.key is not null
  and (r.account is null or r.account = :external_account)
  and coalesce(r.region, :default_region) = :region
order by r.type, r.key
limit :most
"""
_LIST_DECLARED_AT = """
select distinct r.type, r.key, lower(r.attributes ->> 'id') as path
from scan.state_resources r
where r.org_id = :org_id and r.account_id = :account_id and not r.is_deposed and r.key is not null
  and lower(r.attributes ->> 'id') = any(cast(:paths as text[]))
order by r.type, r.key
"""
_LIST_ANSWERED = """
select r.address, r.type, r.key, r.region, d.is_there, d.cloud_id
from scan.state_resources r
join scan.live_documents d
  on d.org_id = r.org_id and d.account_id = r.account_id and d.type = r.type and d.key = r.key
where r.org_id = :org_id and d.org_id = :org_id and r.account_id = :account_id and not r.is_deposed
  and d.scan_id = :scan_id and r.type = any(cast(:chosen_types as text[])) and d.read_at >= r.taken_at
order by r.address
"""
_COUNT_OPEN_STATES = """
select count(*) as waiting
from scan.shards
where org_id = :org_id and scan_id = :scan_id and service like 'state:%' and status in ('pending', 'running')
"""
_LIST_WAITING = """
select id
from scan.shards
where org_id = :org_id and scan_id = :scan_id and service = :service and status = 'pending'
"""
_BATCH = 500


def upsert_inventory(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, listed: Sequence[Mapping[str, object]]
) -> None:
    """Store what an index lists; a late shard takes nothing from a later scan."""
    for start in range(0, len(listed), _BATCH):
        tx.execute(_UPSERT, account_id=account_id, scan_id=scan_id, listed=json.dumps(listed[start : start + _BATCH]))


def list_unmanaged(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, read_types: Sequence[str], after: str | None, most: int
) -> Sequence[Row]:
    """List what is in an index only, by ARN, one page; `read_types` are left to their readers."""
    return tx.rows(
        _PAGE_UNMANAGED, account_id=account_id, scan_id=scan_id, read_types=list(read_types), after=after, most=most
    )


def keep_open(tx: UnitOfWork, *, account_id: UUID, regions: Sequence[str]) -> None:
    """Keep items open that an index told of, in regions where it could not be read; `global` is everywhere."""
    tx.execute(_KEEP_OPEN, account_id=account_id, regions=list(regions))


def delete_gone_inventory(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID) -> None:
    """Forget what earlier scans listed."""
    tx.execute(_DELETE_GONE, account_id=account_id, scan_id=scan_id)


def list_declared_of_types(
    tx: UnitOfWork,
    *,
    account_id: UUID,
    external_account: str,
    types: Sequence[str],
    region: str,
    default_region: str | None,
    most: int,
) -> Sequence[Row]:
    """List declared resources of some types in one region; what names no region counts to the default one."""
    return tx.rows(
        _LIST_DECLARED,
        account_id=account_id,
        external_account=external_account,
        chosen_types=list(types),
        region=region,
        default_region=default_region,
        most=most,
    )


def list_declared_at(tx: UnitOfWork, *, account_id: UUID, paths: Sequence[str]) -> Sequence[Row]:
    """List type and key of what the states of an account declare under some ids, which are in lower case."""
    return tx.rows(_LIST_DECLARED_AT, account_id=account_id, paths=list(paths))


def list_answered(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, types: Sequence[str]) -> Sequence[Row]:
    """List declared resources of some types about which this scan got an answer, after what the state says came in."""
    return tx.rows(_LIST_ANSWERED, account_id=account_id, scan_id=scan_id, chosen_types=list(types))


def list_waiting_shards(tx: UnitOfWork, scan_id: UUID, *, service: str) -> Sequence[UUID]:
    """List shards of a service that wait for the states of their scan; none while a state is still being fetched."""
    if tx.rows(_COUNT_OPEN_STATES, scan_id=scan_id)[0]["waiting"]:
        return []
    return [row["id"] for row in tx.rows(_LIST_WAITING, scan_id=scan_id, service=service)]
