"""All SQL on state sources and what their states declare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound

_COLUMNS = """id, account_id, kind, name, bucket, object_key, bucket_region, serial, lineage, terraform_version,
  content_hash, digest_version, resource_count, fetched_at, error_code, error_detail, created_at"""

_COUNT = "select count(*) as used from scan.state_sources where org_id = :org_id"
_INSERT = f"""
insert into scan.state_sources (account_id, kind, name, bucket, object_key, bucket_region)
values (:account_id, :kind, :name, :bucket, :object_key, :bucket_region)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.state_sources
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_LIST_OF_ACCOUNT = f"""
select {_COLUMNS}
from scan.state_sources
where org_id = :org_id and account_id = :account_id
order by id
"""
_GET = f"select {_COLUMNS} from scan.state_sources where org_id = :org_id and id = :source_id"
_LOCK = f"{_GET} for update"
_DELETE = "delete from scan.state_sources where org_id = :org_id and id = :source_id returning id, name"
_SET_FETCHED = f"""
update scan.state_sources
set serial = :serial, lineage = :lineage, terraform_version = :terraform_version, content_hash = :content_hash,
  digest_version = :digest_version, resource_count = :resource_count, fetched_at = now(), error_code = null, error_detail = null
where org_id = :org_id and id = :source_id
returning {_COLUMNS}
"""
_SET_FAILED = """
update scan.state_sources
set error_code = :error_code, error_detail = :error_detail
where org_id = :org_id and id = :source_id
"""
_CLEAR_RESOURCES = "delete from scan.state_resources where org_id = :org_id and source_id = :source_id"
_INSERT_RESOURCES = """
insert into scan.state_resources
  (source_id, address, part, type, key, attributes, sensitive, parent, account, region, fingerprints)
select cast(:source_id as uuid), r.address, r.part, r.type, r.key, r.attributes, r.sensitive, r.parent, r.account, r.region,
  r.fingerprints
from jsonb_to_recordset(cast(:resources as jsonb))
  as r (address text, part integer, type text, key text, attributes jsonb, sensitive text[], parent text[], account text, region text,
        fingerprints jsonb)
"""
_LIST_RESOURCES = """
select r.address, r.type, r.key, r.attributes, r.sensitive, r.parent, r.account, r.region
from scan.state_resources r
join scan.state_sources s on s.org_id = r.org_id and s.id = r.source_id
where r.org_id = :org_id and s.org_id = :org_id and s.account_id = :account_id
order by r.source_id, r.address, r.part
"""
_LIST_MARKED = """
select r.address, r.type, r.key, cast('{}' as jsonb) as attributes, r.sensitive, r.parent, r.account, r.region
from scan.state_resources r
join scan.state_sources s on s.org_id = r.org_id and s.id = r.source_id
where r.org_id = :org_id and s.org_id = :org_id and s.account_id = :account_id and cardinality(r.sensitive) > 0
"""
_BATCH = 500


def count_sources(tx: UnitOfWork) -> int:
    """Count state sources."""
    return int(tx.rows(_COUNT)[0]["used"])


def insert_source(tx: UnitOfWork, **values: object) -> Row:
    """Insert a source; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_sources(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List sources, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def list_sources_of_account(tx: UnitOfWork, account_id: UUID) -> Sequence[Row]:
    """List the sources of one account, oldest first."""
    return tx.rows(_LIST_OF_ACCOUNT, account_id=account_id)


def get_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Read one source.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_GET, source_id=source_id))


def lock_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Read one source and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_LOCK, source_id=source_id))


def delete_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Delete a source and what its state declares.

    Raises:
        NotFound: (404 `not_found`).
    """
    return _found(tx.row(_DELETE, source_id=source_id))


def replace_resources(tx: UnitOfWork, source_id: UUID, resources: Iterable[Mapping[str, object]]) -> None:
    """Put what a state declares in the place of what its last version declared."""
    tx.execute(_CLEAR_RESOURCES, source_id=source_id)
    rows = list(resources)
    for start in range(0, len(rows), _BATCH):
        batch = json.dumps(rows[start : start + _BATCH], default=str)
        tx.execute(_INSERT_RESOURCES, source_id=source_id, resources=batch)


def set_fetched(tx: UnitOfWork, source_id: UUID, **values: object) -> Row:
    """Store the outcome of a fetch that went well; returns the row."""
    return tx.rows(_SET_FETCHED, source_id=source_id, **values)[0]


def set_failed(tx: UnitOfWork, source_id: UUID, *, error_code: str, error_detail: str) -> None:
    """Store why a fetch failed; what the last good fetch declared stays."""
    tx.execute(_SET_FAILED, source_id=source_id, error_code=error_code, error_detail=error_detail[:500])


def list_resources(tx: UnitOfWork, account_id: UUID) -> Sequence[Row]:
    """List what all states of an account declare."""
    return tx.rows(_LIST_RESOURCES, account_id=account_id)


def list_marked(tx: UnitOfWork, account_id: UUID) -> Sequence[Row]:
    """List what states of an account mark as sensitive, without any values."""
    return tx.rows(_LIST_MARKED, account_id=account_id)


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
