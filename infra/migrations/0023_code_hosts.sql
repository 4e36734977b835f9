-- owner: analyze | locks: core.orgs, briefly (foreign keys)
-- Connections to code hosts, and the one comment that each pull request has; see ADR-0023.
set local lock_timeout = '5s';

create table analysis.code_hosts (
  org_id                  uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                      uuid not null default uuidv7(),
  kind                    text not null check (kind in ('github', 'gitlab', 'terraform_cloud')),
  name                    text not null check (length(name) between 1 and 100),
  url                     text not null check (length(url) between 9 and 300),
  owner                   text not null check (length(owner) between 1 and 255 and owner = lower(owner)),
  app_id                  bigint check (app_id > 0),
  installation_id         bigint check (installation_id > 0),
  credentials_encrypted   bytea not null check (octet_length(credentials_encrypted) <= 32768),
  credentials_key_version bigint generated always as (
    case
      when octet_length(credentials_encrypted) > 7 and get_byte(credentials_encrypted, 0) = 2 then
        cast(get_byte(credentials_encrypted, 1) as bigint) * 16777216 + get_byte(credentials_encrypted, 2) * 65536
          + get_byte(credentials_encrypted, 3) * 256 + get_byte(credentials_encrypted, 4)
      else 0
    end
  ) stored,
  comments_on_closed      boolean not null default false,
  has_check_run           boolean not null default true,
  fail_on                 text check (fail_on in ('low', 'medium', 'high', 'critical')),
  disabled_at             timestamptz,
  last_used_at            timestamptz,
  last_error_code         text check (length(last_error_code) between 1 and 100),
  last_error_at           timestamptz,
  created_at              timestamptz not null,
  updated_at              timestamptz not null,
  primary key (org_id, id),
  constraint code_hosts_owner unique (org_id, url, owner),
  check ((kind = 'github') = (app_id is not null and installation_id is not null)),
  check ((last_error_code is null) = (last_error_at is null))
);
comment on table analysis.code_hosts is 'Where pull requests are commented on (a GitHub App''s installation, a GitLab token) and where runs'' plans are read (a Terraform Cloud token); credentials only as ciphertext.';
comment on column analysis.code_hosts.owner is 'Whose repositories or runs it is for: an account, a group, one repository, or an organisation of Terraform Cloud; in lower case.';
comment on column analysis.code_hosts.url is 'To be shown and chosen by. Where calls go, and with which credentials, stands in the ciphertext.';
comment on column analysis.code_hosts.credentials_key_version is 'Number of the KMS version under which the data key is wrapped.';
create index code_hosts_credentials_key_version on analysis.code_hosts (credentials_key_version, org_id);

create table analysis.pull_request_comments (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id           uuid not null default uuidv7(),
  code_host_id uuid not null,
  repository   text not null check (length(repository) between 3 and 410 and repository = lower(repository)),
  pull_request integer not null check (pull_request > 0),
  analysis_id  uuid not null,
  analysed_at  timestamptz not null,
  status       text not null default 'pending' check (status in ('pending', 'posted', 'closed', 'failed')),
  comment_id   bigint check (comment_id > 0),
  error_code   text check (length(error_code) between 1 and 100),
  lease_id     uuid,
  leased_until timestamptz,
  updated_at   timestamptz not null,
  primary key (org_id, id),
  constraint pull_request_comments_place unique (org_id, code_host_id, repository, pull_request),
  foreign key (org_id, code_host_id) references analysis.code_hosts (org_id, id) on delete cascade,
  check ((lease_id is null) = (leased_until is null))
);
comment on table analysis.pull_request_comments is 'One row for each pull request that is commented on: which comment is ours, and which analysis it shows.';
comment on column analysis.pull_request_comments.analysis_id is 'The newest analysis that was to be shown; it may be gone.';
comment on column analysis.pull_request_comments.leased_until is 'Until when one worker alone talks to the code host about this pull request.';
create index pull_request_comments_updated on analysis.pull_request_comments (org_id, updated_at);

do $$
declare
  name text;
begin
  foreach name in array array['code_hosts', 'pull_request_comments'] loop
    execute format('alter table analysis.%I enable row level security', name);
    execute format('alter table analysis.%I force row level security', name);
    execute format(
      'create policy %I on analysis.%I as restrictive to analyze_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on analysis.%I to analyze_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format(
      'create policy %I on analysis.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on analysis.%I to core_purge', name);
  end loop;
end
$$;
create policy code_hosts_lookup on analysis.code_hosts for select to core_lookup using (true);

grant select, delete,
  insert (id, kind, name, url, owner, app_id, installation_id, credentials_encrypted, comments_on_closed, has_check_run, fail_on,
          created_at, updated_at),
  update (name, credentials_encrypted, comments_on_closed, has_check_run, fail_on, disabled_at, last_used_at, last_error_code,
          last_error_at, updated_at)
  on analysis.code_hosts to analyze_work;
grant select, delete, insert (code_host_id, repository, pull_request, analysis_id, analysed_at, lease_id, leased_until, updated_at),
  update (analysis_id, analysed_at, status, comment_id, error_code, lease_id, leased_until, updated_at)
  on analysis.pull_request_comments to analyze_work;
grant select (org_id, credentials_key_version) on analysis.code_hosts to core_lookup;

-- As in 0017: the credentials are wrapped anew when their KMS key is rotated.
create function analysis.list_orgs_with_sealed_code_host_credentials(below_version bigint, after_id uuid, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.org_id
  from analysis.code_hosts t
  where t.credentials_key_version < below_version and (after_id is null or t.org_id > after_id)
  group by t.org_id
  order by t.org_id
  limit most
$$;
comment on function analysis.list_orgs_with_sealed_code_host_credentials is
  'Organisations with rows wrapped under a KMS version below a number, in order of id, one page.';
revoke execute on function analysis.list_orgs_with_sealed_code_host_credentials(bigint, uuid, integer) from public;
grant execute on function analysis.list_orgs_with_sealed_code_host_credentials(bigint, uuid, integer) to analyze_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema analysis to core_lookup;
alter function analysis.list_orgs_with_sealed_code_host_credentials(bigint, uuid, integer) owner to core_lookup;
revoke create on schema analysis from core_lookup;
revoke core_lookup from current_user;
insert into core.sealed_columns (name) values ('analysis.code_hosts.credentials_encrypted');
