-- owner: auth | locks: core.users, core.orgs and core.sign_ins, briefly (foreign keys, new columns without a rewrite)
-- Sessions and what leads to one: sign-ins of several providers, device grants, SAML connections; invitations; domains.
set local lock_timeout = '5s';

create table core.sessions (
  id             uuid primary key default uuidv7(),
  user_id        uuid not null references core.users on delete cascade,
  kind           text not null check (kind in ('browser', 'terminal')),
  secret_hash    bytea unique check (octet_length(secret_hash) = 32),
  issuer         text not null check (length(issuer) <= 500),
  subject        text not null check (length(subject) between 1 and 255),
  issuer_session text not null default '' check (length(issuer_session) <= 255),
  bound_org_id   uuid references core.orgs on delete cascade,
  signed_in_at   timestamptz not null,
  created_at     timestamptz not null default now(),
  last_seen_at   timestamptz not null default now(),
  expires_at     timestamptz not null,
  revoked_at     timestamptz,
  user_agent     text not null default '' check (length(user_agent) <= 200),
  address        text not null default '' check (length(address) <= 64),
  check ((kind = 'browser') = (secret_hash is not null))
);
comment on table core.sessions is 'One row per sign-in of a person; not a tenant table. The browser''s secret is stored as a hash only.';
comment on column core.sessions.bound_org_id is 'Set when an organisation''s own identity provider vouched: the session reaches this organisation alone.';
create index sessions_user on core.sessions (user_id);
create index sessions_issuer on core.sessions (issuer, subject);
create index sessions_bound_org on core.sessions (bound_org_id);
create index sessions_expires on core.sessions (expires_at);

create table core.refresh_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  session_id uuid not null references core.sessions on delete cascade,
  created_at timestamptz not null default now(),
  used_at    timestamptz
);
comment on table core.refresh_tokens is 'Every refresh token of a session, used ones too: one that comes twice ends the session.';
create index refresh_tokens_session on core.refresh_tokens (session_id);

create table core.device_grants (
  device_code_hash bytea primary key check (octet_length(device_code_hash) = 32),
  user_code_hash   bytea not null unique check (octet_length(user_code_hash) = 32),
  client_name      text not null default '' check (length(client_name) <= 100),
  address          text not null default '' check (length(address) <= 64),
  created_at       timestamptz not null default now(),
  expires_at       timestamptz not null,
  polled_at        timestamptz,
  approved_by      uuid references core.sessions on delete cascade,
  denied_at        timestamptz
);
comment on table core.device_grants is 'Terminals that wait for a person to approve them (RFC 8628); a row is deleted when its code is redeemed.';
create index device_grants_approved on core.device_grants (approved_by);
create index device_grants_expires on core.device_grants (expires_at);

create table core.logout_tokens (
  issuer     text not null check (length(issuer) <= 500),
  jti        text not null check (length(jti) between 1 and 255),
  expires_at timestamptz not null,
  primary key (issuer, jti)
);
comment on table core.logout_tokens is 'Back-channel logout tokens that were taken, until they expire: none is taken twice.';
create index logout_tokens_expires on core.logout_tokens (expires_at);

alter table core.sign_ins add column provider text not null default 'default' check (length(provider) between 1 and 64);

create table core.saml_requests (
  request_hash  bytea primary key check (octet_length(request_hash) = 32),
  connection_id uuid not null,
  return_path   text not null,
  created_at    timestamptz not null default now(),
  expires_at    timestamptz not null
);
comment on table core.saml_requests is 'SAML requests under way: one row from the request to its response, used once.';
create index saml_requests_expires on core.saml_requests (expires_at);

create table core.saml_replays (
  connection_id  uuid not null,
  assertion_hash bytea not null check (octet_length(assertion_hash) = 32),
  expires_at     timestamptz not null,
  primary key (connection_id, assertion_hash)
);
comment on table core.saml_replays is 'Assertions that were taken, until they expire: none is taken twice.';
create index saml_replays_expires on core.saml_replays (expires_at);

create table core.allowed_domains (
  domain     text primary key check (domain = lower(domain) and length(domain) between 3 and 253),
  created_by uuid references core.users on delete set null,
  created_at timestamptz not null default now()
);
comment on table core.allowed_domains is 'Domains of the people who run the platform; not a tenant table.';
create index allowed_domains_created_by on core.allowed_domains (created_by);

create table core.platform_bootstrap (
  id         boolean primary key default true check (id),
  user_id    uuid references core.users on delete set null,
  granted_at timestamptz not null default now()
);
comment on table core.platform_bootstrap is 'Written once: who became platform admin by being the first of an allowed domain.';
create index platform_bootstrap_user on core.platform_bootstrap (user_id);

create table core.invitations (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id          uuid not null default uuidv7(),
  email       text not null check (length(email) between 3 and 320),
  role        text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  token_hash  bytea not null unique check (octet_length(token_hash) = 32),
  invited_by  uuid references core.users on delete set null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  accepted_at timestamptz,
  revoked_at  timestamptz,
  primary key (org_id, id)
);
comment on table core.invitations is 'Invitations to an organisation; the token is shown once and stored as a hash.';
create index invitations_invited_by on core.invitations (invited_by);
create unique index invitations_open on core.invitations (org_id, lower(email)) where accepted_at is null and revoked_at is null;

