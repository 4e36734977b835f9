-- owner: scan | locks: scan.scans and scan.drift_items, briefly (a column, a foreign key, indexes while they are built)
-- Scans that start by themselves, and what is no longer kept of them; see ADR-0029.
set local lock_timeout = '5s';

create table scan.schedules (
  org_id           uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id               uuid not null default uuidv7(),
  account_id       uuid not null,
  name             text not null check (length(name) between 1 and 100),
  cron             text not null check (length(cron) between 9 and 100),
  time_zone        text not null default 'UTC' check (length(time_zone) between 1 and 64),
  jitter_seconds   integer not null default 300 check (jitter_seconds between 0 and 3600),
  next_run_at      timestamptz,
  last_due_at      timestamptz,
  last_scan_id     uuid,
  last_outcome     text check (last_outcome in ('running', 'done', 'failed', 'cancelled', 'skipped', 'waiting', 'over_plan')),
  failures         integer not null default 0 check (failures >= 0),
  disabled_at      timestamptz,
  disabled_because text check (disabled_because in ('person', 'failing', 'never')),
  created_at       timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  check ((disabled_at is null) = (disabled_because is null)),
  check ((disabled_at is null) = (next_run_at is not null))
);
comment on table scan.schedules is 'When an account is scanned by itself: five fields of cron on the clock of a time zone.';
comment on column scan.schedules.jitter_seconds is 'At most so much later a run starts; how much follows from the id and is always the same.';
comment on column scan.schedules.last_due_at is 'When the last run was due; runs that were missed before it are not made up for.';
comment on column scan.schedules.last_scan_id is 'The scan of the last run; it may no longer be kept.';
comment on column scan.schedules.failures is 'Scans in a row that failed or could read nothing.';
create index schedules_account on scan.schedules (org_id, account_id);
create index schedules_last_scan on scan.schedules (org_id, last_scan_id) where last_outcome = 'running';
create index schedules_due on scan.schedules (next_run_at) where next_run_at is not null;

do $$
declare
  name text;
begin
  foreach name in array array['schedules'] loop
    execute format('alter table scan.%I enable row level security', name);
    execute format('alter table scan.%I force row level security', name);
    execute format(
      'create policy %I on scan.%I as restrictive to scan_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on scan.%I to scan_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format('create policy %I on scan.%I for select to core_lookup using (true)', name || '_lookup', name);
    execute format(
      'create policy %I on scan.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on scan.%I to core_purge', name);
  end loop;
end
$$;

grant select, delete, insert (id, account_id, name, cron, time_zone, jitter_seconds, next_run_at, created_at),
  update (name, cron, time_zone, jitter_seconds, next_run_at, last_due_at, last_scan_id, last_outcome, failures, disabled_at,
          disabled_because)
  on scan.schedules to scan_work;
grant select (org_id, next_run_at) on scan.schedules to core_lookup;

-- What a plan no longer keeps: scans by when they began, drift by when it was gone. Open drift stays, however old.
grant delete on scan.scans, scan.drift_items to scan_work;
create index scans_created on scan.scans (org_id, created_at);
create index drift_items_fixed on scan.drift_items (org_id, fixed_at) where status = 'fixed';
create index drift_items_seen on scan.drift_items (org_id, first_seen_at);
create policy drift_items_lookup on scan.drift_items for select to core_lookup using (true);
grant select (org_id, status, fixed_at) on scan.drift_items to core_lookup;
grant select (account_id) on scan.scans to core_lookup;

create function scan.list_orgs_with_due_schedules(due_at timestamptz, after_id uuid, most integer)
returns table (org_id uuid, plan text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.plan
  from scan.schedules s
  join core.orgs o on o.id = s.org_id and o.deleted_at is null
  where s.next_run_at <= due_at and (after_id is null or o.id > after_id)
  group by o.id, o.plan
  order by o.id
  limit most
$$;
comment on function scan.list_orgs_with_due_schedules is 'Organisations with a scan that is to start by itself, in order of id, one page.';

-- An organisation is listed as long as it has a scan that began too long ago and is not the last of its account, or drift that
-- was fixed too long ago. A scan may stay all the same, as open drift points at it: pages go on by id, so that costs a look.
create function scan.list_orgs_to_purge(free_before timestamptz, team_before timestamptz, after_id uuid, most integer)
returns table (org_id uuid, plan text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.plan
  from core.orgs o
  where (after_id is null or o.id > after_id) and o.plan in ('free', 'team')
    and (
      exists (
        select from scan.scans s
        where s.org_id = o.id and s.created_at < case o.plan when 'free' then free_before else team_before end
          and exists (select from scan.scans later where later.org_id = o.id and later.account_id = s.account_id and later.id > s.id)
      )
      or exists (
        select from scan.drift_items d
        where d.org_id = o.id and d.status = 'fixed'
          and d.fixed_at < case o.plan when 'free' then free_before else team_before end
      )
    )
  order by o.id
  limit most
$$;
comment on function scan.list_orgs_to_purge is 'Organisations with scans or fixed drift older than their plan keeps them, in order of id, one page.';

revoke execute on function scan.list_orgs_with_due_schedules(timestamptz, uuid, integer),
  scan.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) from public;
grant execute on function scan.list_orgs_with_due_schedules(timestamptz, uuid, integer),
  scan.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) to scan_login;
-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_due_schedules(timestamptz, uuid, integer) owner to core_lookup;
alter function scan.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
