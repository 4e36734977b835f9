-- owner: webhook | locks: core.orgs, scan.scans, scan.cloud_accounts, scan.drift_items, analysis.analyses, briefly (foreign keys, policies)
-- Where an organisation is told what happened, and what it was told; see ADR-0022.
set local lock_timeout = '5s';

create table webhook.notification_channels (
  org_id                    uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                        uuid not null default uuidv7(),
  kind                      text not null check (kind in ('webhook', 'slack', 'teams', 'email')),
  name                      text not null check (length(name) between 1 and 100),
  target_encrypted          bytea not null check (octet_length(target_encrypted) <= 16384),
  target_hint               text not null check (length(target_hint) between 1 and 300),
  current_secret_encrypted  bytea check (octet_length(current_secret_encrypted) <= 4096),
  previous_secret_encrypted bytea check (octet_length(previous_secret_encrypted) <= 4096),
  previous_expires_at       timestamptz,
  rotated_at                timestamptz,
  events                    text[] not null check (cardinality(events) between 1 and 20),
  least_severity            text not null default 'none' check (least_severity in ('none', 'low', 'medium', 'high', 'critical')),
  account_ids               uuid[] not null default '{}' check (cardinality(account_ids) <= 100),
  digest                    text not null default 'immediately' check (digest in ('immediately', 'hourly', 'daily')),
  digest_hour               smallint not null default 9 check (digest_hour between 0 and 23),
  quiet_from                time,
  quiet_until               time,
  time_zone                 text not null default 'UTC' check (length(time_zone) between 1 and 64),
  last_seq                  bigint not null default 0 check (last_seq >= 0),
  lease_id                  uuid,
  leased_until              timestamptz,
  failing_since             timestamptz,
  retry_at                  timestamptz,
  disabled_at               timestamptz,
  disabled_because          text check (disabled_because in ('person', 'gone', 'failing')),
  created_at                timestamptz not null default now(),
  primary key (org_id, id),
  check ((kind = 'webhook') = (current_secret_encrypted is not null)),
  check ((previous_secret_encrypted is null) = (previous_expires_at is null)),
  check ((quiet_from is null) = (quiet_until is null)),
  check ((lease_id is null) = (leased_until is null)),
  check ((disabled_at is null) = (disabled_because is null))
);
comment on table webhook.notification_channels is 'Where an organisation is told what happened, and of what; addresses and secrets only as ciphertext.';
comment on column webhook.notification_channels.target_encrypted is 'A URL, or e-mail addresses as a JSON list.';
comment on column webhook.notification_channels.target_hint is 'What is shown of it: the host and its last characters.';
comment on column webhook.notification_channels.previous_secret_encrypted is 'As in webhook.configs: both columns are one place to the envelope.';
comment on column webhook.notification_channels.last_seq is 'The number of the delivery that was put in last: deliveries are numbered under the lock of this row.';
comment on column webhook.notification_channels.retry_at is 'When the first message, which failed, is sent again: the others wait behind it.';
comment on column webhook.notification_channels.leased_until is 'Until when one worker alone sends to this channel.';
create index notification_channels_previous on webhook.notification_channels (previous_expires_at) where previous_expires_at is not null;

create table webhook.deliveries_out (
  org_id          uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id              uuid not null default uuidv7(),
  channel_id      uuid not null,
  seq             bigint not null check (seq > 0),
  event_kind      text not null check (length(event_kind) between 1 and 200),
  content         jsonb not null check (jsonb_typeof(content) = 'object' and pg_column_size(content) <= 65536),
  status          text not null check (status in ('collecting', 'pending', 'delivered', 'failed')),
  due_at          timestamptz not null,
  tries           integer not null default 0 check (tries >= 0),
  replays         integer not null default 0 check (replays >= 0),
  first_tried_at  timestamptz,
  last_tried_at   timestamptz,
  delivered_at    timestamptz,
  response_status integer check (response_status between 100 and 999),
  response_start  text check (length(response_start) <= 500),
  error_code      text check (length(error_code) between 1 and 100),
  created_at      timestamptz not null,
  primary key (org_id, id),
  unique (org_id, channel_id, seq),
  foreign key (org_id, channel_id) references webhook.notification_channels (org_id, id) on delete cascade
);
comment on table webhook.deliveries_out is 'What a channel is or was told, one row per message, in the order of `seq`; its id is the message''s for ever.';
comment on column webhook.deliveries_out.status is '`collecting`: open for more notices until it is due, at most one of a channel.';
comment on column webhook.deliveries_out.response_start is 'First characters of the last answer, without secrets.';
create unique index deliveries_out_collecting on webhook.deliveries_out (org_id, channel_id) where status = 'collecting';
create index deliveries_out_waiting on webhook.deliveries_out (org_id, channel_id, seq) where status in ('collecting', 'pending');
create index deliveries_out_due on webhook.deliveries_out (due_at) where status in ('collecting', 'pending');
create index deliveries_out_created on webhook.deliveries_out (created_at);

