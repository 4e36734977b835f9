-- owner: scan | locks: core.orgs, briefly (foreign keys)
set local lock_timeout = '5s';

create table scan.cloud_accounts (
  org_id                uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                    uuid not null default uuidv7(),
  provider              text not null check (provider in ('aws')),
  name                  text not null check (length(name) between 1 and 100),
  external_account      text not null check (external_account ~ '^[0-9]{12}$'),
  regions               text[] not null check (cardinality(regions) between 1 and 50),
  auth_kind             text not null check (auth_kind in ('static_key', 'role')),
  role_arn              text check (length(role_arn) <= 2048),
  external_id           text check (length(external_id) between 2 and 1224),
  credentials_encrypted bytea,
  verified_at           timestamptz,
  created_at            timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, provider, external_account),
  check ((auth_kind = 'role') = (role_arn is not null)),
  check ((auth_kind = 'static_key') = (credentials_encrypted is not null))
);
comment on table scan.cloud_accounts is 'Cloud accounts to scan; credentials only as ciphertext.';

create table scan.state_sources (
  org_id            uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                uuid not null default uuidv7(),
  account_id        uuid not null,
  kind              text not null check (kind in ('upload', 's3')),
  name              text not null check (length(name) between 1 and 100),
  bucket            text check (length(bucket) <= 63),
  object_key        text check (length(object_key) <= 1024),
  bucket_region     text check (length(bucket_region) <= 30),
  serial            bigint,
  lineage           text,
  terraform_version text,
  content_hash      bytea check (octet_length(content_hash) = 32),
  resource_count    integer not null default 0,
  fetched_at        timestamptz,
  error_code        text,
  error_detail      text,
  created_at        timestamptz not null default now(),
  primary key (org_id, id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  check ((kind = 's3') = (bucket is not null and object_key is not null))
);
comment on table scan.state_sources is 'Where Terraform states come from, with the outcome of the last fetch.';
create index state_sources_account on scan.state_sources (org_id, account_id);

create table scan.state_resources (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  source_id    uuid not null,
  address      text not null check (length(address) <= 2000),
  part         integer not null default 0,
  type         text not null,
  key          text,
  attributes   jsonb not null,
  sensitive    text[] not null default '{}',
  parent       text[] check (cardinality(parent) = 3),
  account      text,
  region       text,
  primary key (org_id, source_id, address, part),
  foreign key (org_id, source_id) references scan.state_sources (org_id, id) on delete cascade
);
comment on table scan.state_resources is 'What states declare: compared attributes only, sensitive values as keyed digests.';

create table scan.scans (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id           uuid not null default uuidv7(),
  account_id   uuid not null,
  status       text not null default 'pending' check (status in ('pending', 'running', 'comparing', 'done', 'failed', 'cancelled')),
  requested_by text not null default '',
  shards_total integer not null default 0,
  shards_done  integer not null default 0,
  resources    integer not null default 0,
  summary      jsonb not null default '{}',
  error_code   text,
  created_at   timestamptz not null default now(),
  started_at   timestamptz,
  finished_at  timestamptz,
  primary key (org_id, id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade
);
comment on table scan.scans is 'One scan of one account: its progress and outcome.';
create index scans_account on scan.scans (org_id, account_id);
create unique index scans_one_active on scan.scans (org_id, account_id) where status in ('pending', 'running', 'comparing');
create index scans_active on scan.scans (created_at) where status in ('pending', 'running', 'comparing');

create table scan.shards (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id          uuid not null default uuidv7(),
  scan_id     uuid not null,
  service     text not null,
  region      text not null,
  status      text not null default 'pending' check (status in ('pending', 'running', 'done', 'failed')),
  attempts    integer not null default 0,
  resources   integer not null default 0,
  started_at  timestamptz,
  finished_at timestamptz,
  primary key (org_id, id),
  unique (org_id, scan_id, service, region),
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.shards is 'The parts of a scan: one service of one region, or one state source.';
create index shards_open on scan.shards (started_at) where status in ('pending', 'running');

create table scan.live_resources (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id uuid not null,
  type       text not null,
  key        text not null check (length(key) <= 4000),
  region     text not null,
  cloud_id   text not null,
  attributes jsonb not null,
  tags       jsonb not null default '{}',
  cloud_made boolean not null default false,
  parent     text[] check (cardinality(parent) = 3),
  aliases    jsonb not null default '[]',
  scan_id    uuid not null,
  primary key (org_id, account_id, type, key),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.live_resources is 'What the last scan saw in a cloud account.';
create index live_resources_scan on scan.live_resources (org_id, scan_id, type, key);

create table scan.gaps (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id         uuid not null default uuidv7(),
  scan_id    uuid not null,
  shard_id   uuid not null,
  types      text[] not null,
  key        text,
  attributes text[] not null default '{}',
  region     text not null,
  reason     text not null,
  permission text,
  detail     text not null default '',
  primary key (org_id, id),
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade,
  foreign key (org_id, shard_id) references scan.shards (org_id, id) on delete cascade
);
comment on table scan.gaps is 'What a scan could not read, and why; without a key, whole types of a region.';
create index gaps_scan on scan.gaps (org_id, scan_id);
create index gaps_shard on scan.gaps (org_id, shard_id);

create table scan.drift_items (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id            uuid not null default uuidv7(),
  account_id    uuid not null,
  scan_id       uuid not null,
  kind          text not null check (kind in ('missing', 'unmanaged', 'changed')),
  type          text not null,
  key           text not null,
  address       text,
  cloud_id      text,
  region        text,
  path          text,
  before        jsonb,
  after         jsonb,
  is_sensitive  boolean not null default false,
  severity      text not null check (severity in ('low', 'medium', 'high', 'critical')),
  rule          text not null,
  status        text not null default 'open' check (status in ('open', 'fixed')),
  fingerprint   bytea not null check (octet_length(fingerprint) = 32),
  first_seen_at timestamptz not null default now(),
  last_seen_at  timestamptz not null default now(),
  fixed_at      timestamptz,
  primary key (org_id, id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.drift_items is 'One difference between state and cloud, from when it was first seen until it is gone.';
create unique index drift_items_open on scan.drift_items (org_id, account_id, fingerprint) where status = 'open';
create index drift_items_account on scan.drift_items (org_id, account_id);
create index drift_items_scan on scan.drift_items (org_id, scan_id);

do $$
declare
  name text;
begin
  foreach name in array array['cloud_accounts', 'state_sources', 'state_resources', 'scans', 'shards', 'live_resources',
                              'gaps', 'drift_items'] loop
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
  end loop;
end
$$;

grant select, delete,
  insert (provider, name, external_account, regions, auth_kind, role_arn, external_id, credentials_encrypted, id),
  update (name, regions, role_arn, external_id, credentials_encrypted, verified_at) on scan.cloud_accounts to scan_work;
grant select, delete, insert (account_id, kind, name, bucket, object_key, bucket_region),
  update (serial, lineage, terraform_version, content_hash, resource_count, fetched_at, error_code, error_detail)
  on scan.state_sources to scan_work;
grant select, delete, insert (source_id, address, part, type, key, attributes, sensitive, parent, account, region)
  on scan.state_resources to scan_work;
grant select, insert (account_id, requested_by, shards_total),
  update (status, shards_done, resources, summary, error_code, started_at, finished_at) on scan.scans to scan_work;
grant select, insert (scan_id, service, region), update (status, attempts, resources, started_at, finished_at)
  on scan.shards to scan_work;
grant select, delete, insert (account_id, type, key, region, cloud_id, attributes, tags, cloud_made, parent, aliases, scan_id),
  update (region, cloud_id, attributes, tags, cloud_made, parent, aliases, scan_id) on scan.live_resources to scan_work;
grant select, delete, insert (scan_id, shard_id, types, key, attributes, region, reason, permission, detail)
  on scan.gaps to scan_work;
grant select,
  insert (account_id, scan_id, kind, type, key, address, cloud_id, region, path, before, after, is_sensitive, severity, rule, fingerprint),
  update (scan_id, address, cloud_id, region, before, after, severity, rule, status, last_seen_at, fixed_at)
  on scan.drift_items to scan_work;

create policy scans_lookup on scan.scans for select to core_lookup using (true);
grant select (org_id, id, status, created_at) on scan.scans to core_lookup;

create function scan.list_orgs_with_active_scans(most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.org_id
  from scan.scans s
  where s.status in ('pending', 'running', 'comparing')
  group by s.org_id
  order by min(s.created_at)
  limit most
$$;
comment on function scan.list_orgs_with_active_scans is 'Organisations with a scan under way, for the sweeper.';
revoke execute on function scan.list_orgs_with_active_scans(integer) from public;
grant execute on function scan.list_orgs_with_active_scans(integer) to scan_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_active_scans(integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
