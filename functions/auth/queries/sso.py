"""SQL of SAML connections, their requests and replays, and proven domains."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.sealed_columns import SealedQueries
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, is_enabled, is_enforced, allows_unsolicited, allows_cbc, idp_entity_id, metadata_url, metadata_xml, metadata_fetched_at,
  metadata_error, email_attribute, default_role, sp_certificate, sp_key_encrypted"""
_GET = f"select {_COLUMNS} from core.sso_connections where org_id = :org_id"
_LOCK = f"select {_COLUMNS} from core.sso_connections where org_id = :org_id for update"
_INSERT = f"""
insert into core.sso_connections
  (id, is_enabled, is_enforced, allows_unsolicited, allows_cbc, idp_entity_id, metadata_url, metadata_xml, metadata_fetched_at,
   email_attribute, default_role, sp_certificate, sp_key_encrypted)
values
  (:id, :is_enabled, :is_enforced, :allows_unsolicited, :allows_cbc, :idp_entity_id, :metadata_url, :metadata_xml, :now,
   :email_attribute, :default_role, :sp_certificate, :sp_key_encrypted)
returning {_COLUMNS}
"""
_UPDATE = f"""
update core.sso_connections
set is_enabled = :is_enabled, is_enforced = :is_enforced, allows_unsolicited = :allows_unsolicited, allows_cbc = :allows_cbc,
  idp_entity_id = :idp_entity_id, metadata_url = :metadata_url, metadata_xml = :metadata_xml, metadata_fetched_at = :now,
  metadata_error = '', email_attribute = :email_attribute, default_role = :default_role, updated_at = :now
where org_id = :org_id
returning {_COLUMNS}
"""
_SET_METADATA = """
update core.sso_connections
set metadata_xml = coalesce(cast(:metadata_xml as text), metadata_xml), metadata_error = :metadata_error,
  metadata_fetched_at = :now
where org_id = :org_id and id = :connection_id and metadata_url = :metadata_url
"""
_DELETE = "delete from core.sso_connections where org_id = :org_id returning id"
_FIND_CONNECTION = "select org_id from core.find_sso_connection(cast(:connection_id as uuid))"
_FIND_DOMAIN = "select org_id, connection_id from core.find_sso_domain(:domain)"
_LIST_STALE = """
select org_id, connection_id
from core.list_stale_sso_connections(cast(:older_than_seconds as integer), cast(:most as integer))
"""
_INSERT_REQUEST = """
insert into core.saml_requests (request_hash, connection_id, return_path, expires_at)
values (:request_hash, :connection_id, :return_path, :expires_at)
"""
_TAKE_REQUEST = """
delete from core.saml_requests
where request_hash = :request_hash
returning connection_id, return_path, expires_at
"""
_CLAIM_ASSERTION = """
insert into core.saml_replays (connection_id, assertion_hash, expires_at)
values (:connection_id, :assertion_hash, :expires_at)
on conflict do nothing
returning connection_id
"""
_DOMAIN = "domain, challenge, created_at, verified_at"
_LIST_DOMAINS = f"select {_DOMAIN} from core.sso_domains where org_id = :org_id order by domain"
_LOCK_DOMAIN = f"select {_DOMAIN} from core.sso_domains where org_id = :org_id and domain = :domain for update"
_INSERT_DOMAIN = f"""
insert into core.sso_domains (domain, challenge)
values (:domain, :challenge)
on conflict (org_id, domain) do update set challenge = core.sso_domains.challenge
returning {_DOMAIN}
"""
_SET_VERIFIED = f"""
update core.sso_domains
set verified_at = :now
where org_id = :org_id and domain = :domain
returning {_DOMAIN}
"""
_DELETE_DOMAIN = "delete from core.sso_domains where org_id = :org_id and domain = :domain returning domain"
_LIST_PROVEN = "select domain from core.sso_domains where org_id = :org_id and verified_at is not null"
SEALED_SP_KEYS = SealedQueries(
    orgs_sql="""
select org_id
from core.list_orgs_with_sealed_sp_keys(cast(:below_version as bigint), cast(:after_id as uuid), cast(:most as integer))
""",
    rows_sql="""
select id, sp_key_encrypted as sealed
from core.sso_connections
where org_id = :org_id and sp_key_version < :below_version and (cast(:after_id as uuid) is null or id > :after_id)
order by id
limit :most
""",
    swap_sql="""
update core.sso_connections as c
set sp_key_encrypted = s.new
from jsonb_to_recordset(cast(:swaps as jsonb)) as s (id uuid, old bytea, new bytea)
where c.org_id = :org_id and c.id = s.id and c.sp_key_encrypted = s.old
returning c.id
""",
)