do $$
declare
  name text;
begin
  foreach name in array array['notification_channels', 'deliveries_out'] loop
    execute format('alter table webhook.%I enable row level security', name);
    execute format('alter table webhook.%I force row level security', name);
    execute format(
      'create policy %I on webhook.%I as restrictive to webhook_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_floor', name);
    execute format(
      'create policy %I on webhook.%I to webhook_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))', name || '_org', name);
    execute format('create policy %I on webhook.%I for select to core_lookup using (true)', name || '_lookup', name);
    execute format(
      'create policy %I on webhook.%I to core_purge using (org_id in (select id from core.orgs where purged_at is not null))',
      name || '_purge', name);
    execute format('grant delete, select (org_id, ctid) on webhook.%I to core_purge', name);
  end loop;
end
$$;

grant select, delete,
  insert (id, kind, name, target_encrypted, target_hint, current_secret_encrypted, events, least_severity, account_ids, digest,
          digest_hour, quiet_from, quiet_until, time_zone, created_at),
  update (name, target_encrypted, target_hint, current_secret_encrypted, previous_secret_encrypted, previous_expires_at, rotated_at,
          events, least_severity, account_ids, digest, digest_hour, quiet_from, quiet_until, time_zone, last_seq, lease_id,
          leased_until, failing_since, retry_at, disabled_at, disabled_because)
  on webhook.notification_channels to webhook_work;
grant select, delete, insert (id, channel_id, seq, event_kind, content, status, due_at, created_at),
  update (content, status, due_at, tries, replays, first_tried_at, last_tried_at, delivered_at, response_status, response_start,
          error_code)
  on webhook.deliveries_out to webhook_work;

-- What messages are about is read where it stands: events name things and do not copy them.
do $$
declare
  target record;
begin
  for target in
    select *
    from (values ('scan', 'scans'), ('scan', 'cloud_accounts'), ('scan', 'drift_items'), ('analysis', 'analyses'))
      as found (schema_name, table_name)
  loop
    execute format(
      'create policy %I on %I.%I as restrictive to webhook_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))',
      target.table_name || '_notify_floor', target.schema_name, target.table_name);
    execute format(
      'create policy %I on %I.%I to webhook_work
         using (org_id = (select current_setting(''app.org_id'', true)::uuid))
         with check (org_id = (select current_setting(''app.org_id'', true)::uuid))',
      target.table_name || '_notify_org', target.schema_name, target.table_name);
  end loop;
end
$$;
grant usage on schema scan, analysis to webhook_work;
grant select (org_id, id, account_id, finished_at) on scan.scans to webhook_work;
grant select (org_id, id, provider, name, external_account) on scan.cloud_accounts to webhook_work;
grant select (org_id, id, account_id, scan_id, kind, type, address, cloud_id, path, severity, rule, status, first_seen_at, last_seen_at)
  on scan.drift_items to webhook_work;
grant select (org_id, id, repository, branch, pull_request, risk_level, is_refused, summary) on analysis.analyses to webhook_work;

-- As in 0017: sealed columns say under which version they stand, and a lookup lists whose rows are due.
grant core_lookup to current_user with inherit false, set true;
grant create on schema webhook to core_lookup;
do $do$
declare
  target record;
