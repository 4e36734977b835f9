-- owner: scan | locks: scan.state_sources, exclusively while it is rewritten (a small table)
-- Sources besides S3, with credentials of their own, and sources of many states; see ADR-0028.
set local lock_timeout = '5s';

alter table scan.state_sources
  drop constraint state_sources_kind_check,
  drop constraint state_sources_check,
  add column parent_id uuid,
  add column object_prefix text check (length(object_prefix) <= 1024),
  add column object_suffix text check (length(object_suffix) <= 100),
  add column storage_account text check (length(storage_account) between 3 and 24),
  add column url text check (length(url) between 9 and 2000),
  add column organization text check (length(organization) between 1 and 100),
  add column auth_kind text not null default 'account' check (
    auth_kind in ('account', 'role', 'account_role', 'static_key', 'workload_identity', 'service_account_key', 'federated', 'client_secret',
                  'sas', 'basic', 'bearer', 'none')),
  add column auth jsonb not null default '{}' check (jsonb_typeof(auth) = 'object'),
  add column credentials_encrypted bytea check (octet_length(credentials_encrypted) <= 32768),
  add column version_token text check (length(version_token) <= 1024),
  add column mapping_hash bytea check (octet_length(mapping_hash) = 32),
  add column state_count integer not null default 0 check (state_count >= 0),
  add constraint state_sources_parent foreign key (org_id, parent_id) references scan.state_sources (org_id, id) on delete cascade,
  add constraint state_sources_kind_check check (kind in ('upload', 's3', 'gcs', 'azure_blob', 'http', 'tfc')),
  add constraint state_sources_place check (
    case kind
      when 'upload' then num_nonnulls(bucket, object_key, object_prefix, url, organization, storage_account) = 0
      when 'http' then url is not null and num_nonnulls(bucket, object_key, object_prefix) = 0
      when 'tfc' then url is not null and organization is not null and num_nonnulls(object_key, object_prefix) = 1
      when 'azure_blob' then storage_account is not null and bucket is not null and num_nonnulls(object_key, object_prefix) = 1
      else bucket is not null and num_nonnulls(object_key, object_prefix) = 1
    end),
  add constraint state_sources_secret check (
    (credentials_encrypted is not null)
    = (parent_id is null and auth_kind in ('static_key', 'service_account_key', 'client_secret', 'sas', 'basic', 'bearer'))),
  add constraint state_sources_found check (parent_id is null or object_key is not null);
alter table scan.state_sources
  add column credentials_key_version bigint generated always as (
    case
      when credentials_encrypted is null then null
      when octet_length(credentials_encrypted) > 7 and get_byte(credentials_encrypted, 0) = 2 then
        cast(get_byte(credentials_encrypted, 1) as bigint) * 16777216 + get_byte(credentials_encrypted, 2) * 65536
        + get_byte(credentials_encrypted, 3) * 256 + get_byte(credentials_encrypted, 4)
      else 0
    end
  ) stored;
comment on column scan.state_sources.parent_id is 'Set for a state that was found under the prefix of another source; it is signed in to as that one is.';
comment on column scan.state_sources.bucket is 'Bucket of s3 and gcs, container of azure_blob.';
comment on column scan.state_sources.object_key is 'Key, object, blob, or workspace of tfc.';
comment on column scan.state_sources.auth is 'How it is signed in to, without the secrets: those stand in the ciphertext.';
comment on column scan.state_sources.version_token is 'ETag, generation or id of the version that was taken last; null when the next fetch must take it again.';
comment on column scan.state_sources.mapping_hash is 'Of the rules under which it was taken; other rules keep other attributes.';
comment on column scan.state_sources.credentials_key_version is 'Number of the KMS version under which the data key is wrapped.';
create index state_sources_key_version on scan.state_sources (credentials_key_version, org_id) where credentials_key_version is not null;
create index state_sources_parent on scan.state_sources (org_id, parent_id);
create unique index state_sources_child on scan.state_sources (org_id, parent_id, object_key) where parent_id is not null;

grant insert (id, parent_id, object_prefix, object_suffix, storage_account, url, organization, auth_kind, auth, credentials_encrypted),
  update (name, auth_kind, auth, credentials_encrypted, version_token, mapping_hash, state_count)
  on scan.state_sources to scan_work;
grant select (credentials_key_version) on scan.state_sources to core_lookup;
insert into core.sealed_columns (name) values ('scan.state_sources.credentials_encrypted');

create function scan.list_orgs_with_sealed_source_credentials(below_version bigint, after_id uuid, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.org_id
  from scan.state_sources s
  where s.credentials_key_version < below_version and (after_id is null or s.org_id > after_id)
  group by s.org_id
  order by s.org_id
  limit most
$$;
comment on function scan.list_orgs_with_sealed_source_credentials is
  'Organisations with rows wrapped under a KMS version below a number, in order of id, one page.';
revoke execute on function scan.list_orgs_with_sealed_source_credentials(bigint, uuid, integer) from public;
grant execute on function scan.list_orgs_with_sealed_source_credentials(bigint, uuid, integer) to scan_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_sealed_source_credentials(bigint, uuid, integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
