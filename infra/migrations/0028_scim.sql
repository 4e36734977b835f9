-- owner: scim | locks: core.orgs, core.users, core.members, core.api_keys, core.invitations and core.sessions, briefly (foreign keys,
-- policies, grants)
-- People and groups as an organisation's directory tells of them, and the tokens that it tells with; see ADR-0026.
set local lock_timeout = '5s';

create schema scim;
grant usage on schema scim to scim_work, scim_login, auth_work, core_lookup, core_purge;
comment on schema scim is 'People and groups as an organisation''s directory tells of them.';

create table scim.tokens (
  org_id         uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id             uuid not null default uuidv7(),
  public_id      text not null unique check (public_id ~ '^[0-9A-Za-z]{12}$'),
  secret_hash    bytea not null check (octet_length(secret_hash) = 32),
  pepper_version integer not null check (pepper_version > 0),
  name           text not null check (length(name) between 1 and 100),
  created_by     uuid references core.users on delete set null,
  created_at     timestamptz not null default now(),
  expires_at     timestamptz,
  last_used_at   timestamptz,
  revoked_at     timestamptz,
  primary key (org_id, id)
);
comment on table scim.tokens is 'One row per token of a directory; the token itself is never stored. It outlives who made it.';
create index tokens_created_by on scim.tokens (created_by);

create table scim.users (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id            uuid not null default uuidv7(),
  user_name     text not null check (length(user_name) between 1 and 320),
  user_name_key text collate "pg_unicode_fast" not null
    generated always as (casefold(user_name collate "pg_unicode_fast")) stored,
  external_id   text collate "C" check (length(external_id) between 1 and 512),
  active        boolean not null default true,
  display_name  text check (length(display_name) <= 512),
  family_name   text check (length(family_name) <= 512),
  given_name    text check (length(given_name) <= 512),
  email_key     text check (email_key = lower(email_key) and length(email_key) between 3 and 320),
  user_id       uuid references core.users on delete set null,
  document      jsonb not null check (pg_column_size(document) <= 262144),
  version       bigint not null default 1 check (version > 0),
  created_at    timestamptz not null default now(),
  modified_at   timestamptz not null default now(),
  primary key (org_id, id)
);
comment on table scim.users is 'People as the directory tells of them. What it says changes nobody outside this organisation.';
comment on column scim.users.email_key is 'The address that says which person is meant: of a proven domain, where there is one.';
comment on column scim.users.user_id is 'The person; null while the address is of no domain that the organisation has proven.';
comment on column scim.users.document is 'The resource as it was sent, without id, meta, groups and schemas, and never a password.';
create unique index users_name on scim.users (org_id, user_name_key);
create unique index users_member on scim.users (org_id, user_id) where user_id is not null;
create index users_user on scim.users (user_id);
create index users_external on scim.users (org_id, external_id);
create index users_email on scim.users (org_id, email_key);
create index users_created on scim.users (org_id, created_at);
create index users_modified on scim.users (org_id, modified_at);

create table scim.groups (
  org_id           uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id               uuid not null default uuidv7(),
  display_name     text not null check (length(display_name) between 1 and 320),
  display_name_key text collate "pg_unicode_fast" not null
    generated always as (casefold(display_name collate "pg_unicode_fast")) stored,
  external_id      text collate "C" check (length(external_id) between 1 and 512),
  document         jsonb not null check (pg_column_size(document) <= 65536),
  version          bigint not null default 1 check (version > 0),
  created_at       timestamptz not null default now(),
  modified_at      timestamptz not null default now(),
  primary key (org_id, id)
);
comment on table scim.groups is 'Groups as the directory tells of them; their members stand in scim.group_members.';
create unique index groups_name on scim.groups (org_id, display_name_key);
create index groups_external on scim.groups (org_id, external_id);

create table scim.group_members (
  org_id   uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  group_id uuid not null,
  user_id  uuid not null,
  primary key (org_id, group_id, user_id),
  foreign key (org_id, group_id) references scim.groups (org_id, id) on delete cascade,
  foreign key (org_id, user_id) references scim.users (org_id, id) on delete cascade
);
comment on table scim.group_members is 'Which of the directory''s people (scim.users) is in which of its groups.';
create index group_members_user on scim.group_members (org_id, user_id);

create table scim.configs (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  default_role text not null default 'viewer' check (default_role in ('viewer', 'member', 'admin')),
  updated_at   timestamptz not null default now(),
  primary key (org_id)
);
comment on table scim.configs is 'The role of people whose groups give them none; viewer where there is no row.';

create table scim.group_roles (
  org_id    uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  group_key text collate "pg_unicode_fast" not null generated always as (casefold(name collate "pg_unicode_fast")) stored,
  name      text not null check (length(name) between 1 and 320),
  role      text not null check (role in ('viewer', 'member', 'admin')),
  primary key (org_id, group_key)
);
comment on table scim.group_roles is 'Which role the people of a group have, by the group''s name; the highest of a person''s groups counts. Never owner.';

