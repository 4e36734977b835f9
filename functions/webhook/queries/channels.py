"""All SQL on notification channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, kind, name, target_encrypted, target_hint, current_secret_encrypted, previous_secret_encrypted, previous_expires_at,
  rotated_at, events, least_severity, account_ids, digest, digest_hour, quiet_from, quiet_until, time_zone, failing_since,
  retry_at, disabled_at, disabled_because, created_at"""

_PLAN = "select plan from core.orgs where id = :org_id"
_COUNT = "select count(*) as channels from webhook.notification_channels where org_id = :org_id"
_INSERT = f"""
insert into webhook.notification_channels
  (id, kind, name, target_encrypted, target_hint, current_secret_encrypted, events, least_severity, account_ids, digest, digest_hour,
   quiet_from, quiet_until, time_zone, created_at)
values
  (:id, :kind, :name, :target_encrypted, :target_hint, :current_secret_encrypted, cast(:events as text[]), :least_severity,
   cast(:account_ids as uuid[]), :digest, :digest_hour, cast(:quiet_from as time), cast(:quiet_until as time), :time_zone, :now)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from webhook.notification_channels
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_GET = f"select {_COLUMNS} from webhook.notification_channels where org_id = :org_id and id = :channel_id"
_LOCK = f"{_GET} for no key update"
_LIST_LIVE = f"""
select {_COLUMNS}
from webhook.notification_channels
where org_id = :org_id and disabled_at is null
order by id
for no key update
"""
_CHANGE = f"""
update webhook.notification_channels
set name = :name, target_encrypted = :target_encrypted, target_hint = :target_hint, events = cast(:events as text[]),
  least_severity = :least_severity, account_ids = cast(:account_ids as uuid[]), digest = :digest, digest_hour = :digest_hour,
  quiet_from = cast(:quiet_from as time), quiet_until = cast(:quiet_until as time), time_zone = :time_zone,
  disabled_at = :disabled_at, disabled_because = :disabled_because, failing_since = :failing_since, retry_at = :retry_at,
  previous_secret_encrypted = :previous_secret_encrypted, previous_expires_at = :previous_expires_at
where org_id = :org_id and id = :channel_id
returning {_COLUMNS}
"""
_ROTATE = f"""
update webhook.notification_channels
set current_secret_encrypted = :current_secret_encrypted, previous_secret_encrypted = :previous_secret_encrypted,
  previous_expires_at = :previous_expires_at, rotated_at = :rotated_at
where org_id = :org_id and id = :channel_id
returning {_COLUMNS}
"""
_DELETE = """
delete from webhook.notification_channels where org_id = :org_id and id = :channel_id returning id, name, kind
"""
_NUMBER = """
update webhook.notification_channels
set last_seq = last_seq + 1
where org_id = :org_id and id = :channel_id
returning last_seq
"""
_LEASE = f"""
update webhook.notification_channels
set lease_id = :lease_id, leased_until = :leased_until
where org_id = :org_id and id = :channel_id and disabled_at is null
  and (leased_until is null or leased_until <= :now or lease_id = :lease_id)
returning {_COLUMNS}
"""
_RELEASE = """
update webhook.notification_channels
set lease_id = null, leased_until = null
where org_id = :org_id and id = :channel_id and lease_id = :lease_id
returning id, failing_since
"""
_SET_FAILING = """
update webhook.notification_channels
set failing_since = :failing_since, retry_at = :retry_at
where org_id = :org_id and id = :channel_id
"""
_DISABLE = """
update webhook.notification_channels
set disabled_at = :now, disabled_because = :because
where org_id = :org_id and id = :channel_id and disabled_at is null
returning id
"""
_DROP_EXPIRED = """
update webhook.notification_channels
set previous_secret_encrypted = null, previous_expires_at = null
where org_id = :org_id and previous_expires_at <= :before
returning id
"""
_LIST_DUE = """
select org_id, channel_id from webhook.list_due_channels(cast(:now as timestamptz), cast(:most as integer))
"""
_LIST_ADMIN_EMAILS = "select email from webhook.list_admin_emails(cast(:wanted_org_id as uuid), cast(:most as integer))"
_LIST_ORGS_TO_PURGE = """
select org_id
from webhook.list_orgs_to_purge_out(
  cast(:rows_before as timestamptz), cast(:secrets_before as timestamptz), cast(:most as integer)
)
"""


SEALED_TARGETS = SealedQueries(
    orgs_sql="""