def get_connection(tx: UnitOfWork) -> Row | None:
    """Read the organisation's connection."""
    return tx.row(_GET)


def lock_connection(tx: UnitOfWork) -> Row | None:
    """Lock the organisation's connection."""
    return tx.row(_LOCK)


def insert_connection(tx: UnitOfWork, **values: object) -> Row:
    """Make the organisation's connection."""
    return tx.rows(_INSERT, **values)[0]


def update_connection(tx: UnitOfWork, **values: object) -> Row:
    """Change the organisation's connection; our key for it stays. Raises: NotFound (404 `not_found`)."""
    return tx.one(_UPDATE, **values)


def set_metadata(tx: UnitOfWork, connection_id: UUID, **values: object) -> None:
    """Note what fetching the metadata again brought, unless its address was changed meanwhile."""
    tx.execute(_SET_METADATA, connection_id=connection_id, **values)


def delete_connection(tx: UnitOfWork) -> UUID | None:
    """Delete the organisation's connection; returns its id."""
    found = tx.row(_DELETE)
    return found["id"] if found else None


def find_connection(db: Lookups, connection_id: UUID) -> UUID | None:
    """Find whose connection this is; None for one that is unknown or switched off."""
    rows = db.lookup(_FIND_CONNECTION, connection_id=connection_id)
    return rows[0]["org_id"] if rows else None


def find_domain(db: Lookups, domain: str) -> UUID | None:
    """Find the connection that signs the people of a proven domain in."""
    rows = db.lookup(_FIND_DOMAIN, domain=domain)
    return rows[0]["connection_id"] if rows else None


def list_stale(db: Lookups, *, older_than_seconds: int, most: int) -> Sequence[Row]:
    """List connections whose metadata are due, oldest first."""
    return db.lookup(_LIST_STALE, older_than_seconds=older_than_seconds, most=most)


def insert_request(tx: UnitOfWork, **values: object) -> None:
    """Remember a request that goes out."""
    tx.execute(_INSERT_REQUEST, **values)


def take_request(tx: UnitOfWork, request_hash: bytes) -> Row | None:
    """Take a request under way; it can be taken once."""
    return tx.row(_TAKE_REQUEST, request_hash=request_hash)


def claim_assertion(tx: UnitOfWork, *, connection_id: UUID, assertion_hash: bytes, expires_at: datetime) -> bool:
    """Take an assertion; says whether it is the first time."""
    values = {"connection_id": connection_id, "assertion_hash": assertion_hash, "expires_at": expires_at}
    return tx.row(_CLAIM_ASSERTION, **values) is not None


def list_domains(tx: UnitOfWork) -> Sequence[Row]:
    """List the organisation's domains by name."""
    return tx.rows(_LIST_DOMAINS)


def lock_domain(tx: UnitOfWork, domain: str) -> Row | None:
    """Lock one of the organisation's domains."""
    return tx.row(_LOCK_DOMAIN, domain=domain)


def insert_domain(tx: UnitOfWork, *, domain: str, challenge: str) -> Row:
    """Add a domain; one that is there keeps its challenge."""
    return tx.rows(_INSERT_DOMAIN, domain=domain, challenge=challenge)[0]


def set_verified(tx: UnitOfWork, domain: str, *, now: datetime) -> Row:
    """Note that a domain was proven. Raises: NotFound (404 `not_found`): it was given up meanwhile."""
    return tx.one(_SET_VERIFIED, domain=domain, now=now)


def delete_domain(tx: UnitOfWork, domain: str) -> bool:
    """Delete a domain; says whether it was there."""
    return tx.row(_DELETE_DOMAIN, domain=domain) is not None


def list_proven(tx: UnitOfWork) -> AbstractSet[str]:
    """Return the organisation's proven domains."""
    return {row["domain"] for row in tx.rows(_LIST_PROVEN)}
