"""All SQL on connections to code hosts, and on the pull requests that are commented on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, kind, name, url, owner, app_id, installation_id, comments_on_closed, has_check_run, fail_on, disabled_at,
  last_used_at, last_error_code, last_error_at, created_at, updated_at"""

_INSERT = f"""
insert into analysis.code_hosts
  (id, kind, name, url, owner, app_id, installation_id, credentials_encrypted, comments_on_closed, has_check_run, fail_on,
   created_at, updated_at)
values
  (:id, :kind, :name, :url, :owner, :app_id, :installation_id, :credentials_encrypted, :comments_on_closed, :has_check_run,
   :fail_on, :now, :now)
returning {_COLUMNS}
"""
_COUNT = "select count(*) as hosts from analysis.code_hosts where org_id = :org_id"
_LIST = f"""
select {_COLUMNS}
from analysis.code_hosts
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from analysis.code_hosts where org_id = :org_id and id = :host_id"
_LOCK = f"select {_COLUMNS}, credentials_encrypted from analysis.code_hosts where org_id = :org_id and id = :host_id for no key update"
_CHANGE = f"""
update analysis.code_hosts
set name = :name, credentials_encrypted = :credentials_encrypted, comments_on_closed = :comments_on_closed,
  has_check_run = :has_check_run, fail_on = :fail_on, disabled_at = :disabled_at, updated_at = :now
where org_id = :org_id and id = :host_id
returning {_COLUMNS}
"""
_DELETE = "delete from analysis.code_hosts where org_id = :org_id and id = :host_id returning id, kind, url, owner"
_LIST_ENABLED = """
select id, kind, url, owner, credentials_encrypted, comments_on_closed, has_check_run, fail_on
from analysis.code_hosts
where org_id = :org_id and disabled_at is null
order by id
"""
_HAS_ENABLED = """
select exists (select from analysis.code_hosts where org_id = :org_id and disabled_at is null and kind <> 'terraform_cloud') as has_one
"""
_NOTE_USE = """
update analysis.code_hosts
set last_used_at = coalesce(:used_at, last_used_at), last_error_code = :error_code, last_error_at = :error_at
where org_id = :org_id and id = :host_id
"""
SEALED_CREDENTIALS = SealedQueries(
    orgs_sql="""
select org_id
from analysis.list_orgs_with_sealed_code_host_credentials(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, credentials_encrypted as sealed
from analysis.code_hosts
where org_id = :org_id and credentials_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update analysis.code_hosts as c
set credentials_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.credentials_encrypted = s.old
returning c.id
""",
)


def insert_code_host(tx: UnitOfWork, **values: object) -> Row:
    """Insert a connection; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def count_code_hosts(tx: UnitOfWork) -> int:
    """Count connections."""
    return int(tx.rows(_COUNT)[0]["hosts"])


def list_code_hosts(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List connections, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_code_host(tx: UnitOfWork, host_id: UUID) -> Row:
    """Read one connection.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, host_id=host_id)


def lock_code_host(tx: UnitOfWork, host_id: UUID) -> Row:
    """Read one connection, with its credentials as ciphertext, and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, host_id=host_id)


def change_code_host(tx: UnitOfWork, host_id: UUID, **values: object) -> Row:
    """Store everything of a connection that may change; returns its row."""
    return tx.one(_CHANGE, host_id=host_id, **values)


def delete_code_host(tx: UnitOfWork, host_id: UUID) -> Row:
    """Delete a connection, with what is known of its pull requests.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, host_id=host_id)


def list_enabled(tx: UnitOfWork) -> Sequence[Row]:
    """List the connections that are used, with their credentials as ciphertext."""
    return tx.rows(_LIST_ENABLED)


def has_enabled(tx: UnitOfWork) -> bool:
    """Say whether the organisation has a connection that is used to comment on pull requests."""
    return bool(tx.rows(_HAS_ENABLED)[0]["has_one"])


def note_use(tx: UnitOfWork, host_id: UUID, *, error_code: str | None, now: datetime) -> None:
    """Note how the last use of a connection ended; None for well."""
    is_well = error_code is None
    tx.execute(
        _NOTE_USE,
        host_id=host_id,
        used_at=now if is_well else None,
        error_code=error_code,
        error_at=None if is_well else now,
    )
