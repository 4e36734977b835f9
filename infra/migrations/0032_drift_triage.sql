-- owner: scan | locks: scan.drift_items, exclusively for a moment (columns without defaults)
-- What people say of drift: ignored by rule, ignored until, acknowledged, given to somebody; see ADR-0029.
set local lock_timeout = '5s';

create table scan.ignore_rules (
  org_id           uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id               uuid not null default uuidv7(),
  type_pattern     text check (length(type_pattern) between 1 and 200),
  address_pattern  text check (length(address_pattern) between 1 and 200),
  cloud_id_pattern text check (length(cloud_id_pattern) between 1 and 200),
  tag_pattern      text check (length(tag_pattern) between 1 and 200),
  path_pattern     text check (length(path_pattern) between 1 and 200),
  most_severity    text not null default 'high' check (most_severity in ('low', 'medium', 'high', 'critical')),
  reason           text not null check (length(reason) between 1 and 500),
  expires_at       timestamptz,
  created_by       text not null check (length(created_by) between 1 and 200),
  created_at       timestamptz not null,
  primary key (org_id, id),
  check (num_nonnulls(type_pattern, address_pattern, cloud_id_pattern, tag_pattern, path_pattern) > 0)
);
comment on table scan.ignore_rules is 'Drift that an organisation chose not to see, with a reason; rows are made and deleted, never changed.';
comment on column scan.ignore_rules.most_severity is 'What is worse than this is shown all the same.';

do $$
declare
  name text;
begin
  foreach name in array array['ignore_rules'] loop
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

grant select, delete,
  insert (type_pattern, address_pattern, cloud_id_pattern, tag_pattern, path_pattern, most_severity, reason, expires_at,
          created_by, created_at)
  on scan.ignore_rules to scan_work;

alter table scan.drift_items
  add column ignore_rule_id  uuid,
  add column ignored_until   timestamptz,
  add column acknowledged_at timestamptz,
  add column acknowledged_by text check (length(acknowledged_by) between 1 and 200),
  add column assignee        text check (length(assignee) between 1 and 200),
  add column note            text check (length(note) between 1 and 500),
  add constraint drift_items_acknowledged check ((acknowledged_at is null) = (acknowledged_by is null));
comment on column scan.drift_items.ignore_rule_id is 'The rule that hides it; without effect once that is deleted or over.';
comment on column scan.drift_items.assignee is 'A person or a team, in the organisation''s own words.';
comment on column scan.drift_items.note is 'Why it was acknowledged or ignored.';

-- A rule that is made hides what is known already, so the comparison tells an item which rule that is.
grant insert (ignore_rule_id), update (ignore_rule_id, ignored_until, acknowledged_at, acknowledged_by, assignee, note)
  on scan.drift_items to scan_work;
-- What is ignored is no news either.
grant select (ignore_rule_id) on scan.drift_items to webhook_work;
