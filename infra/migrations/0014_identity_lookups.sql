-- owner: auth | locks: none
-- What must be read before the organisation is known, as 0005: who calls, and where a sign-in leads to.

drop function core.find_principal(uuid, uuid);

-- The three ways to show who one is answer alike. `role` is null for who is no member, and for a session that another
-- organisation's identity provider vouched for; `is_sso_required` says that the organisation takes no other sign-in, but from
-- its owners, who could otherwise lock themselves out.
create function core.find_session(wanted_session_id uuid, wanted_user_id uuid, wanted_org_id uuid)
returns table (
  session_id uuid, bound_org_id uuid, signed_in_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
  user_id uuid, email text, name text, is_platform_admin boolean, role text, plan text, is_sso_required boolean
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.id, s.bound_org_id, s.signed_in_at, s.last_seen_at, s.expires_at,
    u.id, u.email, u.name, u.is_platform_admin and s.bound_org_id is null, m.role, o.plan,
    m.role is distinct from 'owner' and s.bound_org_id is null and exists (
      select from core.sso_connections c where c.org_id = o.id and c.is_enabled and c.is_enforced)
  from core.sessions s
  join core.users u on u.id = s.user_id and u.disabled_at is null
  left join core.orgs o on o.id = wanted_org_id and o.deleted_at is null and (s.bound_org_id is null or s.bound_org_id = o.id)
  left join core.members m on m.org_id = o.id and m.user_id = u.id
  where s.id = wanted_session_id and s.user_id = wanted_user_id and s.revoked_at is null
$$;
comment on function core.find_session is 'A session that was not ended, by the id that an access token names, with its person.';

create function core.find_browser_session(wanted_secret_hash bytea, wanted_org_id uuid)
returns table (
  session_id uuid, bound_org_id uuid, signed_in_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
  user_id uuid, email text, name text, is_platform_admin boolean, role text, plan text, is_sso_required boolean
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.id, s.bound_org_id, s.signed_in_at, s.last_seen_at, s.expires_at,
    u.id, u.email, u.name, u.is_platform_admin and s.bound_org_id is null, m.role, o.plan,
    m.role is distinct from 'owner' and s.bound_org_id is null and exists (
      select from core.sso_connections c where c.org_id = o.id and c.is_enabled and c.is_enforced)
  from core.sessions s
  join core.users u on u.id = s.user_id and u.disabled_at is null
  left join core.orgs o on o.id = wanted_org_id and o.deleted_at is null and (s.bound_org_id is null or s.bound_org_id = o.id)
  left join core.members m on m.org_id = o.id and m.user_id = u.id
  where s.secret_hash = wanted_secret_hash and s.revoked_at is null
$$;
comment on function core.find_browser_session is 'A session that was not ended, by the hash of a browser''s cookie, with its person.';

create function core.find_federated_principal(wanted_issuer text, wanted_subject text, wanted_org_id uuid)
returns table (
  user_id uuid, email text, name text, is_platform_admin boolean, role text, plan text, is_sso_required boolean
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select u.id, u.email, u.name, u.is_platform_admin, m.role, o.plan,
    m.role is distinct from 'owner' and exists (
      select from core.sso_connections c where c.org_id = o.id and c.is_enabled and c.is_enforced)
  from core.user_identities i
  join core.users u on u.id = i.user_id and u.disabled_at is null
  left join core.orgs o on o.id = wanted_org_id and o.deleted_at is null
  left join core.members m on m.org_id = o.id and m.user_id = u.id
  where i.issuer = wanted_issuer and i.subject = wanted_subject
$$;
comment on function core.find_federated_principal is 'The person whom another trusted issuer names by this subject.';

drop function core.list_orgs_of_user(uuid, uuid, integer);
create function core.list_orgs_of_user(wanted_user_id uuid, bound_to uuid, after_id uuid, page_size integer)
returns table (id uuid, name text, plan text, role text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.name, o.plan, m.role, o.created_at
  from core.members m
  join core.orgs o on o.id = m.org_id and o.deleted_at is null
  where m.user_id = wanted_user_id and (bound_to is null or o.id = bound_to) and (after_id is null or o.id > after_id)
  order by o.id
  limit page_size
$$;
comment on function core.list_orgs_of_user is 'The organisations a person belongs to, in order of id, one page; of a bound session, the one it reaches.';

create function core.find_invitation(wanted_token_hash bytea)
returns table (org_id uuid, invitation_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select i.org_id, i.id
  from core.invitations i
  join core.orgs o on o.id = i.org_id and o.deleted_at is null
  where i.token_hash = wanted_token_hash
$$;
comment on function core.find_invitation is 'Whose invitation this is, by the hash of its token.';

create function core.find_sso_connection(wanted_connection_id uuid)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.org_id
  from core.sso_connections c
  join core.orgs o on o.id = c.org_id and o.deleted_at is null
  where c.id = wanted_connection_id and c.is_enabled
$$;
comment on function core.find_sso_connection is 'Whose SAML connection this is; switched-off ones are not found.';

create function core.find_sso_domain(wanted_domain text)
returns table (org_id uuid, connection_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select d.org_id, c.id
  from core.sso_domains d
  join core.orgs o on o.id = d.org_id and o.deleted_at is null
  join core.sso_connections c on c.org_id = d.org_id and c.is_enabled
  where d.domain = wanted_domain and d.verified_at is not null
$$;
comment on function core.find_sso_domain is 'Which SAML connection signs the people of a proven domain in.';

create function core.list_stale_sso_connections(older_than_seconds integer, most integer)
returns table (org_id uuid, connection_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.org_id, c.id
  from core.sso_connections c
  join core.orgs o on o.id = c.org_id and o.deleted_at is null
  where c.metadata_url is not null and c.metadata_fetched_at < now() - make_interval(secs => older_than_seconds)
  order by c.metadata_fetched_at
  limit most
$$;
comment on function core.list_stale_sso_connections is 'SAML connections whose metadata is due to be fetched again, oldest first.';

create function core.note_session_use(known_secret_hash bytea)
returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with noted as (
    update core.sessions s
    set last_seen_at = now()
    where s.secret_hash = known_secret_hash and s.revoked_at is null and s.last_seen_at <= now() - interval '5 minutes'
    returning 1
  )
  select exists (select from noted)
$$;
comment on function core.note_session_use is 'Notes that a browser''s session was used, at most every five minutes; only for who knows its hash.';

revoke execute on function core.list_orgs_of_user(uuid, uuid, uuid, integer), core.find_session(uuid, uuid, uuid),
  core.find_browser_session(bytea, uuid), core.find_federated_principal(text, text, uuid), core.find_invitation(bytea),
  core.find_sso_connection(uuid), core.find_sso_domain(text), core.list_stale_sso_connections(integer, integer),
  core.note_session_use(bytea) from public;
grant execute on function core.find_session(uuid, uuid, uuid), core.find_browser_session(bytea, uuid),
  core.find_federated_principal(text, text, uuid), core.note_session_use(bytea)
  to auth_login, keys_login, scan_login, analyze_login, webhook_login, scim_login;
grant execute on function core.list_orgs_of_user(uuid, uuid, uuid, integer), core.find_invitation(bytea), core.find_sso_connection(uuid), core.find_sso_domain(text),
  core.list_stale_sso_connections(integer, integer) to auth_login;

grant core_lookup, core_session_use to current_user with inherit false, set true;
grant create on schema core to core_lookup, core_session_use;
alter function core.find_session(uuid, uuid, uuid) owner to core_lookup;
alter function core.find_browser_session(bytea, uuid) owner to core_lookup;
alter function core.find_federated_principal(text, text, uuid) owner to core_lookup;
alter function core.list_orgs_of_user(uuid, uuid, uuid, integer) owner to core_lookup;
alter function core.find_invitation(bytea) owner to core_lookup;
alter function core.find_sso_connection(uuid) owner to core_lookup;
alter function core.find_sso_domain(text) owner to core_lookup;
alter function core.list_stale_sso_connections(integer, integer) owner to core_lookup;
alter function core.note_session_use(bytea) owner to core_session_use;
revoke create on schema core from core_lookup, core_session_use;
revoke core_lookup, core_session_use from current_user;
