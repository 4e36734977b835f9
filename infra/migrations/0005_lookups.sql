-- owner: shared | locks: none
-- What must be read before the organisation is known. Each function returns the few columns its caller needs; all are
-- owned by core_lookup, which holds nothing but column grants, and run with a fixed search path.

create function core.find_api_key(wanted_public_id text)
returns table (
  org_id uuid, key_id uuid, secret_hash bytea, pepper_version integer, scopes text[],
  expires_at timestamptz, revoked_at timestamptz, maker_id uuid, maker_role text, plan text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.org_id, k.id, k.secret_hash, k.pepper_version, k.scopes, k.expires_at, k.revoked_at, k.created_by, m.role, o.plan
  from core.api_keys k
  join core.orgs o on o.id = k.org_id and o.deleted_at is null
  left join core.users u on u.id = k.created_by and u.disabled_at is null
  left join core.members m on m.org_id = k.org_id and m.user_id = u.id
  where k.public_id = wanted_public_id
$$;
comment on function core.find_api_key is 'The one key with this public id, with its maker''s present role (null when removed or disabled: the key is dead).';

create function core.find_principal(wanted_user_id uuid, wanted_org_id uuid)
returns table (email text, name text, is_platform_admin boolean, role text, plan text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select u.email, u.name, u.is_platform_admin, m.role, o.plan
  from core.users u
  left join core.orgs o on o.id = wanted_org_id and o.deleted_at is null
  left join core.members m on m.org_id = o.id and m.user_id = u.id
  where u.id = wanted_user_id and u.disabled_at is null
$$;
comment on function core.find_principal is 'An enabled person, with the role held in one organisation (null when not a member).';

create function core.list_orgs_of_user(wanted_user_id uuid, after_id uuid, page_size integer)
returns table (id uuid, name text, plan text, role text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.name, o.plan, m.role, o.created_at
  from core.members m
  join core.orgs o on o.id = m.org_id and o.deleted_at is null
  where m.user_id = wanted_user_id and (after_id is null or o.id > after_id)
  order by o.id
  limit page_size
$$;
comment on function core.list_orgs_of_user is 'The organisations a person belongs to, in order of id, one page.';

create function core.list_orgs_with_outbox(older_than_seconds integer, most integer)
returns table (org_id uuid, waiting bigint, oldest_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select b.org_id, count(*), min(b.created_at)
  from core.outbox b
  where b.created_at < now() - make_interval(secs => older_than_seconds)
  group by b.org_id
  order by min(b.created_at)
  limit most
$$;
comment on function core.list_orgs_with_outbox is 'Organisations whose outbox holds rows that a crash may have left, oldest first.';

revoke execute on function core.find_api_key(text), core.find_principal(uuid, uuid),
  core.list_orgs_of_user(uuid, uuid, integer), core.list_orgs_with_outbox(integer, integer) from public;
grant execute on function core.find_api_key(text), core.find_principal(uuid, uuid)
  to auth_login, keys_login, scan_login, analyze_login, webhook_login, scim_login;
grant execute on function core.list_orgs_of_user(uuid, uuid, integer) to auth_login;
grant execute on function core.list_orgs_with_outbox(integer, integer) to webhook_login;

-- Who gives a function away must be able to become the new owner, who must be allowed to create in the schema; both
-- only here. (A superuser would need neither, but a managed database has none.)
grant core_lookup to current_user with inherit false, set true;
grant create on schema core to core_lookup;
alter function core.find_api_key(text) owner to core_lookup;
alter function core.find_principal(uuid, uuid) owner to core_lookup;
alter function core.list_orgs_of_user(uuid, uuid, integer) owner to core_lookup;
alter function core.list_orgs_with_outbox(integer, integer) owner to core_lookup;
revoke create on schema core from core_lookup;
revoke core_lookup from current_user;
