"""All SQL on reading once more what a scan found new."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_GET_READINGS = """
select s.readings, exists (
    select from scan.scans e where e.org_id = :org_id and e.account_id = s.account_id and e.status = 'done' and e.id < s.id
  ) as has_earlier
from scan.scans s
where s.org_id = :org_id and s.id = :scan_id
"""
_LIST_NEW_PLACES = """
select distinct f.item ->> 'kind' as kind, f.item ->> 'type' as type, f.item ->> 'region' as region
from scan.findings f
where f.org_id = :org_id and f.scan_id = :scan_id and not exists (
  select from scan.drift_items d
  where d.org_id = :org_id and d.account_id = :account_id and d.status = 'open' and d.fingerprint = f.fingerprint
)
"""
_REOPEN_SHARD = """
update scan.shards h
set status = 'pending', attempts = 0, resources = 0, progress = null, started_at = now(), finished_at = null
from scan.shards before
where h.org_id = :org_id and before.org_id = :org_id and before.id = h.id and h.scan_id = :scan_id and h.service = :service
  and h.region = :region and h.status = 'done'
returning h.id, before.resources
"""
_FORGET_GLOBAL = """
delete from scan.live_resources
where org_id = :org_id and account_id = :account_id and scan_id = :scan_id and type = any(cast(:type_names as text[]))
"""
_FORGET_REGIONAL = f"{_FORGET_GLOBAL} and region = :region"
_FORGET_GLOBAL_DOCUMENTS = """
delete from scan.live_documents
where org_id = :org_id and account_id = :account_id and scan_id = :scan_id and type = any(cast(:type_names as text[]))
"""
_FORGET_REGIONAL_DOCUMENTS = f"{_FORGET_GLOBAL_DOCUMENTS} and region = :region"
_FORGET_LISTED = """
delete from scan.inventory where org_id = :org_id and account_id = :account_id and scan_id = :scan_id
"""
_READ_ONCE_MORE = """
update scan.scans
set status = 'running', readings = 2, comparison = null, shards_done = shards_done - cast(:shards as integer),
  resources = resources - cast(:resources as integer)
where org_id = :org_id and id = :scan_id
"""


def get_readings(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Read how often a scan has read the cloud, and whether a good scan of the account came before it."""
    return tx.row(_GET_READINGS, scan_id=scan_id)


def list_new_places(tx: UnitOfWork, account_id: UUID, scan_id: UUID) -> Sequence[Row]:
    """List kind, type and region of what a comparison found and is not open already, each once."""
    return tx.rows(_LIST_NEW_PLACES, account_id=account_id, scan_id=scan_id)


def reopen_shard(tx: UnitOfWork, scan_id: UUID, *, service: str, region: str) -> Row | None:
    """Open a shard that is done for a second reading; returns its id and how many resources it had counted."""
    return tx.row(_REOPEN_SHARD, scan_id=scan_id, service=service, region=region)


def forget_seen(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, types: Sequence[str], region: str | None) -> None:
    """Forget what a scan saw of types in a region, or everywhere: what is there will be seen again."""
    values = {"account_id": account_id, "scan_id": scan_id, "type_names": list(types)}
    if region is None:
        tx.execute(_FORGET_GLOBAL, **values)
        tx.execute(_FORGET_GLOBAL_DOCUMENTS, **values)
    else:
        tx.execute(_FORGET_REGIONAL, **values, region=region)
        tx.execute(_FORGET_REGIONAL_DOCUMENTS, **values, region=region)


def forget_listed(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID) -> None:
    """Forget what a scan saw beyond the mapped types."""
    tx.execute(_FORGET_LISTED, account_id=account_id, scan_id=scan_id)


def read_once_more(tx: UnitOfWork, scan_id: UUID, *, shards: int, resources: int) -> None:
    """Put a scan back to reading, with so many shards and resources less counted."""
    tx.execute(_READ_ONCE_MORE, scan_id=scan_id, shards=shards, resources=resources)
