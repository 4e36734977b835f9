-- owner: auth | locks: core.orgs and core.members, briefly (new columns without a rewrite, a foreign key made anew); every tenant
-- table, briefly (a policy each)
-- What becomes of a deleted organisation, what the platform's admins see, and what the plan's usage is counted from.
set local lock_timeout = '5s';

alter table core.orgs
  add column purged_at  timestamptz check (purged_at is null or (deleted_at is not null and purged_at >= deleted_at + interval '720 hours')),
  add column emptied_at timestamptz check (emptied_at is null or purged_at is not null);
comment on column core.orgs.deleted_at is 'Nobody gets in from here on; a platform admin can take it back for 30 days.';
comment on column core.orgs.purged_at is 'Given up for good: its rows are being deleted. The row itself stays, without a name, for its audit log.';
comment on column core.orgs.emptied_at is 'When the last of its rows was deleted.';
create index orgs_deleted on core.orgs (deleted_at) where deleted_at is not null and emptied_at is null;
grant update (purged_at, emptied_at) on core.orgs to auth_work;
grant select (purged_at, emptied_at) on core.orgs to core_lookup;

-- A person is deleted only after leaving every organisation, one by one: each of them decides whether it can spare an owner.
alter table core.members drop constraint members_user_id_fkey,
  add foreign key (user_id) references core.users on delete restrict;
grant delete on core.users to auth_work;
grant select (created_at) on core.members to core_lookup;
grant select (replaces_id) on core.api_keys to core_lookup;

-- Owner of the one function that deletes rows of organisations. What it may delete is said by policies: rows of organisations
-- that were given up, which the check on core.orgs lets nobody do earlier than 30 days after the deletion.
do $$
begin
  if not exists (select from pg_roles where rolname = 'core_purge') then
    create role core_purge nologin noinherit nobypassrls;
  end if;
end
$$;
grant usage on schema core, scan, webhook to core_purge;
create index orgs_purged on core.orgs (purged_at) where purged_at is not null;
create policy orgs_purge on core.orgs for select to core_purge using (purged_at is not null);
grant select (id, purged_at) on core.orgs to core_purge;
do $$
declare
  target record;
begin
  for target in
    select n.nspname, c.relname
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
    where n.nspname in ('core', 'scan', 'webhook') and c.relkind = 'r'
      and (n.nspname, c.relname) not in (('core', 'audit_log'), ('core', 'audit_heads'))
  loop
    execute format(
      'create policy %I on %I.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      target.relname || '_purge', target.nspname, target.relname);
    execute format('grant delete, select (org_id, ctid) on %I.%I to core_purge', target.nspname, target.relname);
  end loop;
end
$$;

create function core.purge_org_rows(wanted_org_id uuid, most integer)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target   regclass;
  affected bigint;
  deleted  bigint := 0;
begin
  for target in -- younger tables first: rows that others point at go last, so that no deletion takes many along
    select c.oid::regclass
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
    where c.relkind = 'r' and has_table_privilege(c.oid, 'delete')
    order by c.oid desc
  loop
    execute format('delete from %s where ctid = any(array(select ctid from %s where org_id = $1 limit $2))', target, target)
      using wanted_org_id, most - deleted;
    get diagnostics affected = row_count;
    deleted := deleted + affected;
    exit when deleted >= most;
  end loop;
  return deleted;
end
$$;
comment on function core.purge_org_rows is 'Deletes some of the rows of an organisation that was given up; says how many, 0 when none is left.';

create function core.list_orgs_to_purge(most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id
  from core.orgs o
  where o.deleted_at <= now() - interval '720 hours' and o.emptied_at is null
  order by o.deleted_at
  limit most
$$;
comment on function core.list_orgs_to_purge is 'Organisations that were deleted 30 days ago and still hold rows, oldest first.';

create function core.list_all_orgs(wanted_search text, wanted_state text, after_id uuid, page_size integer)
returns table (
  id uuid, name text, plan text, created_at timestamptz, deleted_at timestamptz, purged_at timestamptz, members bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.name, o.plan, o.created_at, o.deleted_at, o.purged_at,
    (select count(*) from core.members m where m.org_id = o.id)
  from core.orgs o
  where (after_id is null or o.id < after_id)
    and (wanted_search is null or strpos(lower(o.name), lower(wanted_search)) > 0)
    and (wanted_state is null or wanted_state = case
      when o.purged_at is not null then 'purged' when o.deleted_at is not null then 'deleted' else 'live' end)
  order by o.id desc
  limit page_size
$$;
comment on function core.list_all_orgs is 'All organisations for the people who run the platform, newest first, one page.';

create function core.list_memberships(wanted_user_id uuid)
returns table (org_id uuid, name text, role text, deleted_at timestamptz, is_only_owner boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.name, m.role, o.deleted_at,
    m.role = 'owner' and not exists (
      select from core.members other
      join core.users u on u.id = other.user_id and u.disabled_at is null
      where other.org_id = o.id and other.role = 'owner' and other.user_id <> m.user_id)
  from core.members m
  join core.orgs o on o.id = m.org_id
  where m.user_id = wanted_user_id
  order by o.id
$$;
comment on function core.list_memberships is 'Every organisation that a person belongs to, deleted ones too, and whether it would be left without an owner.';

create function core.count_usage(wanted_org_id uuid)
returns table (cloud_accounts bigint, state_sources bigint, schedules bigint, api_keys bigint, concurrent_scans bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select
    (select count(*) from scan.cloud_accounts a where a.org_id = wanted_org_id),
    (select count(*) from scan.state_sources s where s.org_id = wanted_org_id),
    cast(0 as bigint), -- nothing is scheduled yet
    (select count(*)
     from core.api_keys k
     left join core.api_keys n on n.org_id = k.org_id and n.replaces_id = k.id and n.revoked_at is null
       and (n.expires_at is null or n.expires_at > now())
     where k.org_id = wanted_org_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and n.id is null),
    (select count(*) from scan.scans s where s.org_id = wanted_org_id and s.status in ('pending', 'running', 'comparing'))
$$;
comment on function core.count_usage is 'What one organisation uses of what its plan limits, where other functions keep it; as they count it themselves.';

revoke execute on function core.purge_org_rows(uuid, integer), core.list_orgs_to_purge(integer),
  core.list_all_orgs(text, text, uuid, integer), core.list_memberships(uuid), core.count_usage(uuid) from public;
grant execute on function core.purge_org_rows(uuid, integer), core.list_orgs_to_purge(integer),
  core.list_all_orgs(text, text, uuid, integer), core.list_memberships(uuid), core.count_usage(uuid) to auth_login;

-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup, core_purge to current_user with inherit false, set true;
grant create on schema core to core_lookup, core_purge;
alter function core.purge_org_rows(uuid, integer) owner to core_purge;
alter function core.list_orgs_to_purge(integer) owner to core_lookup;
alter function core.list_all_orgs(text, text, uuid, integer) owner to core_lookup;
alter function core.list_memberships(uuid) owner to core_lookup;
alter function core.count_usage(uuid) owner to core_lookup;
revoke create on schema core from core_lookup, core_purge;
revoke core_lookup, core_purge from current_user;
