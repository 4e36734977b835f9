"""All SQL on what operators report of Kubernetes clusters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, parts, last_hash, objects, object_bytes, kinds, failures, server_version, operator_version, began_at, received_at,
  completed_at, sealing_id, objects_key_encrypted"""
_GET_ACCOUNT = """
select id, provider
from scan.cloud_accounts
where org_id = :org_id and id = :account_id
"""
_LOCK_ACCOUNT = f"{_GET_ACCOUNT} for no key update"
_FIND = f"""
select {_COLUMNS}
from scan.cluster_reports
where org_id = :org_id and account_id = :account_id and id = :report_id
"""
_INSERT = f"""
insert into scan.cluster_reports (account_id, id, last_hash, began_at, received_at, sealing_id, objects_key_encrypted)
values (:account_id, :report_id, :last_hash, :now, :now, :sealing_id, :objects_key_encrypted)
returning {_COLUMNS}
"""
_DELETE_OTHERS = """
delete from scan.cluster_reports
where org_id = :org_id and account_id = :account_id and id <> :report_id and (:is_every or completed_at is null)
"""
_UPSERT_OBJECTS = """
insert into scan.cluster_objects (account_id, report_id, kind, key, object_sealed, object_bytes)
select cast(:account_id as uuid), cast(:report_id as uuid), r.kind, r.key, r.sealed, r.bytes
from jsonb_to_recordset(cast(:objects as jsonb)) as r (kind text, key text, sealed bytea, bytes integer)
on conflict (org_id, account_id, report_id, kind, key) do update
set object_sealed = excluded.object_sealed, object_bytes = excluded.object_bytes
"""
_DELETE_OBJECTS = """
delete from scan.cluster_objects o
using jsonb_to_recordset(cast(:names as jsonb)) as r (kind text, key text)
where o.org_id = :org_id and o.account_id = :account_id and o.report_id = :report_id and o.kind = r.kind and o.key = r.key
"""
_MEASURE = """
select count(*) as objects, coalesce(sum(object_bytes), 0) as object_bytes
from scan.cluster_objects
where org_id = :org_id and account_id = :account_id and report_id = :report_id
"""
_TAKE_PART = f"""
update scan.cluster_reports
set parts = :part, last_hash = :last_hash, objects = :objects, object_bytes = :object_bytes, received_at = :now,
  completed_at = coalesce(completed_at, cast(:completed_at as timestamptz)), kinds = coalesce(cast(:kinds as text[]), kinds),
  failures = coalesce(cast(:failures as jsonb), failures), server_version = coalesce(:server_version, server_version),
  operator_version = coalesce(:operator_version, operator_version)
where org_id = :org_id and account_id = :account_id and id = :report_id
returning {_COLUMNS}
"""
_FIND_LATEST = f"""
select {_COLUMNS}
from scan.cluster_reports
where org_id = :org_id and account_id = :account_id and completed_at is not null
order by completed_at desc
limit 1
"""
_SCANNED_SINCE = """
select exists (
  select from scan.scans
  where org_id = :org_id and account_id = :account_id and created_at > :since
) as is_found
"""
_LIST_DECLARED_KEYS = """
select distinct key
from scan.state_resources
where org_id = :org_id and account_id = :account_id and type = :type_name and key is not null and not is_deposed
order by key
"""
_PAGE_OBJECTS = """
select kind, key, object_sealed
from scan.cluster_objects
where org_id = :org_id and account_id = :account_id and report_id = :report_id
  and (cast(:kinds as text[]) is null or kind = any(cast(:kinds as text[])))
  and (kind, key) > (:after_kind, :after_key)
order by kind, key
limit :most
"""
_FIND_OBJECT = """
select kind, key, object_sealed
from scan.cluster_objects
where org_id = :org_id and account_id = :account_id and report_id = :report_id and kind = any(cast(:kinds as text[])) and key = :key
order by kind
limit 1
"""
SEALED_KEYS = SealedQueries(
    orgs_sql="""
select org_id
from scan.list_orgs_with_sealed_report_keys(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select sealing_id as id, objects_key_encrypted as sealed
from scan.cluster_reports
where org_id = :org_id and objects_key_version < :below_version and (cast(:after_id as uuid) is null or sealing_id > :after_id)
order by sealing_id
limit :most
""",
    swap_sql="""
update scan.cluster_reports as t
set objects_key_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where t.org_id = :org_id and t.sealing_id = s.id and t.objects_key_encrypted = s.old
returning t.sealing_id as id
""",
)


def get_account(tx: UnitOfWork, account_id: UUID) -> Row:
    """Return the account that is reported on.

    Raises:
        NotFound: (404 `not_found`) there is none.
    """
    return tx.one(_GET_ACCOUNT, account_id=account_id)