begin
  for target in
    select *
    from (values
      ('target', 'list_orgs_with_sealed_channel_targets'),
      ('current_secret', 'list_orgs_with_sealed_current_channel_secrets'),
      ('previous_secret', 'list_orgs_with_sealed_previous_channel_secrets')
    ) as found (what, lookup)
  loop
    execute format(
      'alter table webhook.notification_channels
         add column %2$I bigint generated always as (
           case
             when %1$I is null then null
             when octet_length(%1$I) > 7 and get_byte(%1$I, 0) = 2 then
               cast(get_byte(%1$I, 1) as bigint) * 16777216 + get_byte(%1$I, 2) * 65536 + get_byte(%1$I, 3) * 256 + get_byte(%1$I, 4)
             else 0
           end
         ) stored',
      target.what || '_encrypted', target.what || '_key_version');
    execute format(
      'comment on column webhook.notification_channels.%I is ''Number of the KMS version under which the data key is wrapped.''',
      target.what || '_key_version');
    execute format(
      'create index %I on webhook.notification_channels (%I, org_id) where %2$I is not null',
      'notification_channels_' || target.what, target.what || '_key_version');
    execute format(
      'grant select (org_id, %I) on webhook.notification_channels to core_lookup', target.what || '_key_version');
    execute format(
      'create function webhook.%1$I(below_version bigint, after_id uuid, most integer)
       returns table (org_id uuid)
       language sql stable security definer set search_path = pg_catalog, pg_temp
       as $f$
         select t.org_id
         from webhook.notification_channels t
         where t.%2$I < below_version and (after_id is null or t.org_id > after_id)
         group by t.org_id
         order by t.org_id
         limit most
       $f$',
      target.lookup, target.what || '_key_version');
    execute format(
      'comment on function webhook.%I is ''Organisations with rows wrapped under a KMS version below a number, in order of id, one page.''',
      target.lookup);
    execute format('revoke execute on function webhook.%I(bigint, uuid, integer) from public', target.lookup);
    execute format('grant execute on function webhook.%I(bigint, uuid, integer) to webhook_login', target.lookup);
    execute format('alter function webhook.%I(bigint, uuid, integer) owner to core_lookup', target.lookup);
    insert into core.sealed_columns (name)
    values (format('webhook.notification_channels.%s_encrypted', target.what));
  end loop;
end
$do$;

grant select (org_id, id, leased_until, retry_at, disabled_at, previous_expires_at) on webhook.notification_channels to core_lookup;
grant select (org_id, channel_id, status, due_at, created_at) on webhook.deliveries_out to core_lookup;

create function webhook.list_due_channels(due_before timestamptz, most integer)
returns table (org_id uuid, channel_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.org_id, c.id
  from webhook.notification_channels c
  join core.orgs o on o.id = c.org_id and o.deleted_at is null
  join (
    select d.org_id, d.channel_id, min(d.due_at) as due_at
    from webhook.deliveries_out d
    where d.status in ('collecting', 'pending') and d.due_at <= due_before
    group by d.org_id, d.channel_id
  ) as waiting on waiting.org_id = c.org_id and waiting.channel_id = c.id
  where c.disabled_at is null and (c.leased_until is null or c.leased_until <= due_before)
    and (c.retry_at is null or c.retry_at <= due_before)
  order by waiting.due_at
  limit most
$$;
comment on function webhook.list_due_channels is 'Channels with something due that nobody sends at the moment, longest due first, for the sweep.';

create function webhook.list_orgs_to_purge_out(rows_before timestamptz, secrets_before timestamptz, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select found.org_id
  from (
    select d.org_id from webhook.deliveries_out d where d.created_at <= rows_before
    union
    select c.org_id from webhook.notification_channels c where c.previous_expires_at <= secrets_before
  ) as found
  order by found.org_id
  limit most
$$;
comment on function webhook.list_orgs_to_purge_out is 'Organisations that hold deliveries or secrets of channels whose time is over, for the purge.';

create function webhook.list_admin_emails(wanted_org_id uuid, most integer)
returns table (email text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select u.email
  from core.members m
  join core.users u on u.id = m.user_id and u.disabled_at is null
  join core.orgs o on o.id = m.org_id and o.deleted_at is null
  where m.org_id = wanted_org_id and m.role in ('admin', 'owner')
  order by u.id
  limit most
$$;
comment on function webhook.list_admin_emails is 'Who is told by e-mail that a channel was switched off: the admins and owners of one organisation.';

revoke execute on function webhook.list_due_channels(timestamptz, integer),
  webhook.list_orgs_to_purge_out(timestamptz, timestamptz, integer), webhook.list_admin_emails(uuid, integer) from public;
grant execute on function webhook.list_due_channels(timestamptz, integer),
  webhook.list_orgs_to_purge_out(timestamptz, timestamptz, integer), webhook.list_admin_emails(uuid, integer) to webhook_login;
alter function webhook.list_due_channels(timestamptz, integer) owner to core_lookup;
alter function webhook.list_orgs_to_purge_out(timestamptz, timestamptz, integer) owner to core_lookup;
alter function webhook.list_admin_emails(uuid, integer) owner to core_lookup;
revoke create on schema webhook from core_lookup;
revoke core_lookup from current_user;
