-- owner: analyze | locks: core.orgs, briefly (foreign keys)
-- How an organisation wants plans judged: its policy, rules that are switched off, its own rules, and noise; see ADR-0021.
set local lock_timeout = '5s';

create table analysis.policies (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  version    integer not null check (version > 0),
  rules      jsonb not null check (jsonb_typeof(rules) = 'array' and jsonb_array_length(rules) <= 200),
  changed_by text not null check (length(changed_by) between 1 and 200),
  created_at timestamptz not null,
  primary key (org_id, version)
);
comment on table analysis.policies is 'Every version of an organisation''s policy; the highest one holds. None means that the rules'' severities count.';

create table analysis.disabled_rules (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  rule_id     text not null check (length(rule_id) between 1 and 100),
  reason      text not null check (length(reason) between 1 and 500),
  disabled_by text not null check (length(disabled_by) between 1 and 200),
  created_at  timestamptz not null,
  primary key (org_id, rule_id)
);
comment on table analysis.disabled_rules is 'Built-in rules that say nothing about an organisation''s plans, and why.';

create table analysis.custom_rules (
  org_id           uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id               uuid not null default uuidv7(),
  name             text not null check (length(name) between 1 and 60),
  title            text not null check (length(title) between 1 and 200),
  expression       text not null check (length(expression) between 1 and 2000),
  severity         text not null check (severity in ('low', 'medium', 'high', 'critical')),
  reason           text not null default '' check (length(reason) <= 1000),
  remedy           text not null default '' check (length(remedy) <= 1000),
  resource_pattern text check (length(resource_pattern) between 1 and 200),
  is_enabled       boolean not null default true,
  created_by       text not null check (length(created_by) between 1 and 200),
  created_at       timestamptz not null,
  changed_at       timestamptz not null,
  primary key (org_id, id),
  constraint custom_rules_name unique (org_id, name)
);
comment on table analysis.custom_rules is 'An organisation''s own rules: an expression over a change that raises a finding where it is true.';
comment on column analysis.custom_rules.name is 'The rule''s id is made from it, so it does not change.';

create table analysis.noise_settings (
  org_id          uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  is_enabled      boolean not null,
  times           smallint not null check (times between 1 and 20),
  days            smallint not null check (days between 1 and 90),
  hides_recurring boolean not null,
  changed_at      timestamptz not null,
  primary key (org_id)
);
comment on table analysis.noise_settings is 'How an organisation wants noise in plans treated; no row means the defaults.';

create table analysis.noise_seen (
  org_id        uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id            uuid not null default uuidv7(),
  key_sha256    bytea not null check (octet_length(key_sha256) = 32),
  type          text not null check (length(type) <= 200),
  address       text not null check (length(address) <= 1000),
  attribute     text not null check (length(attribute) <= 200),
  reason        text not null check (length(reason) <= 200),
  times         bigint not null default 1 check (times > 0),
  recent_at     timestamptz[] not null check (cardinality(recent_at) between 1 and 20),
  first_seen_at timestamptz not null,
  last_seen_at  timestamptz not null,
  primary key (org_id, id),
  constraint noise_seen_key unique (org_id, key_sha256)
);
comment on table analysis.noise_seen is 'Differences in plans that change nothing, and how often each was seen.';
comment on column analysis.noise_seen.key_sha256 is 'Over type, address without index keys, attribute and reason, each as it was before it was cut to fit here.';
comment on column analysis.noise_seen.recent_at is 'When it was seen the last times, the newest first.';
create index noise_seen_last on analysis.noise_seen (org_id, last_seen_at);

create table analysis.noise_suppressions (
  org_id            uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                uuid not null default uuidv7(),
  attribute_pattern text not null check (length(attribute_pattern) between 1 and 200),
  type_pattern      text check (length(type_pattern) between 1 and 200),
  address_pattern   text check (length(address_pattern) between 1 and 200),
  reason            text not null check (length(reason) between 1 and 500),
  expires_at        timestamptz,
  created_by        text not null check (length(created_by) between 1 and 200),
  created_at        timestamptz not null,
  primary key (org_id, id)
);
comment on table analysis.noise_suppressions is 'Differences of attributes in updates that an organisation chose not to see.';
create index noise_suppressions_expires on analysis.noise_suppressions (org_id, expires_at) where expires_at is not null;

do $$
declare
  name text;
begin
  foreach name in array
    array['policies', 'disabled_rules', 'custom_rules', 'noise_settings', 'noise_seen', 'noise_suppressions']
  loop
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

grant select, insert (version, rules, changed_by, created_at) on analysis.policies to analyze_work;
grant select, delete, insert (rule_id, reason, disabled_by, created_at), update (reason, disabled_by, created_at)
  on analysis.disabled_rules to analyze_work;
grant select, delete,
  insert (name, title, expression, severity, reason, remedy, resource_pattern, is_enabled, created_by, created_at, changed_at),
  update (title, expression, severity, reason, remedy, resource_pattern, is_enabled, changed_at)
  on analysis.custom_rules to analyze_work;
grant select, insert (is_enabled, times, days, hides_recurring, changed_at),
  update (is_enabled, times, days, hides_recurring, changed_at)
  on analysis.noise_settings to analyze_work;
grant select, delete, insert (key_sha256, type, address, attribute, reason, recent_at, first_seen_at, last_seen_at),
  update (times, recent_at, last_seen_at)
  on analysis.noise_seen to analyze_work;
grant select, delete,
  insert (attribute_pattern, type_pattern, address_pattern, reason, expires_at, created_by, created_at)
  on analysis.noise_suppressions to analyze_work;
