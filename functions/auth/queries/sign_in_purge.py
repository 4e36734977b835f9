"""SQL of forgetting sign-ins and what else of them is over."""

from __future__ import annotations

from collections.abc import Mapping

from shared.data.unit_of_work import UnitOfWork

# What is deleted, by name: rows that nobody can use any more. A session stays for a day, as the list of sessions and the
# audit log name it; its refresh tokens and the terminals that it approved go with it.
_STATEMENTS: Mapping[str, str] = {
    "sign_ins": """
with old as (
  select state_hash from core.sign_ins where expires_at < now() order by expires_at limit :most
)
delete from core.sign_ins s using old where s.state_hash = old.state_hash returning s.expires_at
""",
    "saml_requests": """
with old as (
  select request_hash from core.saml_requests where expires_at < now() order by expires_at limit :most
)
delete from core.saml_requests r using old where r.request_hash = old.request_hash returning r.expires_at
""",
    "saml_replays": """
with old as (
  select connection_id, assertion_hash from core.saml_replays where expires_at < now() order by expires_at limit :most
)
delete from core.saml_replays r using old
where r.connection_id = old.connection_id and r.assertion_hash = old.assertion_hash
returning r.expires_at
""",
    "logout_tokens": """
with old as (
  select issuer, jti from core.logout_tokens where expires_at < now() order by expires_at limit :most
)
delete from core.logout_tokens t using old where t.issuer = old.issuer and t.jti = old.jti returning t.expires_at
""",
    "device_grants": """
with old as (
  select device_code_hash from core.device_grants where expires_at < now() order by expires_at limit :most
)
delete from core.device_grants g using old where g.device_code_hash = old.device_code_hash returning g.expires_at
""",
    "sessions": """
with old as (
  select id from core.sessions where expires_at < now() - interval '1 day' order by expires_at limit :most
)
delete from core.sessions s using old where s.id = old.id returning s.expires_at
""",
}
TABLES = tuple(_STATEMENTS)


def delete_expired(tx: UnitOfWork, table: str, *, most: int) -> int:
    """Forget the oldest rows of one table that are over; returns how many."""
    return len(tx.rows(_STATEMENTS[table], most=most))
