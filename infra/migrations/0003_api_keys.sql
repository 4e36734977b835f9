-- owner: keys | locks: core.orgs and core.users, briefly (foreign keys)
set local lock_timeout = '5s';

create table core.api_keys (
  org_id         uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id             uuid not null default uuidv7(),
  public_id      text not null unique check (public_id ~ '^[0-9A-Za-z]{12}$'),
  secret_hash    bytea not null check (octet_length(secret_hash) = 32),
  pepper_version integer not null check (pepper_version > 0),
  name           text not null check (length(name) between 1 and 100),
  scopes         text[] not null check (cardinality(scopes) between 1 and 3 and scopes <@ array['read', 'write', 'admin']),
  created_by     uuid references core.users on delete set null,
  created_at     timestamptz not null default now(),
  expires_at     timestamptz,
  last_used_at   timestamptz,
  revoked_at     timestamptz,
  primary key (org_id, id)
);
comment on table core.api_keys is 'One row per issued key; the key itself is never stored.';
create index api_keys_created_by on core.api_keys (created_by);
alter table core.api_keys enable row level security;
alter table core.api_keys force row level security;
create policy api_keys_floor on core.api_keys as restrictive to keys_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy api_keys_org on core.api_keys to keys_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy api_keys_lookup on core.api_keys for select to core_lookup using (true);
grant select, update (name, revoked_at, last_used_at),
  insert (public_id, secret_hash, pepper_version, name, scopes, created_by, expires_at) on core.api_keys to keys_work;
grant select (org_id, id, public_id, secret_hash, pepper_version, scopes, created_by, expires_at, revoked_at)
  on core.api_keys to core_lookup;