create table core.sso_connections (
  org_id              uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                  uuid not null default uuidv7(),
  is_enabled          boolean not null default false,
  is_enforced         boolean not null default false,
  allows_unsolicited  boolean not null default false,
  allows_cbc          boolean not null default false,
  idp_entity_id       text not null check (length(idp_entity_id) between 1 and 1024),
  metadata_url        text check (length(metadata_url) <= 2000),
  metadata_xml        text not null check (length(metadata_xml) <= 262144),
  metadata_fetched_at timestamptz not null default now(),
  metadata_error      text not null default '' check (length(metadata_error) <= 200),
  email_attribute     text not null default '' check (length(email_attribute) <= 200),
  default_role        text not null default 'viewer' check (default_role in ('viewer', 'member', 'admin')),
  sp_certificate      text not null check (length(sp_certificate) <= 8192),
  sp_key_encrypted    bytea not null check (octet_length(sp_key_encrypted) <= 16384),
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  primary key (org_id, id)
);
comment on table core.sso_connections is 'An organisation''s own SAML identity provider, one per organisation; our key for it is sealed.';
create unique index sso_connections_org on core.sso_connections (org_id);

create table core.sso_domains (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  domain      text not null check (domain = lower(domain) and length(domain) between 3 and 253),
  challenge   text not null check (length(challenge) between 16 and 100),
  created_at  timestamptz not null default now(),
  verified_at timestamptz,
  primary key (org_id, domain)
);
comment on table core.sso_domains is 'Domains an organisation says are its own; proven by a DNS TXT record before they count.';
create unique index sso_domains_verified on core.sso_domains (domain) where verified_at is not null;

create table core.model_calls (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  period     text not null check (period in ('hour', 'week')),
  starts_at  timestamptz not null,
  used       integer not null default 0 check (used >= 0),
  primary key (org_id, period, starts_at)
);
comment on table core.model_calls is 'Calls to the platform''s language model, counted per organisation and period.';

do $$
declare
  name text;
begin
  foreach name in array array['invitations', 'sso_connections', 'sso_domains'] loop
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
    execute format('create policy %I on core.%I for select to core_lookup using (true)', name || '_lookup', name);
  end loop;
end
$$;
alter table core.model_calls enable row level security;
alter table core.model_calls force row level security;
create policy model_calls_floor on core.model_calls as restrictive to auth_work, analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy model_calls_org on core.model_calls to auth_work, analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));

grant select, delete, update (last_seen_at, revoked_at),
  insert (id, user_id, kind, secret_hash, issuer, subject, issuer_session, bound_org_id, signed_in_at, last_seen_at, expires_at,
    user_agent, address) on core.sessions to auth_work;
grant select, delete, insert (token_hash, session_id), update (used_at) on core.refresh_tokens to auth_work;
grant select, delete, insert (device_code_hash, user_code_hash, client_name, address, expires_at),
  update (polled_at, approved_by, denied_at) on core.device_grants to auth_work;
grant select, delete, insert (issuer, jti, expires_at) on core.logout_tokens to auth_work;
grant insert (provider) on core.sign_ins to auth_work;
grant select, delete, insert (request_hash, connection_id, return_path, expires_at) on core.saml_requests to auth_work;
grant select, delete, insert (connection_id, assertion_hash, expires_at) on core.saml_replays to auth_work;
grant select, delete, insert (domain, created_by) on core.allowed_domains to auth_work;
grant select, insert (user_id) on core.platform_bootstrap to auth_work;
grant select, insert (email, role, token_hash, invited_by, expires_at), update (accepted_at, revoked_at)
  on core.invitations to auth_work;
grant select, delete,
  insert (id, is_enabled, is_enforced, allows_unsolicited, allows_cbc, idp_entity_id, metadata_url, metadata_xml, metadata_fetched_at,
    metadata_error, email_attribute, default_role, sp_certificate, sp_key_encrypted),
  update (is_enabled, is_enforced, allows_unsolicited, allows_cbc, idp_entity_id, metadata_url, metadata_xml, metadata_fetched_at,
    metadata_error, email_attribute, default_role, sp_certificate, sp_key_encrypted, updated_at)
  on core.sso_connections to auth_work;
grant select, delete, insert (domain, challenge), update (verified_at, challenge) on core.sso_domains to auth_work;
grant select, insert (period, starts_at, used), update (used), delete on core.model_calls to analyze_work;
grant select on core.model_calls to auth_work;

grant select (id, user_id, secret_hash, issuer, bound_org_id, signed_in_at, last_seen_at, expires_at, revoked_at)
  on core.sessions to core_lookup;
grant select (issuer, subject, user_id) on core.user_identities to core_lookup;
grant select (org_id, id, token_hash) on core.invitations to core_lookup;
grant select (org_id, id, is_enabled, is_enforced, metadata_url, metadata_fetched_at) on core.sso_connections to core_lookup;
grant select (org_id, domain, verified_at) on core.sso_domains to core_lookup;

-- Owner of the one function that notes a session's use before the organisation is known, as core_key_use for keys.
do $$
begin
  if not exists (select from pg_roles where rolname = 'core_session_use') then
    create role core_session_use nologin noinherit nobypassrls;
  end if;
end
$$;
grant usage on schema core to core_session_use;
grant select (secret_hash, last_seen_at, revoked_at), update (last_seen_at) on core.sessions to core_session_use;
