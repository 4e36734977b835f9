-- owner: webhook | locks: core.orgs, briefly (foreign keys)
-- Webhooks that come in; see ADR-0013.
set local lock_timeout = '5s';

create schema webhook;
grant usage on schema webhook to webhook_work, webhook_login, core_lookup;
comment on schema webhook is 'Webhook configs, and what was delivered to them.';

create table webhook.configs (
  org_id                    uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id                        uuid not null default uuidv7(),
  provider                  text not null check (provider in ('atlantis', 'github', 'gitlab', 'terraform_cloud', 'stripe', 'slack', 'standard')),
  name                      text not null check (length(name) between 1 and 100),
  current_secret_encrypted  bytea,
  previous_secret_encrypted bytea,
  previous_expires_at       timestamptz,
  rotated_at                timestamptz,
  disabled_at               timestamptz,
  created_at                timestamptz not null default now(),
  primary key (org_id, id),
  check ((previous_secret_encrypted is null) = (previous_expires_at is null))
);
comment on table webhook.configs is 'Where one sender delivers to, with the secret it signs with and the one before that; both only as ciphertext.';
comment on column webhook.configs.current_secret_encrypted is 'Null until a secret that the provider makes was given; nothing is let in before.';
comment on column webhook.configs.previous_secret_encrypted is 'The ciphertext that stood in the current column before the last rotation: both columns are one place to the envelope.';
create index configs_id on webhook.configs (id);
create index configs_previous on webhook.configs (previous_expires_at) where previous_expires_at is not null;

create table webhook.deliveries_in (
  org_id         uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  id             uuid not null default uuidv7(),
  config_id      uuid not null,
  provider       text not null check (length(provider) between 1 and 50),
  external_id    text check (length(external_id) between 1 and 200),
  proved_by      text not null check (proved_by in ('current', 'previous')),
  content_type   text not null default '' check (length(content_type) <= 200),
  event_name     text not null default '' check (length(event_name) <= 200),
  body_sha256    bytea not null check (octet_length(body_sha256) = 32),
  body_bytes     integer not null check (body_bytes between 0 and 1048576),
  body_encrypted bytea check (octet_length(body_encrypted) <= 1049600),
  body_purged_at timestamptz check (body_purged_at is null or body_encrypted is null),
  status         text not null default 'received' check (status in ('received', 'handled', 'failed')),
  tries          integer not null default 0 check (tries >= 0),
  repeats        integer not null default 0 check (repeats >= 0),
  event_kind     text check (length(event_kind) between 1 and 200),
  error_code     text check (length(error_code) between 1 and 100),
  received_at    timestamptz not null,
  handled_at     timestamptz,
  primary key (org_id, id),
  unique (org_id, config_id, external_id),
  foreign key (org_id, config_id) references webhook.configs (org_id, id) on delete cascade
);
comment on table webhook.deliveries_in is 'Deliveries whose signature was right, each once; bodies only as ciphertext, and only for some days.';
comment on column webhook.deliveries_in.external_id is 'What the sender calls it; null when it gives no name. Two nulls are not the same.';
comment on column webhook.deliveries_in.proved_by is 'Which of the config''s secrets it was signed with.';
comment on column webhook.deliveries_in.repeats is 'How often the same delivery came again and was answered `already_processed`.';
create index deliveries_in_received on webhook.deliveries_in (received_at);
create index deliveries_in_bodies on webhook.deliveries_in (received_at) where body_purged_at is null;

create table webhook.body_claims (
  org_id      uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  config_id   uuid not null,
  body_sha256 bytea not null check (octet_length(body_sha256) = 32),
  taken_as    uuid not null,
  claimed_at  timestamptz not null,
  primary key (org_id, config_id, body_sha256),
  foreign key (org_id, config_id) references webhook.configs (org_id, id) on delete cascade
);
comment on table webhook.body_claims is 'Bodies that were taken in during the last day: the same body is not taken in again, whatever its unsigned headers say.';
comment on column webhook.body_claims.taken_as is 'The delivery that brought the body.';
create index body_claims_claimed on webhook.body_claims (claimed_at);

do $$
declare
  name text;
begin
  foreach name in array array['configs', 'deliveries_in', 'body_claims'] loop
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
  end loop;
end
$$;

grant select, delete, insert (id, provider, name, current_secret_encrypted),
  update (name, current_secret_encrypted, previous_secret_encrypted, previous_expires_at, rotated_at, disabled_at)
  on webhook.configs to webhook_work;
grant select, delete,
  insert (id, config_id, provider, external_id, proved_by, content_type, event_name, body_sha256, body_bytes, body_encrypted, received_at),
  update (body_encrypted, body_purged_at, status, tries, repeats, event_kind, error_code, handled_at)
  on webhook.deliveries_in to webhook_work;
grant select, delete, insert (config_id, body_sha256, taken_as, claimed_at), update (taken_as, claimed_at)
  on webhook.body_claims to webhook_work;

grant select (org_id, id, provider, current_secret_encrypted, previous_secret_encrypted, previous_expires_at, disabled_at)
  on webhook.configs to core_lookup;
grant select (org_id, received_at, body_purged_at) on webhook.deliveries_in to core_lookup;
grant select (org_id, claimed_at) on webhook.body_claims to core_lookup;

create function webhook.find_config(wanted_id uuid)
returns table (
  org_id uuid, provider text, current_secret_encrypted bytea, previous_secret_encrypted bytea, previous_expires_at timestamptz,
  disabled_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.org_id, c.provider, c.current_secret_encrypted, c.previous_secret_encrypted, c.previous_expires_at, c.disabled_at
  from webhook.configs c
  join core.orgs o on o.id = c.org_id and o.deleted_at is null
  where c.id = wanted_id
$$;
comment on function webhook.find_config is 'The one config with this id, with its secrets as ciphertext: what a delivery is checked against.';

create function webhook.list_orgs_to_purge(
  rows_before timestamptz, bodies_before timestamptz, claims_before timestamptz, secrets_before timestamptz, most integer
)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select found.org_id
  from (
    select d.org_id from webhook.deliveries_in d where d.received_at <= rows_before
    union
    select d.org_id from webhook.deliveries_in d where d.body_purged_at is null and d.received_at <= bodies_before
    union
    select b.org_id from webhook.body_claims b where b.claimed_at <= claims_before
    union
    select c.org_id from webhook.configs c where c.previous_expires_at <= secrets_before
  ) as found
  order by found.org_id
  limit most
$$;
comment on function webhook.list_orgs_to_purge is 'Organisations that hold something whose time is over, for the purge.';

revoke execute on function webhook.find_config(uuid),
  webhook.list_orgs_to_purge(timestamptz, timestamptz, timestamptz, timestamptz, integer) from public;
grant execute on function webhook.find_config(uuid),
  webhook.list_orgs_to_purge(timestamptz, timestamptz, timestamptz, timestamptz, integer) to webhook_login;
-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema webhook to core_lookup;
alter function webhook.find_config(uuid) owner to core_lookup;
alter function webhook.list_orgs_to_purge(timestamptz, timestamptz, timestamptz, timestamptz, integer) owner to core_lookup;
revoke create on schema webhook from core_lookup;
revoke core_lookup from current_user;
