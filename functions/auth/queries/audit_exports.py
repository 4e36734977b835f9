"""SQL of packs for auditors: the packs themselves and their parts. What stands in one is read by `pack_contents`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """
  id, requested_by, from_at, to_at, status, section, progress, files, content_bytes, packed_bytes, tries, error_code,
  created_at, started_at, finished_at, expires_at
"""
_LIST_EXPORTS = f"""
select {_COLUMNS}
from core.audit_exports
where org_id = :org_id and (cast(:after_id as uuid) is null or id < cast(:after_id as uuid))
order by id desc
limit :most offset :skipped
"""
_GET_EXPORT = f"select {_COLUMNS} from core.audit_exports where org_id = :org_id and id = :export_id"
_COUNT_EXPORTS = """
select count(*) filter (where status in ('pending', 'running')) as open, count(*) as kept
from core.audit_exports
where org_id = :org_id
"""
_INSERT_EXPORT = f"""
insert into core.audit_exports (id, requested_by, from_at, to_at, created_at, expires_at)
values (:id, :requested_by, :from_at, :to_at, :now, :expires_at)
returning {_COLUMNS}
"""
_DELETE_EXPORT = (
    "delete from core.audit_exports where org_id = :org_id and id = :export_id returning id, status, from_at, to_at"
)
_DELETE_EXPIRED = """
delete from core.audit_exports
where org_id = :org_id and id = :export_id and expires_at <= :now
returning id
"""
# One worker at a time: whoever finds a lease that is not over leaves.
_LEASE_EXPORT = f"""
update core.audit_exports
set status = 'running', lease_id = :lease_id, leased_until = :leased_until, tries = tries + 1,
  started_at = coalesce(started_at, :now)
where org_id = :org_id and id = :export_id and status in ('pending', 'running') and expires_at > :now
  and (leased_until is null or leased_until <= :now)
returning {_COLUMNS}
"""
_RELEASE_EXPORT = """
update core.audit_exports
set leased_until = null, lease_id = null, tries = greatest(tries - cast(:uncounted as integer), 0)
where org_id = :org_id and id = :export_id and lease_id = :lease_id
"""
_ADVANCE_EXPORT = f"""
update core.audit_exports
set section = :section, progress = cast(:progress as jsonb), files = files + :files,
  content_bytes = content_bytes + :content_bytes, packed_bytes = packed_bytes + :packed_bytes, tries = 0, leased_until = :leased_until
where org_id = :org_id and id = :export_id and lease_id = :lease_id and status = 'running'
returning {_COLUMNS}
"""
_END_EXPORT = """
update core.audit_exports
set status = cast(:status as text), error_code = :error_code, finished_at = :now, leased_until = null, lease_id = null
where org_id = :org_id and id = :export_id and lease_id = :lease_id and status = 'running'
returning id
"""
_INSERT_PART = """
insert into core.audit_export_parts
  (export_id, number, id, path, rows, content_bytes, content_sha256, content_crc32, packed_bytes, content_encrypted)
values (:export_id, :number, :id, :path, :rows, :content_bytes, :content_sha256, :content_crc32, :packed_bytes, :content_encrypted)
"""
_LIST_PARTS = """
select number, id, path, rows, content_bytes, content_sha256, content_crc32, packed_bytes
from core.audit_export_parts
where org_id = :org_id and export_id = :export_id
order by number
"""
_GET_PART = """
select id, content_encrypted
from core.audit_export_parts
where org_id = :org_id and export_id = :export_id and number = :number
"""
_DELETE_PARTS = "delete from core.audit_export_parts where org_id = :org_id and export_id = :export_id"
_LIST_TO_TEND = """
select org_id, export_id, is_over
from core.list_audit_exports_to_tend(cast(:waiting_since as timestamptz), cast(:now as timestamptz), cast(:most as integer))
"""


def list_exports(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List packs, newest first."""
    return tx.rows(_LIST_EXPORTS, after_id=after_id, most=most, skipped=skipped)


