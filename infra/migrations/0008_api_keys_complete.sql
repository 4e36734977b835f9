-- owner: keys | locks: core.api_keys, briefly (new columns without a rewrite, new grants)
set local lock_timeout = '5s';

alter table core.api_keys
  add column cidrs cidr[] not null default '{}' check (cardinality(cidrs) <= 50),
  add column replaces_id uuid,
  add constraint api_keys_replaces foreign key (org_id, replaces_id) references core.api_keys (org_id, id)
    on delete set null (replaces_id);
comment on column core.api_keys.cidrs is 'Networks that the key may be used from; empty for everywhere.';
comment on column core.api_keys.replaces_id is 'The key that this one took over from in a rotation; at most one takes over from each.';
create unique index api_keys_replaces on core.api_keys (org_id, replaces_id);
grant insert (cidrs, replaces_id), update (expires_at) on core.api_keys to keys_work;
revoke update (last_used_at) on core.api_keys from keys_work;
grant select (cidrs, last_used_at) on core.api_keys to core_lookup;

-- Owner of the one function that writes before the organisation is known. Roles are shared by all databases of a server.
do $$
begin
  if not exists (select from pg_roles where rolname = 'core_key_use') then
    create role core_key_use nologin noinherit nobypassrls;
  end if;
end
$$;
grant usage on schema core to core_key_use;
create policy api_keys_use_read on core.api_keys for select to core_key_use using (true);
create policy api_keys_use_write on core.api_keys for update to core_key_use using (true) with check (true);
grant select (org_id, id, public_id, secret_hash, pepper_version, last_used_at, revoked_at),
  update (secret_hash, pepper_version, last_used_at) on core.api_keys to core_key_use;

drop function core.find_api_key(text);
create function core.find_api_key(wanted_public_id text)
returns table (
  org_id uuid, key_id uuid, secret_hash bytea, pepper_version integer, scopes text[], cidrs text[],
  expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz, maker_id uuid, maker_role text, plan text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.org_id, k.id, k.secret_hash, k.pepper_version, k.scopes, k.cidrs::text[], k.expires_at, k.revoked_at, k.last_used_at,
    k.created_by, m.role, o.plan
  from core.api_keys k
  join core.orgs o on o.id = k.org_id and o.deleted_at is null
  left join core.users u on u.id = k.created_by and u.disabled_at is null
  left join core.members m on m.org_id = k.org_id and m.user_id = u.id
  where k.public_id = wanted_public_id
$$;
comment on function core.find_api_key is 'The one key with this public id, with its maker''s present role (null when removed or disabled: the key is dead).';

create function core.find_reported_api_keys(wanted_public_ids text[])
returns table (org_id uuid, key_id uuid, public_id text, secret_hash bytea, pepper_version integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.org_id, k.id, k.public_id, k.secret_hash, k.pepper_version
  from core.api_keys k
  join core.orgs o on o.id = k.org_id and o.deleted_at is null
  where k.public_id = any(wanted_public_ids)
$$;
comment on function core.find_reported_api_keys is 'The keys with these public ids, revoked ones too: what a reporter of leaked keys found in public.';

create function core.note_api_key_use(used_public_id text, known_hash bytea, new_hash bytea, new_pepper_version integer)
returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with used as (
    select k.org_id, k.id, k.pepper_version < new_pepper_version as is_stale
    from core.api_keys k
    where k.public_id = used_public_id and k.secret_hash = known_hash and k.revoked_at is null
      and (k.last_used_at is null or k.last_used_at <= now() - interval '10 minutes' or k.pepper_version < new_pepper_version)
    for no key update skip locked
  ), noted as (
    update core.api_keys k
    set last_used_at = now(),
      secret_hash = case when used.is_stale then new_hash else k.secret_hash end,
      pepper_version = case when used.is_stale then new_pepper_version else k.pepper_version end
    from used
    where k.org_id = used.org_id and k.id = used.id
    returning 1
  )
  select exists (select from noted)
$$;
comment on function core.note_api_key_use is 'Notes that a live key was used, at most every 10 minutes, and raises its hash to a newer pepper; only for who knows the present hash.';

revoke execute on function core.find_api_key(text), core.find_reported_api_keys(text[]),
  core.note_api_key_use(text, bytea, bytea, integer) from public;
grant execute on function core.find_api_key(text), core.note_api_key_use(text, bytea, bytea, integer)
  to auth_login, keys_login, scan_login, analyze_login, webhook_login, scim_login;
grant execute on function core.find_reported_api_keys(text[]) to keys_login;

-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup, core_key_use to current_user with inherit false, set true;
grant create on schema core to core_lookup, core_key_use;
alter function core.find_api_key(text) owner to core_lookup;
alter function core.find_reported_api_keys(text[]) owner to core_lookup;
alter function core.note_api_key_use(text, bytea, bytea, integer) owner to core_key_use;
revoke create on schema core from core_lookup, core_key_use;
revoke core_lookup, core_key_use from current_user;
