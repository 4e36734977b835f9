-- owner: auth | locks: core.orgs, briefly (a foreign key)
-- What organisations pay for, as Stripe tells it; see ADR-0047.
set local lock_timeout = '5s';

create table core.subscriptions (
  org_id          uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  customer_id     text not null check (length(customer_id) between 5 and 204),
  subscription_id text check (length(subscription_id) between 5 and 204),
  status          text check (status in
                    ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused')),
  price_id        text check (length(price_id) between 1 and 250),
  granted_plan    text check (granted_plan in ('team', 'enterprise')),
  period_ends_at  timestamptz,
  cancels_at      timestamptz,
  version         integer not null default 0 check (version >= 0),
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  primary key (org_id),
  check ((subscription_id is null) = (status is null)),
  check (granted_plan is null or status in ('trialing', 'active', 'past_due'))
);
comment on table core.subscriptions is 'The customer that an organisation is at Stripe, and its last subscription there; nothing of how it pays.';
comment on column core.subscriptions.granted_plan is 'What the subscription pays for now; null for nothing.';
comment on column core.subscriptions.version is 'Grows with each change, so that what was asked of Stripe before a change is asked again.';

alter table core.subscriptions enable row level security;
alter table core.subscriptions force row level security;
create policy subscriptions_floor on core.subscriptions as restrictive to auth_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy subscriptions_org on core.subscriptions to auth_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy subscriptions_purge on core.subscriptions to core_purge using (org_id in (select id from core.orgs where purged_at is not null));
grant delete, select (org_id, ctid) on core.subscriptions to core_purge;

grant select, insert (customer_id, created_at, changed_at),
  update (subscription_id, status, price_id, granted_plan, period_ends_at, cancels_at, version, changed_at)
  on core.subscriptions to auth_work;