do $$
declare
  name text;
begin
  foreach name in array array['tokens', 'users', 'groups', 'group_members', 'configs', 'group_roles'] loop
    execute format('alter table scim.%I enable row level security', name);
    execute format('alter table scim.%I force row level security', name);
    execute format(
      'create policy %I on scim.%I as restrictive to scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on scim.%I to scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format(
      'create policy %I on scim.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on scim.%I to core_purge', name);
  end loop;
end
$$;

grant select, update (revoked_at), insert (public_id, secret_hash, pepper_version, name, created_by, expires_at)
  on scim.tokens to scim_work;
grant select, delete,
  insert (id, user_name, external_id, active, display_name, family_name, given_name, email_key, user_id, document, created_at, modified_at),
  update (user_name, external_id, active, display_name, family_name, given_name, email_key, user_id, document, version, modified_at)
  on scim.users to scim_work;
grant select, delete, insert (id, display_name, external_id, document, created_at, modified_at),
  update (display_name, external_id, document, version, modified_at) on scim.groups to scim_work;
grant select, delete, insert (group_id, user_id) on scim.group_members to scim_work;
grant select, insert (default_role, updated_at), update (default_role, updated_at) on scim.configs to scim_work;
grant select, delete, insert (name, role) on scim.group_roles to scim_work;

-- Who was switched off in the directory does not come in again by another door.
create policy users_auth_floor on scim.users as restrictive to auth_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy users_auth_org on scim.users to auth_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
grant select (org_id, user_id, email_key, active) on scim.users to auth_work;

-- What a directory changes of an organisation: who belongs to it with which role, and what hung on a membership that ended.
grant insert (user_id, role), update (role), delete on core.members to scim_work;
do $$
declare
  name text;
begin
  foreach name in array array['api_keys', 'invitations'] loop
    execute format(
      'create policy %I on core.%I as restrictive to scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_scim_floor', name);
    execute format(
      'create policy %I on core.%I to scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_scim_org', name);
  end loop;
end
$$;
grant select (org_id, id, name, created_by, revoked_at), update (revoked_at) on core.api_keys to scim_work;
grant select (org_id, id, invited_by, accepted_at, revoked_at), update (revoked_at) on core.invitations to scim_work;

-- Owner of the few functions that reach past the organisation's own rows: people, who belong to nobody, and their sessions.
-- The functions say for whom; scim_work holds no right on either table. Roles are shared by all databases of a server.
do $$
begin
  if not exists (select from pg_roles where rolname = 'core_directory') then
    create role core_directory nologin noinherit nobypassrls;
  end if;
end
$$;
grant usage on schema core, scim to core_directory;
create policy orgs_directory_read on core.orgs for select to core_directory
  using (id = (select current_setting('app.org_id', true)::uuid));
create policy orgs_directory_hold on core.orgs for update to core_directory
  using (id = (select current_setting('app.org_id', true)::uuid)) with check (false);
create policy sso_domains_directory on core.sso_domains for select to core_directory
  using (org_id = (select current_setting('app.org_id', true)::uuid));
create policy members_directory on core.members for select to core_directory using (true);
create policy tokens_directory_read on scim.tokens for select to core_directory using (true);
create policy tokens_directory_use on scim.tokens for update to core_directory using (true) with check (true);
-- A row is locked by who may update it; the policy lets no update through.
grant select (id, plan, deleted_at), update (name) on core.orgs to core_directory;
grant select (org_id, domain, verified_at) on core.sso_domains to core_directory;
grant select (org_id, user_id, role) on core.members to core_directory;
grant select (id, email, is_platform_admin, disabled_at), insert (email, name) on core.users to core_directory;
grant select (user_id, bound_org_id, revoked_at), update (revoked_at) on core.sessions to core_directory;
grant select (public_id, secret_hash, pepper_version, last_used_at, revoked_at), update (secret_hash, pepper_version, last_used_at)
  on scim.tokens to core_directory;

create policy tokens_lookup on scim.tokens for select to core_lookup using (true);
grant select (org_id, id, public_id, secret_hash, pepper_version, expires_at, last_used_at, revoked_at) on scim.tokens to core_lookup;

