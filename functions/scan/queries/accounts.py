"""All SQL on cloud accounts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, provider, name, external_account, regions, auth_kind, role_arn, external_id, through, identity_provider,
  service_account, tenant_id, client_id, credentials_encrypted, verified_at, created_at"""

_OPTIONAL = ("through", "identity_provider", "service_account", "tenant_id", "client_id")

_LOCK_PLAN = "select pg_advisory_xact_lock(hashtextextended('scan:plan:' || cast(:org_id as text), 0))"
_COUNT = "select count(*) as used from scan.cloud_accounts where org_id = :org_id"
_INSERT = f"""
insert into scan.cloud_accounts
  (id, provider, name, external_account, regions, auth_kind, role_arn, external_id, through, identity_provider, service_account,
  tenant_id, client_id, credentials_encrypted)
values
  (:id, :provider, :name, :external_account, :regions, :auth_kind, :role_arn, :external_id, :through, :identity_provider,
  :service_account, :tenant_id, :client_id, :credentials_encrypted)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.cloud_accounts
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"""
select {_COLUMNS}
from scan.cloud_accounts
where org_id = :org_id and id = :account_id
"""
_UPDATE = f"""
update scan.cloud_accounts
set name = coalesce(:name, name), regions = coalesce(cast(:regions as text[]), regions)
where org_id = :org_id and id = :account_id
returning {_COLUMNS}
"""
_SET_ACCESS = f"""
update scan.cloud_accounts
set auth_kind = :auth_kind, role_arn = :role_arn, external_id = :external_id, through = :through,
  identity_provider = :identity_provider, service_account = :service_account, tenant_id = cast(:tenant_id as uuid),
  client_id = cast(:client_id as uuid), credentials_encrypted = :credentials_encrypted, verified_at = null
where org_id = :org_id and id = :account_id
returning {_COLUMNS}
"""
_FIND_EXTERNAL_ID = """
select external_id
from scan.cloud_accounts
where org_id = :org_id and through = :through
order by id
limit 1
"""
_SET_VERIFIED = "update scan.cloud_accounts set verified_at = now() where org_id = :org_id and id = :account_id"
_DELETE = "delete from scan.cloud_accounts where org_id = :org_id and id = :account_id returning id, name"
SEALED_CREDENTIALS = SealedQueries(
    orgs_sql="""
select org_id
from scan.list_orgs_with_sealed_credentials(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, credentials_encrypted as sealed
from scan.cloud_accounts
where org_id = :org_id and credentials_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update scan.cloud_accounts as a
set credentials_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where a.org_id = :org_id and a.id = s.id and a.credentials_encrypted = s.old
returning a.id
""",
)


def lock_plan(tx: UnitOfWork) -> None:
    """Hold off others who count against the same plan limits, until the transaction ends."""
    tx.execute(_LOCK_PLAN)


def count_accounts(tx: UnitOfWork) -> int:
    """Count connected accounts."""
    return int(tx.rows(_COUNT)[0]["used"])


def insert_account(tx: UnitOfWork, **values: object) -> Row:
    """Insert an account; what its provider does not have is left out. Returns its row."""
    return tx.rows(_INSERT, **{**dict.fromkeys(_OPTIONAL), **values})[0]


def find_external_id_of_hub(tx: UnitOfWork, through: str) -> str | None:
    """Find the external id that accounts behind a hub have; None for the first one."""
    found = tx.row(_FIND_EXTERNAL_ID, through=through)
    return found["external_id"] if found else None


def list_accounts(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List accounts, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_account(tx: UnitOfWork, account_id: UUID) -> Row:
    """Read one account.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, account_id=account_id)


def update_account(tx: UnitOfWork, account_id: UUID, *, name: str | None, regions: Sequence[str] | None) -> Row:
    """Change name and regions; None leaves a value as it is.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_UPDATE, account_id=account_id, name=name, regions=list(regions) if regions else None)


def set_access(tx: UnitOfWork, account_id: UUID, **columns: object) -> Row:
    """Change how an account is signed in to; nobody has verified that yet.

    Args:
        tx: the organisation's.
        account_id: which one.
        columns: each of `auth_kind`, `role_arn`, `external_id`, `through`, `identity_provider`, `service_account`,
            `tenant_id`, `client_id`, `credentials_encrypted`.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_SET_ACCESS, account_id=account_id, **columns)


def set_verified(tx: UnitOfWork, account_id: UUID) -> None:
    """Remember that the credentials were checked just now."""
    tx.execute(_SET_VERIFIED, account_id=account_id)


def delete_account(tx: UnitOfWork, account_id: UUID) -> Row:
    """Delete an account with its sources, scans and drift.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, account_id=account_id)
