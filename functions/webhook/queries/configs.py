"""All SQL on webhook configs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, provider, name, current_secret_encrypted, previous_secret_encrypted, previous_expires_at, rotated_at,
  disabled_at, created_at"""

_FIND = """
select org_id, provider, current_secret_encrypted, previous_secret_encrypted, previous_expires_at, disabled_at
from webhook.find_config(cast(:config_id as uuid))
"""
_INSERT = f"""
insert into webhook.configs (id, provider, name, current_secret_encrypted)
values (:id, :provider, :name, :current_secret_encrypted)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from webhook.configs
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from webhook.configs where org_id = :org_id and id = :config_id"
_LOCK = f"{_GET} for no key update"
_HOLD = (
    "select id from webhook.configs where org_id = :org_id and id = :config_id and disabled_at is null for key share"
)
_CHANGE = f"""
update webhook.configs
set name = coalesce(:name, name), disabled_at = :disabled_at, previous_secret_encrypted = :previous_secret_encrypted,
  previous_expires_at = :previous_expires_at
where org_id = :org_id and id = :config_id
returning {_COLUMNS}
"""
_ROTATE = f"""
update webhook.configs
set current_secret_encrypted = :current_secret_encrypted, previous_secret_encrypted = :previous_secret_encrypted,
  previous_expires_at = :previous_expires_at, rotated_at = :rotated_at
where org_id = :org_id and id = :config_id
returning {_COLUMNS}
"""
_DELETE = "delete from webhook.configs where org_id = :org_id and id = :config_id returning id, name, provider"
_DROP_EXPIRED = """
update webhook.configs
set previous_secret_encrypted = null, previous_expires_at = null
where org_id = :org_id and previous_expires_at <= :before
returning id
"""
SEALED_CURRENT_SECRETS = SealedQueries(
    orgs_sql="""
select org_id
from webhook.list_orgs_with_sealed_current_secrets(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, current_secret_encrypted as sealed
from webhook.configs
where org_id = :org_id and current_secret_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update webhook.configs as c
set current_secret_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.current_secret_encrypted = s.old
returning c.id
""",
)
SEALED_PREVIOUS_SECRETS = SealedQueries(
    orgs_sql="""
select org_id
from webhook.list_orgs_with_sealed_previous_secrets(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, previous_secret_encrypted as sealed
from webhook.configs
where org_id = :org_id and previous_secret_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update webhook.configs as c
set previous_secret_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.previous_secret_encrypted = s.old
returning c.id
""",
)


def find_config(lookups: Lookups, config_id: UUID) -> Row | None:
    """Find a config of any organisation by its id."""
    found = lookups.lookup(_FIND, config_id=config_id)
    return found[0] if len(found) == 1 else None


def insert_config(tx: UnitOfWork, **values: object) -> Row:
    """Insert a config; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_configs(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List configs, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_config(tx: UnitOfWork, config_id: UUID) -> Row:
    """Read one config.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, config_id=config_id)


def lock_config(tx: UnitOfWork, config_id: UUID) -> Row:
    """Read one config and hold it against other changes until the transaction ends; deliveries go on meanwhile.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, config_id=config_id)


def hold_config(tx: UnitOfWork, config_id: UUID) -> bool:
    """Keep an enabled config from being deleted until the transaction ends; False when there is none (any more)."""
    return tx.row(_HOLD, config_id=config_id) is not None


def change_config(tx: UnitOfWork, config_id: UUID, **values: object) -> Row:
    """Store a config's name (None leaves it), when it was disabled, and its previous secret; returns the row."""
    return tx.one(_CHANGE, config_id=config_id, **values)


def rotate_secret(tx: UnitOfWork, config_id: UUID, **values: object) -> Row:
    """Store a new secret and what stays of the one before; returns the row."""
    return tx.one(_ROTATE, config_id=config_id, **values)


def delete_config(tx: UnitOfWork, config_id: UUID) -> Row:
    """Delete a config with everything that was delivered to it.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, config_id=config_id)


def drop_expired_secrets(tx: UnitOfWork, *, before: datetime) -> int:
    """Forget previous secrets whose grace ended; returns how many."""
    return len(tx.rows(_DROP_EXPIRED, before=before))