create function scim.find_token(wanted_public_id text)
returns table (
  org_id uuid, token_id uuid, secret_hash bytea, pepper_version integer, expires_at timestamptz, last_used_at timestamptz, plan text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.org_id, t.id, t.secret_hash, t.pepper_version, t.expires_at, t.last_used_at, o.plan
  from scim.tokens t
  join core.orgs o on o.id = t.org_id and o.deleted_at is null
  where t.public_id = wanted_public_id and t.revoked_at is null
$$;
comment on function scim.find_token is 'The one token with this public id, unless it was revoked.';

create function scim.note_token_use(used_public_id text, known_hash bytea, new_hash bytea, new_pepper_version integer)
returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with noted as (
    update scim.tokens t
    set last_used_at = now(),
      secret_hash = case when t.pepper_version < new_pepper_version then new_hash else t.secret_hash end,
      pepper_version = greatest(t.pepper_version, new_pepper_version)
    where t.public_id = used_public_id and t.secret_hash = known_hash and t.revoked_at is null
    returning 1
  )
  select exists (select from noted)
$$;
comment on function scim.note_token_use is 'Notes that a token was used and stores its hash under a newer pepper; only for who knows its present hash.';

create function scim.hold_org()
returns table (plan text)
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select o.plan
  from core.orgs o
  where o.id = (select current_setting('app.org_id', true)::uuid) and o.deleted_at is null
  for no key update
$$;
comment on function scim.hold_org is 'Holds the organisation of the unit of work, as all do who change who belongs to it: an owner always stays.';

create function scim.count_other_owners(but_user_id uuid)
returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select count(*)
  from core.members m
  join core.users u on u.id = m.user_id and u.disabled_at is null
  where m.org_id = (select current_setting('app.org_id', true)::uuid) and m.role = 'owner' and m.user_id <> but_user_id
$$;
comment on function scim.count_other_owners is 'Owners of the organisation with a working account, all but one person.';

create function scim.admit_person(wanted_email text, wanted_name text)
returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid;
begin
  if not exists (
    select from core.sso_domains d
    where d.org_id = (select current_setting('app.org_id', true)::uuid) and d.verified_at is not null
      and d.domain = lower(substring(wanted_email from '@([^@]*)$'))
  ) then
    return null;
  end if;
  insert into core.users (email, name) values (wanted_email, left(wanted_name, 200)) on conflict (lower(email)) do nothing;
  select u.id into found_id from core.users u where lower(u.email) = lower(wanted_email);
  return found_id;
end
$$;
comment on function scim.admit_person is 'The person with an address of a domain that this organisation has proven, made if new, otherwise left as is; null for other domains.';

create function scim.list_proven_domains()
returns table (domain text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select d.domain
  from core.sso_domains d
  where d.org_id = (select current_setting('app.org_id', true)::uuid) and d.verified_at is not null
$$;
comment on function scim.list_proven_domains is 'Domains that the organisation of the unit of work has proven.';

create function scim.find_members(wanted_email text)
returns table (user_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select m.user_id
  from core.users u
  join core.members m on m.user_id = u.id and m.org_id = (select current_setting('app.org_id', true)::uuid)
  where lower(u.email) = lower(wanted_email)
$$;
comment on function scim.find_members is 'Members of this organisation with an address; tells of nobody else.';

create function scim.end_sessions(wanted_user_id uuid)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  here     uuid := current_setting('app.org_id', true)::uuid;
  affected bigint;
  ended    bigint := 0;
begin
  loop -- the first statement does not see a session that began while it waited for another's lock
    update core.sessions s
    set revoked_at = now()
    where s.user_id = wanted_user_id and s.revoked_at is null and (
      s.bound_org_id = here
      or (s.bound_org_id is null and not exists (
        select from core.users u
        where u.id = s.user_id and (u.is_platform_admin or exists (
          select from core.members m where m.user_id = u.id and m.org_id <> here))))
    );
    get diagnostics affected = row_count;
    exit when affected = 0;
    ended := ended + affected;
  end loop;
  return ended;
end
$$;
comment on function scim.end_sessions is 'Ends the sessions that reach this organisation alone: bound ones, and all others of a person who belongs nowhere else.';

revoke execute on function scim.find_token(text), scim.note_token_use(text, bytea, bytea, integer), scim.hold_org(),
  scim.count_other_owners(uuid), scim.admit_person(text, text), scim.list_proven_domains(), scim.find_members(text),
  scim.end_sessions(uuid) from public;
grant execute on function scim.find_token(text), scim.note_token_use(text, bytea, bytea, integer) to scim_login;
grant execute on function scim.hold_org(), scim.count_other_owners(uuid), scim.admit_person(text, text),
  scim.list_proven_domains(), scim.find_members(text), scim.end_sessions(uuid) to scim_work;

-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup, core_directory to current_user with inherit false, set true;
grant create on schema scim to core_lookup, core_directory;
alter function scim.find_token(text) owner to core_lookup;
alter function scim.note_token_use(text, bytea, bytea, integer) owner to core_directory;
alter function scim.hold_org() owner to core_directory;
alter function scim.count_other_owners(uuid) owner to core_directory;
alter function scim.admit_person(text, text) owner to core_directory;
alter function scim.list_proven_domains() owner to core_directory;
alter function scim.find_members(text) owner to core_directory;
alter function scim.end_sessions(uuid) owner to core_directory;
revoke create on schema scim from core_lookup, core_directory;
revoke core_lookup, core_directory from current_user;
