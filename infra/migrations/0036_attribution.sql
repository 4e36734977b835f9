-- owner: scan | locks: scan.drift_items, scan.cloud_accounts, scan.scans, briefly
-- Who made a drift, as CloudTrail tells; looked up after the scan, at CloudTrail's pace; see ADR-0032.
set local lock_timeout = '5s';

alter table scan.drift_items
  add column attribution_status text not null default 'pending' check (attribution_status in ('pending', 'found', 'unknown')),
  add column attribution jsonb not null default '{}' check (pg_column_size(attribution) <= 16384),
  add column attribution_due_at timestamptz default now(),
  add column value_seen_at timestamptz;
comment on column scan.drift_items.attribution is 'The recorded call that explains the drift, or why there is none.';
comment on column scan.drift_items.attribution_due_at is 'When to look (again) for who made it; null when nothing more is to be learned.';
create index drift_items_attribution_due on scan.drift_items (org_id, account_id, attribution_due_at)
  where status = 'open' and attribution_due_at is not null;
comment on column scan.drift_items.value_seen_at is 'When the value as it is now was first seen; null when the item never showed another.';
grant update (attribution_status, attribution, attribution_due_at, value_seen_at) on scan.drift_items to scan_work;

alter table scan.cloud_accounts add column attribution_leased_until timestamptz;
comment on column scan.cloud_accounts.attribution_leased_until is 'Until when one worker alone asks who made the drift of this account.';
grant update (attribution_leased_until) on scan.cloud_accounts to scan_work;

grant select (org_id, status, attribution_due_at) on scan.drift_items to core_lookup;

create function scan.list_orgs_with_due_attributions(most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select i.org_id
  from scan.drift_items i
  where i.status = 'open' and i.attribution_due_at <= now()
  group by i.org_id
  order by min(i.attribution_due_at)
  limit most
$$;
comment on function scan.list_orgs_with_due_attributions is 'Organisations with drift whose maker is to be looked up, for the sweeper.';
revoke execute on function scan.list_orgs_with_due_attributions(integer) from public;
grant execute on function scan.list_orgs_with_due_attributions(integer) to scan_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_due_attributions(integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;

-- A suspected change is read once more before it is reported.
alter table scan.scans add column readings smallint not null default 1 check (readings in (1, 2));
comment on column scan.scans.readings is 'How often the cloud was read: twice where the first comparison found something new.';
grant update (readings) on scan.scans to scan_work;
