-- owner: platform | locks: none
-- Roles of the suite. Login roles own nothing, inherit nothing and hold no right on any tenant table; each may only
-- step into its own work role. Roles are shared by all databases of a server, so each statement may be met again.
do $$
declare
  name text;
begin
  foreach name in array array['auth', 'keys', 'scan', 'analyze', 'webhook', 'scim'] loop
    if not exists (select from pg_roles where rolname = name || '_work') then
      execute format('create role %I nologin noinherit nobypassrls', name || '_work');
    end if;
    if not exists (select from pg_roles where rolname = name || '_login') then
      execute format('create role %I login noinherit nobypassrls', name || '_login');
    end if;
    execute format('grant %I to %I with inherit false, set true', name || '_work', name || '_login');
    execute format('alter role %I set statement_timeout = %L', name || '_login', '10s');
    execute format('alter role %I set lock_timeout = %L', name || '_login', '5s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', name || '_login', '60s');
  end loop;
  -- Owner of the narrow lookups that run before the organisation is known, and of the relay's and sweeper's reads.
  if not exists (select from pg_roles where rolname = 'core_lookup') then
    create role core_lookup nologin noinherit nobypassrls;
  end if;
end
$$;

revoke create on schema public from public;

create schema core;
create schema scan;
grant usage on schema core to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work, core_lookup;
grant usage on schema core to auth_login, keys_login, scan_login, analyze_login, webhook_login, scim_login;
grant usage on schema scan to scan_work, scan_login, core_lookup;

comment on schema core is 'Organisations, people, keys and what every function shares.';
comment on schema scan is 'Cloud accounts, states, scans and drift.';
