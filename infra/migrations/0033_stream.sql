-- owner: scan | locks: scan.state_resources and scan.live_resources, exclusively while they are rewritten; scan.gaps and scan.scans, briefly | contract: the types stay text and only their order changes; a trigger fills account_id for the release before
-- Comparisons that stream in key order, in parts, past what did not change; see ADR-0030.
set local lock_timeout = '5s';

create function scan.content_hash(attributes jsonb, marks text[])
returns bytea
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(attributes::text || e'\n' || array_to_string(marks, ','), 'UTF8'))
$$;
comment on function scan.content_hash is 'Names what is stored of a resource. The text of a jsonb value is canonical: members in one order, each once.';
revoke execute on function scan.content_hash(jsonb, text[]) from public;
grant execute on function scan.content_hash(jsonb, text[]) to scan_work;

-- Keys are ordered by their bytes, here and in the worker, whatever the database's own collation is.
alter table scan.state_resources
  alter column type type text collate "C",
  alter column key type text collate "C",
  add column account_id uuid,
  add column content_hash bytea not null generated always as (scan.content_hash(attributes, sensitive)) stored;
-- The owner would see no row; nobody else sees this transaction.
alter table scan.state_resources no force row level security;
alter table scan.state_sources no force row level security;
alter table scan.live_resources no force row level security;
update scan.state_resources r
set account_id = s.account_id,
  key = case when octet_length(r.key) > 1200 then left(r.key, 200) || '~' || encode(sha256(convert_to(r.key, 'UTF8')), 'hex') else r.key end
from scan.state_sources s
where s.org_id = r.org_id and s.id = r.source_id;
alter table scan.state_resources force row level security;
alter table scan.state_sources force row level security;
alter table scan.state_resources alter column account_id set not null;
comment on column scan.state_resources.account_id is 'That of its source, which never changes; here so that one index holds an account in key order.';
create index state_resources_identity on scan.state_resources (org_id, account_id, type, key);
create index state_resources_parent on scan.state_resources (org_id, account_id, (parent[1] collate "C"), (parent[2] collate "C"))
  where parent is not null;
grant insert (account_id) on scan.state_resources to scan_work;
create function scan.fill_state_account()
returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.account_id is null then
    select s.account_id into new.account_id from scan.state_sources s where s.org_id = new.org_id and s.id = new.source_id;
  end if;
  return new;
end
$$;
comment on function scan.fill_state_account is 'For the release before, which names a state''s source and no account.';
revoke execute on function scan.fill_state_account() from public;
create trigger state_resources_account before insert on scan.state_resources
  for each row when (new.account_id is null) execute function scan.fill_state_account();
alter table scan.state_resources enable always trigger state_resources_account;

alter table scan.live_resources
  alter column type type text collate "C",
  alter column key type text collate "C",
  add column content_hash bytea not null generated always as (scan.content_hash(attributes, '{}')) stored,
  add column agreed_hash bytea check (octet_length(agreed_hash) = 32);
alter table scan.live_resources set (fillfactor = 80);  -- setting agreed_hash leaves the indexes alone then
comment on column scan.live_resources.agreed_hash is
  'Of the rules and of both sides, as they were when a comparison last found no difference between them.';
grant update (agreed_hash) on scan.live_resources to scan_work;

create index gaps_resource on scan.gaps (org_id, scan_id, (types[1] collate "C"), (key collate "C")) where key is not null;

alter table scan.scans
  add column comparison jsonb,
  add column compared_at timestamptz;
comment on column scan.scans.comparison is 'How far the comparison is and what it counted; null before it begins.';
comment on column scan.scans.compared_at is 'When a part of the comparison was last done.';
grant update (comparison, compared_at) on scan.scans to scan_work;

create table scan.live_aliases (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  account_id uuid not null,
  type       text collate "C" not null,
  key        text collate "C" not null,
  live_type  text collate "C" not null,
  live_key   text collate "C" not null,
  primary key (org_id, account_id, type, key, live_type, live_key),
  foreign key (org_id, account_id, live_type, live_key) references scan.live_resources (org_id, account_id, type, key) on delete cascade
);
comment on table scan.live_aliases is 'Further names under which a state may declare a live resource.';
create index live_aliases_live on scan.live_aliases (org_id, account_id, live_type, live_key);

create table scan.findings (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  scan_id     uuid not null,
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  item        jsonb not null,
  primary key (org_id, scan_id, fingerprint),
  foreign key (org_id, scan_id) references scan.scans (org_id, id) on delete cascade
);
comment on table scan.findings is 'What a comparison that is under way found so far; moved to drift_items at once when it ends.';

do $$
declare
  name text;
begin
  foreach name in array array['live_aliases', 'findings'] loop
    execute format('alter table scan.%I enable row level security', name);
    execute format('alter table scan.%I force row level security', name);
    execute format(
      'create policy %I on scan.%I as restrictive to scan_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on scan.%I to scan_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format(
      'create policy %I on scan.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on scan.%I to core_purge', name);
  end loop;
end
$$;

alter table scan.live_aliases no force row level security;
insert into scan.live_aliases (org_id, account_id, type, key, live_type, live_key)
select distinct l.org_id, l.account_id, a.alias ->> 0, a.alias ->> 1, l.type, l.key
from scan.live_resources l
cross join jsonb_array_elements(l.aliases) as a (alias)
where octet_length(l.key) <= 1200 and octet_length(a.alias ->> 1) <= 1200;
alter table scan.live_aliases force row level security;
alter table scan.live_resources force row level security;

grant select, delete, insert (account_id, type, key, live_type, live_key) on scan.live_aliases to scan_work;
grant select, delete, insert (scan_id, fingerprint, item), update (item) on scan.findings to scan_work;