def get_export(tx: UnitOfWork, export_id: UUID) -> Row:
    """Read one pack.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET_EXPORT, export_id=export_id)


def count_exports(tx: UnitOfWork) -> tuple[int, int]:
    """Count packs that are not ended yet, and all that are kept."""
    row = tx.rows(_COUNT_EXPORTS)[0]
    return int(row["open"]), int(row["kept"])


def insert_export(tx: UnitOfWork, **values: object) -> Row:
    """Store a pack that is to be built: `id`, `requested_by`, `from_at`, `to_at`, `now`, `expires_at`."""
    return tx.rows(_INSERT_EXPORT, **values)[0]


def delete_export(tx: UnitOfWork, export_id: UUID) -> Row:
    """Delete a pack with its parts.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE_EXPORT, export_id=export_id)


def delete_expired(tx: UnitOfWork, export_id: UUID, *, now: datetime) -> bool:
    """Delete a pack whose time is over; says whether there was one."""
    return tx.row(_DELETE_EXPIRED, export_id=export_id, now=now) is not None


def lease_export(
    tx: UnitOfWork, export_id: UUID, *, lease_id: UUID, now: datetime, leased_until: datetime
) -> Row | None:
    """Become the only worker on a pack; None when it is ended or gone, or somebody is at it."""
    return tx.row(_LEASE_EXPORT, export_id=export_id, lease_id=lease_id, now=now, leased_until=leased_until)


def release_export(tx: UnitOfWork, export_id: UUID, *, lease_id: UUID, is_counted: bool) -> None:
    """Leave a pack to the next worker; a try that is not counted was nobody's fault."""
    tx.execute(_RELEASE_EXPORT, export_id=export_id, lease_id=lease_id, uncounted=0 if is_counted else 1)


def advance_export(tx: UnitOfWork, export_id: UUID, *, progress: Mapping[str, Any], **values: object) -> Row | None:
    """Note what was added to a pack and go on holding it; None when the lease was lost.

    Args:
        tx: the unit of work.
        export_id: which.
        progress: where the section at work goes on.
        values: `lease_id`, `section`, `files`, `content_bytes`, `packed_bytes`, `leased_until`.
    """
    return tx.row(_ADVANCE_EXPORT, export_id=export_id, progress=json.dumps(progress), **values)


def end_export(
    tx: UnitOfWork, export_id: UUID, *, lease_id: UUID, status: str, error_code: str | None, now: datetime
) -> bool:
    """End a pack, well or not; says whether it was ours to end."""
    return tx.row(
        _END_EXPORT, export_id=export_id, lease_id=lease_id, status=status, error_code=error_code, now=now
    ) is not None  # fmt: skip


def insert_part(tx: UnitOfWork, export_id: UUID, **values: object) -> None:
    """Store one part of a pack: its columns."""
    tx.execute(_INSERT_PART, export_id=export_id, **values)


def list_parts(tx: UnitOfWork, export_id: UUID) -> Sequence[Row]:
    """List the parts of a pack in order, without their content."""
    return tx.rows(_LIST_PARTS, export_id=export_id)


def get_part(tx: UnitOfWork, export_id: UUID, number: int) -> Row:
    """Read one part.

    Raises:
        NotFound: (404 `not_found`) the pack was deleted meanwhile.
    """
    return tx.one(_GET_PART, export_id=export_id, number=number)


def delete_parts(tx: UnitOfWork, export_id: UUID) -> None:
    """Delete the parts of a pack that failed."""
    tx.execute(_DELETE_PARTS, export_id=export_id)


def list_to_tend(db: Lookups, *, waiting_since: datetime, now: datetime, most: int) -> Sequence[Row]:
    """List packs of all organisations whose time is over, and packs that nobody builds although they are not whole."""
    return db.lookup(_LIST_TO_TEND, waiting_since=waiting_since, now=now, most=most)
