-- owner: analyze | locks: core.orgs, briefly (foreign keys)
-- Language models: an organisation's own, and what was asked; see ADR-0020.
set local lock_timeout = '5s';

create table analysis.llm_configs (
  org_id                  uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                      uuid not null default uuidv7(),
  provider                text not null
    check (provider in ('anthropic', 'openai', 'azure_openai', 'gemini', 'bedrock', 'openai_compatible')),
  model                   text not null check (length(model) between 1 and 256),
  endpoint                text check (length(endpoint) between 1 and 500),
  region                  text check (length(region) between 1 and 50),
  credentials_encrypted   bytea not null check (octet_length(credentials_encrypted) <= 32768),
  credentials_key_version bigint generated always as (
    case
      when octet_length(credentials_encrypted) > 7 and get_byte(credentials_encrypted, 0) = 2 then
        cast(get_byte(credentials_encrypted, 1) as bigint) * 16777216 + get_byte(credentials_encrypted, 2) * 65536
          + get_byte(credentials_encrypted, 3) * 256 + get_byte(credentials_encrypted, 4)
      else 0
    end
  ) stored,
  updated_at              timestamptz not null,
  primary key (org_id)
);
comment on table analysis.llm_configs is 'The language model of an organisation''s own, at most one; its credentials only as ciphertext.';
comment on column analysis.llm_configs.id is 'The place of the ciphertext; new with every change.';
comment on column analysis.llm_configs.endpoint is 'To be shown. Where calls go, and with which credentials, stands in the ciphertext.';
comment on column analysis.llm_configs.credentials_key_version is 'Number of the KMS version under which the data key is wrapped.';
create index llm_configs_credentials_key_version on analysis.llm_configs (credentials_key_version, org_id);

create table analysis.llm_usage (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  day           date not null,
  source        text not null check (source in ('own', 'platform')),
  provider      text not null check (length(provider) between 1 and 50),
  model         text not null check (length(model) between 1 and 256),
  calls         bigint not null check (calls >= 1),
  failures      bigint not null default 0 check (failures between 0 and calls),
  input_tokens  bigint not null default 0 check (input_tokens >= 0),
  output_tokens bigint not null default 0 check (output_tokens >= 0),
  primary key (org_id, day, source, provider, model)
);
comment on table analysis.llm_usage is 'What each language model was asked on each day (UTC), and what the vendor counted.';

do $$
declare
  name text;
begin
  foreach name in array array['llm_configs', 'llm_usage'] loop
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
create policy llm_configs_lookup on analysis.llm_configs for select to core_lookup using (true);

grant select, delete, insert (id, provider, model, endpoint, region, credentials_encrypted, updated_at),
  update (id, provider, model, endpoint, region, credentials_encrypted, updated_at)
  on analysis.llm_configs to analyze_work;
grant select, insert (day, source, provider, model, calls, failures, input_tokens, output_tokens),
  update (calls, failures, input_tokens, output_tokens)
  on analysis.llm_usage to analyze_work;
grant select (org_id, credentials_key_version) on analysis.llm_configs to core_lookup;

-- As in 0017: the credentials are wrapped anew when their KMS key is rotated.
create function analysis.list_orgs_with_sealed_model_credentials(below_version bigint, after_id uuid, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.org_id
  from analysis.llm_configs t
  where t.credentials_key_version < below_version and (after_id is null or t.org_id > after_id)
  group by t.org_id
  order by t.org_id
  limit most
$$;
comment on function analysis.list_orgs_with_sealed_model_credentials is
  'Organisations with rows wrapped under a KMS version below a number, in order of id, one page.';
revoke execute on function analysis.list_orgs_with_sealed_model_credentials(bigint, uuid, integer) from public;
grant execute on function analysis.list_orgs_with_sealed_model_credentials(bigint, uuid, integer) to analyze_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema analysis to core_lookup;
alter function analysis.list_orgs_with_sealed_model_credentials(bigint, uuid, integer) owner to core_lookup;
revoke create on schema analysis from core_lookup;
revoke core_lookup from current_user;
insert into core.sealed_columns (name) values ('analysis.llm_configs.credentials_encrypted');
grant select, insert (sealed_column, kind, target_version),
  update (target_version, status, after_org_id, after_row_id, seen, changed, overtaken, unreadable, unreadable_rows, moved_at,
          finished_at)
  on core.reseal_runs to analyze_work;
