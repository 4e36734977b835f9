-- owner: scan | locks: core.orgs, scan.cloud_accounts, scan.scans, scan.state_resources, scan.drift_items, briefly
-- What the second detector remembers; see ADR-0031.
set local lock_timeout = '5s';

create table scan.live_documents (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id    uuid not null,
  type          text collate "C" not null,
  key           text collate "C" not null check (length(key) <= 4000),
  region        text not null,
  cloud_id      text not null,
  is_there      boolean not null default true,
  document      jsonb not null check (pg_column_size(document) <= 1048576),
  document_hash bytea not null check (octet_length(document_hash) = 32),
  covered       text[] not null default '{}',
  source        text not null check (length(source) between 1 and 100),
  read_at       timestamptz not null default now(),
  scan_id       uuid not null,
  primary key (org_id, account_id, type, key),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade,
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.live_documents is 'What a cloud said of a resource, canonical, without what changes by itself, secrets as keyed digests.';
comment on column scan.live_documents.is_there is 'False when the cloud said that there is none, of a resource that was asked for by itself.';
comment on column scan.live_documents.covered is 'Members that attributes are made of, so that the first detector sees them.';
create index live_documents_scan on scan.live_documents (org_id, scan_id, type, key);

create table scan.baselines (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id    uuid not null,
  type          text collate "C" not null,
  key           text collate "C" not null check (length(key) <= 4000),
  document      jsonb not null check (pg_column_size(document) <= 1048576),
  document_hash bytea not null check (octet_length(document_hash) = 32),
  source        text not null check (length(source) between 1 and 100),
  declared      jsonb not null,
  covered       text[] not null default '{}',
  taken_at      timestamptz not null default now(),
  primary key (org_id, account_id, type, key),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade
);
comment on table scan.baselines is 'The live document of a declared resource as it was when the state last changed it.';
comment on column scan.baselines.declared is 'Keyed digests of what the states said of it then, one per declaring instance.';

do $$
declare
  name text;
begin
  foreach name in array array['live_documents', 'baselines'] loop
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

grant select, delete,
  insert (account_id, type, key, region, cloud_id, is_there, document, document_hash, covered, source, scan_id),
  update (region, cloud_id, is_there, document, document_hash, covered, source, read_at, scan_id)
  on scan.live_documents to scan_work;
grant select, delete,
  insert (account_id, type, key, document, document_hash, source, declared, covered),
  update (document, document_hash, source, declared, covered, taken_at)
  on scan.baselines to scan_work;

alter table scan.state_resources
  add column fingerprints jsonb,
  add column taken_at timestamptz not null default now();
comment on column scan.state_resources.fingerprints is 'Keyed digests of all that the state says of it; null when it came in before there were any.';
comment on column scan.state_resources.taken_at is 'When what the state says came in.';
grant insert (fingerprints) on scan.state_resources to scan_work;

alter table scan.drift_items
  add column detector text not null default 'declared' check (detector in ('declared', 'baseline', 'inventory'));
comment on column scan.drift_items.detector is
  'declared: state against cloud; baseline: cloud against what it was when the state last changed; inventory: what only an index lists.';
grant insert (detector) on scan.drift_items to scan_work;