select org_id
from webhook.list_orgs_with_sealed_channel_targets(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, target_encrypted as sealed
from webhook.notification_channels
where org_id = :org_id and target_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update webhook.notification_channels as c
set target_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.target_encrypted = s.old
returning c.id
""",
)
SEALED_CURRENT_SECRETS = SealedQueries(
    orgs_sql="""
select org_id
from webhook.list_orgs_with_sealed_current_channel_secrets(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, current_secret_encrypted as sealed
from webhook.notification_channels
where org_id = :org_id and current_secret_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update webhook.notification_channels as c
set current_secret_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.current_secret_encrypted = s.old
returning c.id
""",
)
SEALED_PREVIOUS_SECRETS = SealedQueries(
    orgs_sql="""
select org_id
from webhook.list_orgs_with_sealed_previous_channel_secrets(
  cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer)
)
""",
    rows_sql="""
select id, previous_secret_encrypted as sealed
from webhook.notification_channels
where org_id = :org_id and previous_secret_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update webhook.notification_channels as c
set previous_secret_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.previous_secret_encrypted = s.old
returning c.id
""",
)


def find_plan(tx: UnitOfWork) -> str | None:
    """Return the organisation's plan; None when there is no such organisation (any more)."""
    found = tx.row(_PLAN)
    return str(found["plan"]) if found is not None else None


def count_channels(tx: UnitOfWork) -> int:
    """Return how many channels there are."""
    return int(tx.rows(_COUNT)[0]["channels"])


def insert_channel(tx: UnitOfWork, **values: object) -> Row:
    """Insert a channel; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_channels(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List channels, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def get_channel(tx: UnitOfWork, channel_id: UUID) -> Row:
    """Read one channel.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, channel_id=channel_id)


def find_channel(tx: UnitOfWork, channel_id: UUID) -> Row | None:
    """Read one channel; None when there is none (any more)."""
    return tx.row(_GET, channel_id=channel_id)


def lock_channel(tx: UnitOfWork, channel_id: UUID) -> Row:
    """Read one channel and hold it against changes and new deliveries until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, channel_id=channel_id)


def lock_live_channels(tx: UnitOfWork) -> Sequence[Row]:
    """Read every enabled channel and hold it until the transaction ends, in one order everywhere."""
    return tx.rows(_LIST_LIVE)


def change_channel(tx: UnitOfWork, channel_id: UUID, **values: object) -> Row:
    """Store everything of a channel that may change; returns the row."""
    return tx.one(_CHANGE, channel_id=channel_id, **values)


def rotate_channel_secret(tx: UnitOfWork, channel_id: UUID, **values: object) -> Row:
    """Store a new secret and what stays of the one before; returns the row."""
    return tx.one(_ROTATE, channel_id=channel_id, **values)


def delete_channel(tx: UnitOfWork, channel_id: UUID) -> Row:
    """Delete a channel with everything that it was told.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, channel_id=channel_id)


def next_seq(tx: UnitOfWork, channel_id: UUID) -> int:
    """Number one more delivery of a channel."""
    return int(tx.one(_NUMBER, channel_id=channel_id)["last_seq"])


def lease_channel(
    tx: UnitOfWork, channel_id: UUID, lease_id: UUID, *, now: datetime, leased_until: datetime
) -> Row | None:
    """Become the one who sends to a channel, or stay so; None when it is disabled or somebody else is."""
    return tx.row(_LEASE, channel_id=channel_id, lease_id=lease_id, now=now, leased_until=leased_until)


def release_channel(tx: UnitOfWork, channel_id: UUID, lease_id: UUID) -> Row | None:
    """Let others send to a channel; returns since when it fails, None when somebody else took it over already."""
    return tx.row(_RELEASE, channel_id=channel_id, lease_id=lease_id)


def set_failing(tx: UnitOfWork, channel_id: UUID, failing_since: datetime | None, *, retry_at: datetime | None) -> None:
    """Store since when nothing was delivered to a channel, and when it is tried again."""
    tx.execute(_SET_FAILING, channel_id=channel_id, failing_since=failing_since, retry_at=retry_at)


def disable_channel(tx: UnitOfWork, channel_id: UUID, *, because: str, now: datetime) -> bool:
    """Switch a channel off; False when it was already."""
    return tx.row(_DISABLE, channel_id=channel_id, because=because, now=now) is not None


def drop_expired_channel_secrets(tx: UnitOfWork, *, before: datetime) -> int:
    """Forget previous secrets whose grace ended; returns how many."""
    return len(tx.rows(_DROP_EXPIRED, before=before))


def list_due_channels(db: Lookups, *, now: datetime, most: int) -> Sequence[Row]:
    """List channels of any organisation with something due, longest due first: `org_id channel_id`."""
    return db.lookup(_LIST_DUE, now=now, most=most)


def list_admin_emails(db: Lookups, wanted_org_id: UUID, *, most: int) -> list[str]:
    """List the e-mail addresses of an organisation's admins and owners."""
    return [str(row["email"]) for row in db.lookup(_LIST_ADMIN_EMAILS, wanted_org_id=wanted_org_id, most=most)]


def list_orgs_to_purge_out(db: Lookups, *, rows_before: datetime, secrets_before: datetime, most: int) -> list[UUID]:
    """List organisations that hold deliveries or secrets of channels whose time is over."""
    found = db.lookup(_LIST_ORGS_TO_PURGE, rows_before=rows_before, secrets_before=secrets_before, most=most)
    return [row["org_id"] for row in found]
