-- owner: analyze | locks: core.orgs and scan.drift_items, briefly (foreign keys, a policy)
-- Plans that were judged, and what drift is told in words; see ADR-0019.
set local lock_timeout = '5s';

create schema analysis;
grant usage on schema analysis to analyze_work, analyze_login, core_lookup, core_purge;
comment on schema analysis is 'Terraform plans that were judged, and how an organisation wants them judged.';

create table analysis.analyses (
  org_id            uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                uuid not null default uuidv7(),
  requested_by      text not null check (length(requested_by) between 1 and 200),
  repository        text not null default '' check (length(repository) <= 410),
  branch            text not null default '' check (length(branch) <= 300),
  pull_request      integer check (pull_request > 0),
  risk_level        text not null check (risk_level in ('none', 'low', 'medium', 'high', 'critical')),
  fail_on           text check (fail_on in ('low', 'medium', 'high', 'critical')),
  is_refused        boolean not null default false,
  terraform_version text not null default '' check (length(terraform_version) <= 50),
  summary           text not null check (length(summary) <= 2000),
  answer            jsonb not null check (pg_column_size(answer) <= 16777216),
  created_at        timestamptz not null,
  primary key (org_id, id)
);
comment on table analysis.analyses is 'One judgement of one plan. The plan itself is not kept.';
comment on column analysis.analyses.answer is 'What the caller was told; values that Terraform calls sensitive were never in it.';
comment on column analysis.analyses.is_refused is 'Whether the risk reached the gate the caller had set.';
create index analyses_created on analysis.analyses (org_id, created_at);
create index analyses_pull_request on analysis.analyses (org_id, repository, pull_request);

do $$
declare
  name text;
begin
  foreach name in array array['analyses'] loop
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
    execute format('create policy %I on analysis.%I for select to core_lookup using (true)', name || '_lookup', name);
    execute format(
      'create policy %I on analysis.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on analysis.%I to core_purge', name);
  end loop;
end
$$;

grant select, delete,
  insert (id, requested_by, repository, branch, pull_request, risk_level, fail_on, is_refused, terraform_version,
          summary, answer, created_at)
  on analysis.analyses to analyze_work;
grant select (org_id, created_at) on analysis.analyses to core_lookup;

-- A plan is held against what drifted: analyze reads open drift and writes none.
create policy drift_items_analyze_floor on scan.drift_items as restrictive to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy drift_items_analyze_org on scan.drift_items to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
grant usage on schema scan to analyze_work;
grant select on scan.drift_items to analyze_work;
create index drift_items_address on scan.drift_items (org_id, address) where status = 'open' and address is not null;

create function analysis.list_orgs_to_purge(free_before timestamptz, team_before timestamptz, after_id uuid, most integer)
returns table (org_id uuid, plan text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id, o.plan
  from core.orgs o
  where (after_id is null or o.id > after_id)
    and exists (
      select from analysis.analyses a
      where a.org_id = o.id
        and a.created_at < case o.plan when 'free' then free_before when 'team' then team_before end
    )
  order by o.id
  limit most
$$;
comment on function analysis.list_orgs_to_purge is 'Organisations with analyses older than their plan keeps them, for the purge.';
revoke execute on function analysis.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) from public;
grant execute on function analysis.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) to analyze_login;
-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema analysis to core_lookup;
alter function analysis.list_orgs_to_purge(timestamptz, timestamptz, uuid, integer) owner to core_lookup;
revoke create on schema analysis from core_lookup;
revoke core_lookup from current_user;