def lock_account(tx: UnitOfWork, account_id: UUID) -> Row:
    """Return the account that is reported on; parts of its reports are taken one after the other.

    Raises:
        NotFound: (404 `not_found`) there is none.
    """
    return tx.one(_LOCK_ACCOUNT, account_id=account_id)


def find_report(tx: UnitOfWork, account_id: UUID, report_id: UUID) -> Row | None:
    """Return a report; None when nothing of it came, or it was given up."""
    return tx.row(_FIND, account_id=account_id, report_id=report_id)


def insert_report(
    tx: UnitOfWork,
    account_id: UUID,
    report_id: UUID,
    *,
    last_hash: bytes,
    now: datetime,
    sealing_id: UUID,
    objects_key_encrypted: bytes,
) -> Row:
    """Begin a report, without any part; its objects are sealed under the key that comes sealed itself."""
    (row,) = tx.rows(
        _INSERT,
        account_id=account_id,
        report_id=report_id,
        last_hash=last_hash,
        now=now,
        sealing_id=sealing_id,
        objects_key_encrypted=objects_key_encrypted,
    )
    return row


def delete_other_reports(tx: UnitOfWork, account_id: UUID, report_id: UUID, *, is_every: bool) -> None:
    """Delete the other reports of a cluster with their objects: every one, or those that were never completed."""
    tx.execute(_DELETE_OTHERS, account_id=account_id, report_id=report_id, is_every=is_every)


def upsert_objects(tx: UnitOfWork, account_id: UUID, report_id: UUID, objects: Sequence[Mapping[str, object]]) -> None:
    """Store objects, each once, in the place of what was reported of them before.

    Args:
        tx: the organisation's.
        account_id: of the cluster.
        report_id: which report.
        objects: `kind`, `key`, `sealed` (as PostgreSQL writes bytes) and `bytes` (of the object as it came).
    """
    if objects:
        tx.execute(_UPSERT_OBJECTS, account_id=account_id, report_id=report_id, objects=json.dumps(objects))


def delete_objects(tx: UnitOfWork, account_id: UUID, report_id: UUID, names: Sequence[Mapping[str, str]]) -> None:
    """Delete objects by kind and key; what is not there is left alone."""
    if names:
        tx.execute(_DELETE_OBJECTS, account_id=account_id, report_id=report_id, names=json.dumps(names))


def measure_objects(tx: UnitOfWork, account_id: UUID, report_id: UUID) -> tuple[int, int]:
    """Return how many objects a report holds, and how many bytes they have."""
    (row,) = tx.rows(_MEASURE, account_id=account_id, report_id=report_id)
    return int(row["objects"]), int(row["object_bytes"])


def was_scanned_since(tx: UnitOfWork, account_id: UUID, since: datetime) -> bool:
    """Say whether a scan of the cluster began after a moment."""
    (row,) = tx.rows(_SCANNED_SINCE, account_id=account_id, since=since)
    return bool(row["is_found"])


def take_part(tx: UnitOfWork, account_id: UUID, report_id: UUID, **values: object) -> Row:
    """Count a part as taken; returns the report's row.

    Args:
        tx: the organisation's.
        account_id: of the cluster.
        report_id: which report.
        values: `part`, `last_hash`, `objects`, `object_bytes`, `now`; `completed_at`, `kinds`, `failures` (JSON),
            `server_version`, `operator_version`, each None to leave what is there.

    Raises:
        NotFound: (404 `not_found`) there is no such report.
    """
    return tx.one(_TAKE_PART, account_id=account_id, report_id=report_id, **values)


def find_latest_report(tx: UnitOfWork, account_id: UUID) -> Row | None:
    """Return the whole report that came last; None when there is none."""
    return tx.row(_FIND_LATEST, account_id=account_id)


def list_declared_keys(tx: UnitOfWork, account_id: UUID, *, type_name: str) -> list[str]:
    """List the keys of what the states of an account declare of one type, each once."""
    return [str(row["key"]) for row in tx.rows(_LIST_DECLARED_KEYS, account_id=account_id, type_name=type_name)]


def page_objects(
    tx: UnitOfWork, account_id: UUID, report_id: UUID, *, kinds: Sequence[str] | None, after: tuple[str, str], most: int
) -> Sequence[Row]:
    """List objects of a report by kind and key, one page; of some kinds, or of all."""
    return tx.rows(
        _PAGE_OBJECTS,
        account_id=account_id,
        report_id=report_id,
        kinds=None if kinds is None else list(kinds),
        after_kind=after[0],
        after_key=after[1],
        most=most,
    )


def find_object(tx: UnitOfWork, account_id: UUID, report_id: UUID, *, kinds: Sequence[str], key: str) -> Row | None:
    """Return an object of a report by key, of any of some kinds; None when there is none."""
    return tx.row(_FIND_OBJECT, account_id=account_id, report_id=report_id, kinds=list(kinds), key=key)
