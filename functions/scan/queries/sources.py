"""All SQL on state sources and what their states declare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, account_id, parent_id, kind, name, bucket, object_key, object_prefix, object_suffix, bucket_region, storage_account, url,
  organization, auth_kind, auth, credentials_encrypted, serial, lineage, terraform_version, content_hash, digest_version, version_token,
  mapping_hash, resource_count, state_count, fetched_at, error_code, error_detail, created_at"""
_PLACE: dict[str, object] = {
    **dict.fromkeys((
        "id", "bucket", "object_key", "object_prefix", "object_suffix", "bucket_region", "storage_account", "url", "organization",
        "credentials_encrypted",
    )),
    "auth_kind": "account",
    "auth": "{}",
}  # fmt: skip

_COUNT = "select count(*) as used from scan.state_sources where org_id = :org_id and parent_id is null"
_INSERT = f"""
insert into scan.state_sources
  (id, account_id, kind, name, bucket, object_key, object_prefix, object_suffix, bucket_region, storage_account, url, organization,
   auth_kind, auth, credentials_encrypted)
values
  (coalesce(cast(:id as uuid), uuidv7()), :account_id, :kind, :name, :bucket, :object_key, :object_prefix, :object_suffix, :bucket_region,
   :storage_account, :url, :organization, :auth_kind, cast(:auth as jsonb), :credentials_encrypted)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.state_sources
where org_id = :org_id and parent_id is not distinct from cast(:parent_id as uuid)
  and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_LIST_OF_ACCOUNT = f"""
select {_COLUMNS}
from scan.state_sources
where org_id = :org_id and account_id = :account_id and parent_id is null
order by id
"""
_GET = f"select {_COLUMNS} from scan.state_sources where org_id = :org_id and id = :source_id"
_LOCK = f"{_GET} for update"
_LIST_FOUND = f"""
select {_COLUMNS}
from scan.state_sources
where org_id = :org_id and parent_id = :source_id
order by id
"""
_DELETE = """
delete from scan.state_sources
where org_id = :org_id and id = :source_id and parent_id is null
returning id, name
"""
_CHANGE = f"""
update scan.state_sources
set name = coalesce(:name, name), auth_kind = coalesce(:auth_kind, auth_kind), auth = coalesce(cast(:auth as jsonb), auth),
  credentials_encrypted = case
    when cast(:auth_kind as text) is null then credentials_encrypted
    else cast(:credentials_encrypted as bytea)
  end
where org_id = :org_id and id = :source_id and parent_id is null
returning {_COLUMNS}
"""
_INSERT_FOUND = """
insert into scan.state_sources
  (account_id, parent_id, kind, name, bucket, object_key, bucket_region, storage_account, url, organization, auth_kind)
select s.account_id, s.id, s.kind, right(f.name, 100), s.bucket, f.name, s.bucket_region, s.storage_account, s.url, s.organization,
  s.auth_kind
from scan.state_sources s
cross join jsonb_array_elements_text(cast(:names as jsonb)) as f (name)
where s.org_id = :org_id and s.id = :source_id
on conflict (org_id, parent_id, object_key) where parent_id is not null do nothing
"""
_DELETE_GONE = """
delete from scan.state_sources
where org_id = :org_id and parent_id = :source_id
  and object_key not in (select f.name from jsonb_array_elements_text(cast(:names as jsonb)) as f (name))
"""
_SET_UNCHANGED = """
update scan.state_sources
set fetched_at = now(), error_code = null, error_detail = null
where org_id = :org_id and id = any(cast(:source_ids as uuid[]))
"""
_SET_FOUND = """
update scan.state_sources as s
set state_count = c.states, resource_count = c.resources, digest_version = coalesce(c.digest_version, s.digest_version),
  fetched_at = now(), error_code = :error_code, error_detail = :error_detail
from (
  select count(*) as states, coalesce(sum(f.resource_count), 0) as resources, min(f.digest_version) as digest_version
  from scan.state_sources f
  where f.org_id = :org_id and f.parent_id = :source_id
) as c
where s.org_id = :org_id and s.id = :source_id
"""
_SET_FETCHED = f"""
update scan.state_sources
set serial = :serial, lineage = :lineage, terraform_version = :terraform_version, content_hash = :content_hash,
  digest_version = :digest_version, version_token = :version_token, mapping_hash = :mapping_hash, resource_count = :resource_count,
  state_count = 1, fetched_at = now(), error_code = null, error_detail = null
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
  (source_id, account_id, address, part, type, key, attributes, sensitive, parent, account, region, fingerprints, is_deposed)
