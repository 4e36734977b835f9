-- owner: keys | locks: none
-- Whether a reported key is alive: a dead one's pepper may be gone by now, and is not needed to say what becomes of the key.
set local lock_timeout = '5s';

drop function core.find_reported_api_keys(text[]);
create function core.find_reported_api_keys(wanted_public_ids text[])
returns table (org_id uuid, key_id uuid, public_id text, secret_hash bytea, pepper_version integer, is_live boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select k.org_id, k.id, k.public_id, k.secret_hash, k.pepper_version,
    k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and m.role is not null
  from core.api_keys k
  join core.orgs o on o.id = k.org_id and o.deleted_at is null
  left join core.users u on u.id = k.created_by and u.disabled_at is null
  left join core.members m on m.org_id = k.org_id and m.user_id = u.id
  where k.public_id = any(wanted_public_ids)
$$;
comment on function core.find_reported_api_keys is 'The keys with these public ids, revoked ones too: what a reporter of leaked keys found in public.';
revoke execute on function core.find_reported_api_keys(text[]) from public;
grant execute on function core.find_reported_api_keys(text[]) to keys_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema core to core_lookup;
alter function core.find_reported_api_keys(text[]) owner to core_lookup;
revoke create on schema core from core_lookup;
revoke core_lookup from current_user;
