-- owner: webhook | locks: core.orgs and core.members, briefly (foreign keys)
-- Installations of our Slack app that an admin began; see ADR-0022.
set local lock_timeout = '5s';

create table webhook.slack_installs (
  org_id     uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  user_id    uuid not null,
  state_hash bytea not null check (octet_length(state_hash) = 32),
  name       text check (length(name) between 1 and 100),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (org_id, user_id),
  foreign key (org_id, user_id) references core.members (org_id, user_id) on delete cascade
);
comment on table webhook.slack_installs is 'Slack installations under way, one of a person at most: from the redirect to the callback, used once.';
comment on column webhook.slack_installs.name is 'What the channel is to be called; null for the name of Slack''s.';

alter table webhook.slack_installs enable row level security;
alter table webhook.slack_installs force row level security;
create policy slack_installs_floor on webhook.slack_installs as restrictive to webhook_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy slack_installs_org on webhook.slack_installs to webhook_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy slack_installs_purge on webhook.slack_installs to core_purge
  using (org_id in (select id from core.orgs where purged_at is not null));
grant delete, select (org_id, ctid) on webhook.slack_installs to core_purge;
grant select, delete, insert (user_id, state_hash, name, created_at, expires_at),
  update (state_hash, name, created_at, expires_at)
  on webhook.slack_installs to webhook_work;