select s.id, s.account_id, r.address, r.part, r.type, r.key, r.attributes, r.sensitive, r.parent, r.account, r.region, r.fingerprints,
  r.is_deposed
from scan.state_sources s
cross join jsonb_to_recordset(cast(:resources as jsonb))
  as r (address text, part integer, type text, key text, attributes jsonb, sensitive text[], parent text[], account text, region text,
        fingerprints jsonb, is_deposed boolean)
where s.org_id = :org_id and s.id = :source_id
"""
_LIST_MARKED = """
select r.address, r.type, r.key, cast('{}' as jsonb) as attributes, r.sensitive, r.parent, r.account, r.region, r.is_deposed
from jsonb_to_recordset(cast(:identities as jsonb)) as i (type text, key text)
join scan.state_resources r on r.type = i.type and r.key = i.key
where r.org_id = :org_id and r.account_id = :account_id and cardinality(r.sensitive) > 0
"""
_BATCH = 500
SEALED_CREDENTIALS = SealedQueries(
    orgs_sql="""
select org_id
from scan.list_orgs_with_sealed_source_credentials(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, credentials_encrypted as sealed
from scan.state_sources
where org_id = :org_id and credentials_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update scan.state_sources as t
set credentials_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where t.org_id = :org_id and t.id = s.id and t.credentials_encrypted = s.old
returning t.id
""",
)


def count_sources(tx: UnitOfWork) -> int:
    """Count state sources; states that were found under one's prefix are part of it."""
    return int(tx.rows(_COUNT)[0]["used"])


def insert_source(tx: UnitOfWork, **values: object) -> Row:
    """Insert a source, with an id of its own unless one is given; returns its row."""
    return tx.rows(_INSERT, **(_PLACE | values))[0]


def list_sources(
    tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int, parent_id: UUID | None = None
) -> Sequence[Row]:
    """List sources, newest first, or the states that were found under the prefix of one."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped, parent_id=parent_id)


def list_sources_of_account(tx: UnitOfWork, account_id: UUID) -> Sequence[Row]:
    """List the sources of one account, oldest first."""
    return tx.rows(_LIST_OF_ACCOUNT, account_id=account_id)


def get_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Read one source.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, source_id=source_id)


def lock_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Read one source and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, source_id=source_id)


def delete_source(tx: UnitOfWork, source_id: UUID) -> Row:
    """Delete a source and what its state declares.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, source_id=source_id)


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


def change_source(tx: UnitOfWork, source_id: UUID, **values: object) -> Row:
    """Change a source's name, or how it is signed in to; None for `name` or `auth_kind` leaves that as it is. Returns its row.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_CHANGE, source_id=source_id, **values)


def match_found(tx: UnitOfWork, source_id: UUID, names: Iterable[str]) -> Sequence[Row]:
    """Make the states of a source those that a whole listing showed; returns their rows, oldest first.

    One that is gone from the listing goes with all that it declared.
    """
    found = json.dumps(list(names))
    tx.execute(_DELETE_GONE, source_id=source_id, names=found)
    tx.execute(_INSERT_FOUND, source_id=source_id, names=found)
    return tx.rows(_LIST_FOUND, source_id=source_id)


def set_unchanged(tx: UnitOfWork, source_ids: Sequence[UUID]) -> None:
    """Store that states are still the versions that were taken."""
    tx.execute(_SET_UNCHANGED, source_ids=[str(source_id) for source_id in source_ids])


def set_found(tx: UnitOfWork, source_id: UUID, *, error_code: str | None, error_detail: str | None) -> None:
    """Store on a source of many states what they come to."""
    tx.execute(_SET_FOUND, source_id=source_id, error_code=error_code, error_detail=error_detail)


def set_failed(tx: UnitOfWork, source_id: UUID, *, error_code: str, error_detail: str) -> None:
    """Store why a fetch failed; what the last good fetch declared stays."""
    tx.execute(_SET_FAILED, source_id=source_id, error_code=error_code, error_detail=error_detail[:500])


def list_marked(tx: UnitOfWork, account_id: UUID, identities: Iterable[tuple[str, str]]) -> Sequence[Row]:
    """List what states of an account mark as sensitive under the given (type, key), without any values."""
    wanted = [{"type": kind, "key": key} for kind, key in identities]
    return tx.rows(_LIST_MARKED, account_id=account_id, identities=json.dumps(wanted)) if wanted else []
