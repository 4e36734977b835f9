-- owner: scan | locks: scan.cloud_accounts, exclusively while it is rewritten (a small table); scan.state_sources, briefly
-- Under which key versions credentials are wrapped and digests are made; see ADR-0011.
set local lock_timeout = '5s';

-- Computed from the ciphertext's head (shared/security/envelope.py), so that it can never say anything else. Layout 1 does
-- not name a version and counts as 0, older than all; so does what is no ciphertext at all.
alter table scan.cloud_accounts
  add column credentials_key_version bigint generated always as (
    case
      when credentials_encrypted is null then null
      when octet_length(credentials_encrypted) > 7 and get_byte(credentials_encrypted, 0) = 2 then
        cast(get_byte(credentials_encrypted, 1) as bigint) * 16777216 + get_byte(credentials_encrypted, 2) * 65536
        + get_byte(credentials_encrypted, 3) * 256 + get_byte(credentials_encrypted, 4)
      else 0
    end
  ) stored;
comment on column scan.cloud_accounts.credentials_key_version is 'Number of the KMS version under which the data key is wrapped.';
create index cloud_accounts_key_version on scan.cloud_accounts (credentials_key_version, org_id)
  where credentials_key_version is not null;

-- Digests from before this file name no version. They were made under the first one: there was no other anywhere.
alter table scan.state_sources add column digest_version integer not null default 1 check (digest_version > 0);
comment on column scan.state_sources.digest_version is
  'Newest version of the digest key under which the state''s sensitive values are kept.';
grant update (digest_version) on scan.state_sources to scan_work;

insert into core.sealed_columns (name) values ('scan.cloud_accounts.credentials_encrypted');

create policy cloud_accounts_lookup on scan.cloud_accounts for select to core_lookup using (true);
create policy state_sources_lookup on scan.state_sources for select to core_lookup using (true);
grant select (org_id, credentials_key_version) on scan.cloud_accounts to core_lookup;
grant select (org_id, kind, resource_count, digest_version) on scan.state_sources to core_lookup;

create function scan.list_orgs_with_sealed_credentials(below_version bigint, after_id uuid, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.org_id
  from scan.cloud_accounts a
  where a.credentials_key_version < below_version and (after_id is null or a.org_id > after_id)
  group by a.org_id
  order by a.org_id
  limit most
$$;
comment on function scan.list_orgs_with_sealed_credentials is
  'Organisations with credentials wrapped under a KMS version below a number, in order of id, one page.';
revoke execute on function scan.list_orgs_with_sealed_credentials(bigint, uuid, integer) from public;
grant execute on function scan.list_orgs_with_sealed_credentials(bigint, uuid, integer) to scan_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_sealed_credentials(bigint, uuid, integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
