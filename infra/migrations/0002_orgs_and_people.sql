-- owner: auth | locks: none
set local lock_timeout = '5s';

create table core.users (
  id                uuid primary key default uuidv7(),
  email             text not null check (length(email) between 3 and 320),
  name              text not null default '' check (length(name) <= 200),
  is_platform_admin boolean not null default false,
  created_at        timestamptz not null default now(),
  disabled_at       timestamptz
);
comment on table core.users is 'One row per person, across organisations; not a tenant table.';
create unique index users_email on core.users (lower(email));

create table core.user_identities (
  issuer     text not null check (length(issuer) <= 500),
  subject    text not null check (length(subject) between 1 and 255),
  user_id    uuid not null references core.users on delete cascade,
  created_at timestamptz not null default now(),
  primary key (issuer, subject)
);
comment on table core.user_identities is 'How identity providers name a person (OIDC issuer and subject).';
create index user_identities_user on core.user_identities (user_id);

create table core.sign_ins (
  state_hash    bytea primary key check (octet_length(state_hash) = 32),
  nonce         text not null,
  code_verifier text not null,
  return_path   text not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null
);
comment on table core.sign_ins is 'Sign-ins under way: one row from the redirect to the callback, used once.';
create index sign_ins_expires on core.sign_ins (expires_at);

create table core.orgs (
  id         uuid primary key default (current_setting('app.org_id', true)::uuid),
  name       text not null check (length(name) between 1 and 100),
  plan       text not null default 'free' check (plan in ('free', 'team', 'enterprise')),
  created_at timestamptz not null default now(),
  deleted_at timestamptz
);
comment on table core.orgs is 'One row per organisation, the tenant; its id is what every tenant table calls org_id.';
alter table core.orgs enable row level security;
alter table core.orgs force row level security;
create policy orgs_floor on core.orgs as restrictive
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (id = (select current_setting('app.org_id', true)::uuid))
  with check (id = (select current_setting('app.org_id', true)::uuid));
create policy orgs_org on core.orgs
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (id = (select current_setting('app.org_id', true)::uuid))
  with check (id = (select current_setting('app.org_id', true)::uuid));
create policy orgs_lookup on core.orgs for select to core_lookup using (true);
grant select, insert (name, plan), update (name, plan, deleted_at) on core.orgs to auth_work;
grant select on core.orgs to keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant select (id, name, plan, created_at, deleted_at) on core.orgs to core_lookup;

create table core.members (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  user_id    uuid not null references core.users on delete cascade,
  role       text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  created_at timestamptz not null default now(),
  primary key (org_id, user_id)
);
comment on table core.members is 'Who belongs to which organisation, with which role.';
create index members_user on core.members (user_id);
alter table core.members enable row level security;
alter table core.members force row level security;
create policy members_floor on core.members as restrictive
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy members_org on core.members
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy members_lookup on core.members for select to core_lookup using (true);
grant select, insert (user_id, role), update (role), delete on core.members to auth_work;
grant select on core.members to keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant select (org_id, user_id, role) on core.members to core_lookup;

grant select, insert (email, name, is_platform_admin), update (email, name, is_platform_admin, disabled_at)
  on core.users to auth_work;
grant select (id, email, name, is_platform_admin, disabled_at) on core.users to core_lookup;
grant select, insert (issuer, subject, user_id) on core.user_identities to auth_work;
grant select, delete, insert (state_hash, nonce, code_verifier, return_path, expires_at) on core.sign_ins to auth_work;
