-- owner: scan | locks: core.orgs, scan.cloud_accounts, scan.scans, scan.state_resources, scan.live_resources, scan.drift_items, briefly
-- What an index of the cloud lists beyond what readers read; see ADR-0031.
set local lock_timeout = '5s';

create table scan.inventory (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id uuid not null,
  arn        text not null check (length(arn) <= 2048),
  name       text not null check (length(name) <= 2048),
  type       text collate "C" not null check (length(type) <= 200),
  region     text not null,
  scan_id    uuid not null,
  primary key (org_id, account_id, arn),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.inventory is 'What Resource Explorer and the tagging API list: names only.';
create index inventory_scan on scan.inventory (org_id, scan_id, arn);

do $$
declare
  name text;
begin
  foreach name in array array['inventory'] loop
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
    execute format(
      'create policy %I on scan.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on scan.%I to core_purge', name);
  end loop;
end
$$;

grant select, delete, insert (account_id, arn, name, type, region, scan_id), update (name, type, region, scan_id)
  on scan.inventory to scan_work;

create index live_resources_cloud_id on scan.live_resources (org_id, account_id, cloud_id);
create index state_resources_arn on scan.state_resources (org_id, (attributes ->> 'arn')) where attributes ->> 'arn' is not null;
create index state_resources_id on scan.state_resources (org_id, (attributes ->> 'id')) where attributes ->> 'id' is not null;
