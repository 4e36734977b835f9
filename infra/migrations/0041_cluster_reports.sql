-- owner: scan | locks: core.orgs, scan.cloud_accounts, core.api_keys, briefly (foreign keys, a check that is validated on a small table)
-- What the operator in a Kubernetes cluster reports; see ADR-0042.
set local lock_timeout = '5s';

alter table core.api_keys
  drop constraint api_keys_scopes_check,
  add constraint api_keys_scopes_check check (
    cardinality(scopes) between 1 and 3 and scopes <@ array['read', 'write', 'admin', 'report']
    and (not scopes @> array['report'] or cardinality(scopes) = 1));

create table scan.cluster_reports (
  org_id           uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id       uuid not null,
  id               uuid not null,
  parts            integer not null default 0 check (parts >= 0),
  last_hash        bytea not null check (octet_length(last_hash) = 32),
  objects          integer not null default 0 check (objects >= 0),
  object_bytes     bigint not null default 0 check (object_bytes >= 0),
  kinds            text[] not null default '{}' check (cardinality(kinds) <= 500),
  failures         jsonb not null default '[]' check (jsonb_typeof(failures) = 'array'),
  server_version   text not null default '' check (length(server_version) <= 100),
  operator_version text not null default '' check (length(operator_version) <= 100),
  began_at         timestamptz not null,
  received_at      timestamptz not null,
  completed_at     timestamptz,
  primary key (org_id, account_id, id),
  foreign key (org_id, account_id) references scan.cloud_accounts (org_id, id) on delete cascade
);
comment on table scan.cluster_reports is 'Reports of operators: the last whole one of each cluster, and one that is coming in.';
comment on column scan.cluster_reports.parts is 'How many parts were taken, one after the other; those after completion are changes.';
comment on column scan.cluster_reports.last_hash is 'SHA-256 of the last part, by which a repeated one is known.';
comment on column scan.cluster_reports.received_at is 'When the operator was last heard of.';

create table scan.cluster_objects (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id   uuid not null,
  report_id    uuid not null,
  kind         text collate "C" not null check (length(kind) between 1 and 320),
  key          text collate "C" not null check (length(key) between 1 and 520),
  object       jsonb not null,
  object_bytes integer not null check (object_bytes > 0),
  primary key (org_id, account_id, report_id, kind, key),
  foreign key (org_id, account_id, report_id) references scan.cluster_reports (org_id, account_id, id) on delete cascade
);
comment on table scan.cluster_objects is 'Objects of a cluster as its operator reported them: no values of secrets, no status.';
comment on column scan.cluster_objects.kind is 'Kind and API group, e.g. `Deployment.apps`; the group is left out for core.';
comment on column scan.cluster_objects.key is 'Namespace and name, or the name alone where there are no namespaces.';

do $$
declare
  name text;
begin
  foreach name in array array['cluster_reports', 'cluster_objects'] loop
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
  insert (account_id, id, last_hash, began_at, received_at),
  update (parts, last_hash, objects, object_bytes, kinds, failures, server_version, operator_version, received_at, completed_at)
  on scan.cluster_reports to scan_work;
grant select, delete,
  insert (account_id, report_id, kind, key, object, object_bytes),
  update (object, object_bytes)
  on scan.cluster_objects to scan_work;
