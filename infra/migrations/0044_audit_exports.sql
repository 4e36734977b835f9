-- owner: auth | locks: core.audit_log: writes wait while a small index is built; core.orgs, core.api_keys, scan.cloud_accounts,
-- scan.scans, scan.drift_items and scim.tokens, briefly (a foreign key, policies)
-- Packs for auditors, built in the background and kept for a week; see ADR-0046.
set local lock_timeout = '5s';

create table core.audit_exports (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id            uuid not null default uuidv7(),
  requested_by  text not null check (length(requested_by) between 1 and 200),
  from_at       timestamptz not null,
  to_at         timestamptz not null,
  status        text not null default 'pending' check (status in ('pending', 'running', 'done', 'failed')),
  section       integer not null default 0 check (section >= 0),
  progress      jsonb not null default '{}' check (pg_column_size(progress) <= 4096),
  files         integer not null default 0 check (files >= 0),
  content_bytes bigint not null default 0 check (content_bytes >= 0),
  packed_bytes  bigint not null default 0 check (packed_bytes >= 0),
  tries         integer not null default 0 check (tries >= 0),
  lease_id      uuid,
  leased_until  timestamptz,
  error_code    text check (length(error_code) between 1 and 60),
  created_at    timestamptz not null,
  started_at    timestamptz,
  finished_at   timestamptz,
  expires_at    timestamptz not null,
  primary key (org_id, id),
  check (from_at < to_at),
  check ((status = 'failed') = (error_code is not null)),
  check ((status in ('done', 'failed')) = (finished_at is not null))
);
comment on table core.audit_exports is 'Packs for auditors: which window, how far each is built, until when it is kept.';
comment on column core.audit_exports.section is 'How many sections of the pack are whole.';
comment on column core.audit_exports.progress is 'Where the section at work goes on.';
comment on column core.audit_exports.packed_bytes is 'How long the ZIP is so far; its whole length once it is done.';
comment on column core.audit_exports.tries is 'How often work was begun since a file was last stored.';
create index audit_exports_open on core.audit_exports (created_at) where status in ('pending', 'running');
create index audit_exports_expires on core.audit_exports (expires_at);

create table core.audit_export_parts (
  org_id            uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  export_id         uuid not null,
  number            integer not null check (number > 0),
  id                uuid not null,
  path              text not null check (length(path) between 1 and 200),
  rows              integer check (rows >= 0),
  content_bytes     integer not null check (content_bytes >= 0),
  content_sha256    bytea not null check (octet_length(content_sha256) = 32),
  content_crc32     bigint not null check (content_crc32 between 0 and 4294967295),
  packed_bytes      integer not null check (packed_bytes >= 0),
  content_encrypted bytea not null check (octet_length(content_encrypted) <= 67108864),
  primary key (org_id, export_id, number),
  unique (org_id, export_id, path),
  foreign key (org_id, export_id) references core.audit_exports (org_id, id) on delete cascade
);
comment on table core.audit_export_parts is 'The ZIP of a pack in parts that follow each other, each sealed: one file, or its directory.';
comment on column core.audit_export_parts.path is 'The file''s name in the ZIP.';
comment on column core.audit_export_parts.packed_bytes is 'How long the part is in the ZIP.';
comment on column core.audit_export_parts.content_encrypted is 'The bytes of the part in the ZIP, sealed.';

do $$
declare
  name text;
begin
  foreach name in array array['audit_exports', 'audit_export_parts'] loop
    execute format('alter table core.%I enable row level security', name);
    execute format('alter table core.%I force row level security', name);
    execute format(
      'create policy %I on core.%I as restrictive to auth_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on core.%I to auth_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format(
      'create policy %I on core.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on core.%I to core_purge', name);
  end loop;
end
$$;

grant select, delete, insert (id, requested_by, from_at, to_at, created_at, expires_at),
  update (status, section, progress, files, content_bytes, packed_bytes, tries, lease_id, leased_until, error_code, started_at, finished_at)
  on core.audit_exports to auth_work;
grant select, delete,
  insert (export_id, number, id, path, rows, content_bytes, content_sha256, content_crc32, packed_bytes, content_encrypted)
  on core.audit_export_parts to auth_work;

-- What a pack tells of others' tables: auth reads these columns and writes none. No credential, no hash, no value of a resource.
grant usage on schema scan to auth_work;
do $$
declare
  place text;
begin
  foreach place in array array['core.api_keys', 'scan.cloud_accounts', 'scan.scans', 'scan.drift_items', 'scim.tokens'] loop
    execute format(
      'create policy %I on %s as restrictive to auth_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', split_part(place, '.', 2) || '_auth_floor', place);
    execute format(
      'create policy %I on %s to auth_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', split_part(place, '.', 2) || '_auth_org', place);
  end loop;
end
$$;
grant select (org_id, id, public_id, name, scopes, cidrs, created_by, created_at, expires_at, last_used_at, revoked_at, replaces_id)
  on core.api_keys to auth_work;
grant select (org_id, id, public_id, name, created_by, created_at, expires_at, last_used_at, revoked_at) on scim.tokens to auth_work;
grant select (org_id, id, provider, name, external_account) on scan.cloud_accounts to auth_work;
grant select (org_id, id, account_id, status, requested_by, shards_total, shards_done, resources, summary, error_code, created_at,
              started_at, finished_at)
  on scan.scans to auth_work;
grant select (org_id, id, account_id, scan_id, kind, type, key, address, cloud_id, region, path, is_sensitive, severity, rule, status,
              first_seen_at, last_seen_at, fixed_at, ignore_rule_id, ignored_until, acknowledged_at, acknowledged_by, assignee, note,
              attribution_status, attribution)
  on scan.drift_items to auth_work;

-- How members came is told by few entries among many.
create index audit_log_joins on core.audit_log (org_id, seq)
  where action in ('auth:member:joined', 'scim:member:joined', 'auth:org:created');

create policy audit_exports_lookup on core.audit_exports for select to core_lookup using (true);
grant select (org_id, id, status, created_at, leased_until, expires_at) on core.audit_exports to core_lookup;

create function core.list_audit_exports_to_tend(waiting_since timestamptz, now_at timestamptz, most integer)
returns table (org_id uuid, export_id uuid, is_over boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.org_id, e.id, e.expires_at <= now_at
  from core.audit_exports e
  where e.expires_at <= now_at
    or (e.status in ('pending', 'running') and coalesce(e.leased_until, e.created_at) <= case when e.leased_until is null then waiting_since else now_at end)
  order by e.created_at
  limit most
$$;
comment on function core.list_audit_exports_to_tend is 'Packs whose time is over, and packs that nobody builds although they are not whole, oldest first.';
revoke execute on function core.list_audit_exports_to_tend(timestamptz, timestamptz, integer) from public;
grant execute on function core.list_audit_exports_to_tend(timestamptz, timestamptz, integer) to auth_login;
-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema core to core_lookup;
alter function core.list_audit_exports_to_tend(timestamptz, timestamptz, integer) owner to core_lookup;
revoke create on schema core from core_lookup;
revoke core_lookup from current_user;
