-- owner: scan | locks: core.orgs, scan.cloud_accounts, briefly (foreign keys)
-- Feeds of Google's Cloud Asset Inventory that tell of changes, and so start scans; see ADR-0043.
set local lock_timeout = '5s';

create table scan.asset_feeds (
  org_id          uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id              uuid not null default uuidv7(),
  account_id      uuid not null,
  push_account    text not null check (length(push_account) between 1 and 300),
  disabled_at     timestamptz,
  welcomed_at     timestamptz,
  pending_since   timestamptz,
  changed_at      timestamptz,
  due_at          timestamptz,
  read_until      timestamptz,
  last_started_at timestamptz,
  last_scan_id    uuid,
  created_at      timestamptz not null,
  primary key (org_id, id),
  unique (org_id, account_id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  check ((due_at is null) = (pending_since is null)),
  check (pending_since is null or (changed_at is not null and disabled_at is null))
);
comment on table scan.asset_feeds is 'Where a customer''s Pub/Sub tells of changes in an account, and the one scan that waits because of them.';
comment on column scan.asset_feeds.push_account is 'The customer''s service account whose tokens prove a push.';
comment on column scan.asset_feeds.welcomed_at is 'When the message came that Google sends to a feed that was just made.';
comment on column scan.asset_feeds.pending_since is 'Since when changes wait for a scan; null when none do.';
comment on column scan.asset_feeds.changed_at is 'The latest change that was told, but for a few seconds within a burst.';
comment on column scan.asset_feeds.read_until is 'Changes until then were there to be read when the last scan began.';
comment on column scan.asset_feeds.last_scan_id is 'The scan that changes started last; it may no longer be kept.';
create index asset_feeds_id on scan.asset_feeds (id);
create index asset_feeds_due on scan.asset_feeds (due_at) where due_at is not null;

alter table scan.asset_feeds enable row level security;
alter table scan.asset_feeds force row level security;
create policy asset_feeds_floor on scan.asset_feeds as restrictive to scan_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy asset_feeds_org on scan.asset_feeds to scan_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy asset_feeds_lookup on scan.asset_feeds for select to core_lookup using (true);
create policy asset_feeds_purge on scan.asset_feeds to core_purge using (org_id in (select id from core.orgs where purged_at is not null));
grant delete, select (org_id, ctid) on scan.asset_feeds to core_purge;

grant select, delete, insert (id, account_id, push_account, disabled_at, created_at),
  update (push_account, disabled_at, welcomed_at, pending_since, changed_at, due_at, read_until, last_started_at, last_scan_id)
  on scan.asset_feeds to scan_work;
grant select (org_id, id, push_account, disabled_at, welcomed_at, pending_since, changed_at, due_at, read_until, last_started_at)
  on scan.asset_feeds to core_lookup;

create function scan.find_asset_feed(wanted_id uuid)
returns table (
  org_id uuid, plan text, push_account text, disabled_at timestamptz, welcomed_at timestamptz, pending_since timestamptz,
  changed_at timestamptz, read_until timestamptz, last_started_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select f.org_id, o.plan, f.push_account, f.disabled_at, f.welcomed_at, f.pending_since, f.changed_at, f.read_until, f.last_started_at
  from scan.asset_feeds f
  join core.orgs o on o.id = f.org_id and o.deleted_at is null
  where f.id = wanted_id
$$;
comment on function scan.find_asset_feed is 'The one feed with this id: whose it is, who may push to it, and what it knows already.';

create function scan.list_orgs_with_due_asset_feeds(due_before timestamptz, after_id uuid, most integer)
returns table (org_id uuid, plan text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.plan
  from scan.asset_feeds f
  join core.orgs o on o.id = f.org_id and o.deleted_at is null
  where f.due_at <= due_before and (after_id is null or o.id > after_id)
  group by o.id, o.plan
  order by o.id
  limit most
$$;
comment on function scan.list_orgs_with_due_asset_feeds is 'Organisations with a scan that changes asked for, in order of id, one page.';

revoke execute on function scan.find_asset_feed(uuid), scan.list_orgs_with_due_asset_feeds(timestamptz, uuid, integer) from public;
grant execute on function scan.find_asset_feed(uuid), scan.list_orgs_with_due_asset_feeds(timestamptz, uuid, integer) to scan_login;
-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.find_asset_feed(uuid) owner to core_lookup;
alter function scan.list_orgs_with_due_asset_feeds(timestamptz, uuid, integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
