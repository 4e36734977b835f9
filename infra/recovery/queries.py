"""The SQL of recovery. What touches an organisation's rows runs in a unit of work of that organisation."""

from __future__ import annotations

# Of the catalogue

LIST_APPLIED = "select version, sha256 from public.schema_migrations order by version"

LIST_UNPROTECTED = """
select format('%I.%I', n.nspname, c.relname) as name,
  concat_ws(', ',
    case when not c.relrowsecurity then 'row-level security is off' end,
    case when not c.relforcerowsecurity then 'it does not bind the owner' end,
    case when not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive) then 'it has no floor' end
  ) as problem
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_|^information_schema$'
  and (
    (n.nspname = 'core' and c.relname = 'orgs')
    or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)
  )
  and (
    not c.relrowsecurity or not c.relforcerowsecurity
    or not exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive)
  )
order by 1
"""

LIST_POWERFUL = """
select r.rolname::text as role
from pg_roles r
where r.rolname ~ '^[a-z]+_(login|work)$|^core_[a-z_]+$' and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication)
order by 1
"""

LIST_SLEEPING_TRIGGERS = """
select format('%I.%I: %s', n.nspname, c.relname, t.tgname) as name
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and n.nspname = 'core'
  and c.relname in ('audit_log', 'audit_heads', 'platform_audit_log', 'platform_audit_head') and t.tgenabled <> 'A'
order by 1
"""

LIST_BROKEN_INDEXES = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid
order by 1
"""

# Of all organisations

LIST_HEADS = "select org_id, seq, hash from core.audit_heads order by org_id"
GET_PLATFORM_HEAD = "select seq, hash from core.platform_audit_head"
LIST_EMPTY_OUTBOX_ORGS = """
select b.org_id, count(*) as waiting
from core.outbox b
left join core.orgs o on o.id = b.org_id
where o.id is null or o.emptied_at is not null
group by b.org_id
"""

# Of one organisation

COUNT_OUTBOX = """
select topic, count(*) as waiting
from core.outbox
where org_id = :org_id
group by topic
order by topic
"""
COUNT_OPEN_INVITATIONS = """
select count(*) as open
from core.invitations
where org_id = :org_id and accepted_at is null and revoked_at is null and created_at < cast(:before as timestamptz)
"""
REVOKE_INVITATIONS = """
with ended as (
  update core.invitations
  set revoked_at = now()
  where org_id = :org_id and accepted_at is null and revoked_at is null
  returning 1
)
select count(*) as ended from ended
"""
REVOKE_KEYS = """
with ended as (
  update core.api_keys
  set revoked_at = now()
  where org_id = :org_id and revoked_at is null
  returning 1
)
select count(*) as ended from ended
"""
REVOKE_DIRECTORIES = """
with ended as (
  update scim.tokens
  set revoked_at = now()
  where org_id = :org_id and revoked_at is null
  returning 1
)
select count(*) as ended from ended
"""
REVOKE_KEY = """
update core.api_keys
set revoked_at = :at
where org_id = :org_id and id = cast(:target_id as uuid) and revoked_at is null
returning id
"""
REVOKE_DIRECTORY = """
update scim.tokens
set revoked_at = :at
where org_id = :org_id and id = cast(:target_id as uuid) and revoked_at is null
returning id
"""
_OTHER_OWNER = """
exists (
  select
  from core.members o
  where o.org_id = :org_id and o.role = 'owner' and o.user_id <> m.user_id
)
"""
REMOVE_MEMBER = f"""
delete from core.members m
where m.org_id = :org_id and m.user_id = cast(:target_id as uuid) and (m.role <> 'owner' or {_OTHER_OWNER})
returning m.user_id
"""
LOWER_ROLE = f"""
update core.members m
set role = cast(:role as text)
where m.org_id = :org_id and m.user_id = cast(:target_id as uuid)
  and array_position(array['viewer', 'member', 'admin', 'owner'], m.role)
    > array_position(array['viewer', 'member', 'admin', 'owner'], cast(:role as text))
  and (m.role <> 'owner' or {_OTHER_OWNER})
returning m.user_id
"""
DELETE_ORG = """
update core.orgs
set deleted_at = :at
where id = :org_id and deleted_at is null and cast(:target_id as uuid) = :org_id
returning id
"""

# Of nobody: people, their sessions and what leads to one belong to no organisation

DISABLE_USER = """
update core.users
set disabled_at = :at
where id = cast(:target_id as uuid) and disabled_at is null
returning id
"""
UNMAKE_ADMIN = """
update core.users
set is_platform_admin = false
where id = cast(:target_id as uuid) and is_platform_admin
returning id
"""
REMOVE_DOMAIN = """
delete from core.allowed_domains
where domain = :target_id
returning domain
"""
END_FOR_PEOPLE = {
    "sessions": """
with ended as (update core.sessions set revoked_at = now() where revoked_at is null returning 1)
select count(*) as ended from ended
""",
    "refresh_tokens": "with ended as (delete from core.refresh_tokens returning 1) select count(*) as ended from ended",
    "device_grants": "with ended as (delete from core.device_grants returning 1) select count(*) as ended from ended",
    "sign_ins": "with ended as (delete from core.sign_ins returning 1) select count(*) as ended from ended",
    "saml_requests": "with ended as (delete from core.saml_requests returning 1) select count(*) as ended from ended",
}
COUNT_OLD_SESSIONS = """
select count(*) as alive
from core.sessions
where revoked_at is null and created_at < cast(:before as timestamptz)
"""
COUNT_OLD_REFRESH_TOKENS = """
select count(*) as alive
from core.refresh_tokens
where created_at < cast(:before as timestamptz)
"""

# Of the whole database

CLOSE = """
do $$
begin
  execute format('revoke connect on database %I from public', current_database());
end
$$
"""
REOPEN = """
do $$
begin
  execute format('grant connect on database %I to public', current_database());
end
$$
"""
END_CONNECTIONS = """
select pg_terminate_backend(a.pid) as ended
from pg_stat_activity a
join pg_roles r on r.oid = a.usesysid and not r.rolsuper
where a.datname = current_database() and a.usename <> current_user
"""
