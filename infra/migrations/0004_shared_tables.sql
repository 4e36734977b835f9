-- owner: shared | locks: core.orgs, briefly (foreign keys)
set local lock_timeout = '5s';

create table core.outbox (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id           uuid not null default uuidv7(),
  topic        text not null check (length(topic) between 1 and 100),
  ordering_key text not null default '' check (length(ordering_key) <= 200),
  payload      jsonb not null,
  traceparent  text not null default '',
  created_at   timestamptz not null default now(),
  taken_at     timestamptz,
  primary key (org_id, id)
);
comment on table core.outbox is 'What must leave the database: written with its cause, deleted once the queue took it.';
comment on column core.outbox.taken_at is 'When the relay last took the row over; others leave it alone for a minute.';
create index outbox_created on core.outbox (created_at);

create table core.idempotency_keys (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  key         text not null check (length(key) between 1 and 200),
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  status      integer,
  body        jsonb,
  created_at  timestamptz not null default now(),
  primary key (org_id, key)
);
comment on table core.idempotency_keys is 'Replies to POSTs that carried an Idempotency-Key, kept for 24 hours.';
create index idempotency_keys_created on core.idempotency_keys (created_at);

create table core.event_claims (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  subscription text not null check (length(subscription) between 1 and 100),
  event_id     text not null check (length(event_id) between 1 and 200),
  created_at   timestamptz not null default now(),
  primary key (org_id, subscription, event_id)
);
comment on table core.event_claims is 'Events already handled, so that a redelivery has no second effect.';
create index event_claims_created on core.event_claims (created_at);

create table core.audit_log (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id          uuid not null default uuidv7(),
  at          timestamptz not null default clock_timestamp(),
  action      text not null check (action ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'),
  actor_kind  text not null,
  actor_id    text not null default '',
  target_kind text not null default '',
  target_id   text not null default '',
  facts       jsonb not null default '{}',
  request_id  text not null default '',
  primary key (org_id, id)
);
comment on table core.audit_log is 'Security-sensitive changes: who, what, to what, when. Append-only; holds no secret.';

do $$
declare
  name text;
begin
  foreach name in array array['outbox', 'idempotency_keys', 'event_claims', 'audit_log'] loop
    execute format('alter table core.%I enable row level security', name);
    execute format('alter table core.%I force row level security', name);
    execute format(
      'create policy %I on core.%I as restrictive to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on core.%I to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
  end loop;
end
$$;

grant select, delete, insert (topic, ordering_key, payload, traceparent), update (taken_at) on core.outbox
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant select, delete, insert (key, fingerprint, status, body), update (fingerprint, status, body, created_at)
  on core.idempotency_keys to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant select, insert (subscription, event_id) on core.event_claims
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant select, insert (action, actor_kind, actor_id, target_kind, target_id, facts, request_id) on core.audit_log
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;

create policy outbox_lookup on core.outbox for select to core_lookup using (true);
grant select (org_id, id, created_at) on core.outbox to core_lookup;
