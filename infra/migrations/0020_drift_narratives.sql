-- owner: analyze | locks: scan.drift_items, core.orgs, briefly (foreign keys)
-- Drift in words, written on the queue and kept until the drift changes; see ADR-0019.
set local lock_timeout = '5s';

create table analysis.drift_narratives (
  org_id       uuid not null default (current_setting('app.org_id', true)::uuid) references core.orgs on delete cascade,
  item_id      uuid not null,
  basis        bytea not null check (octet_length(basis) = 32),
  status       text not null default 'pending' check (status in ('pending', 'done')),
  narrative    jsonb check (pg_column_size(narrative) <= 1048576),
  requested_at timestamptz not null,
  written_at   timestamptz,
  primary key (org_id, item_id),
  foreign key (org_id, item_id) references scan.drift_items (org_id, id) on delete cascade,
  check ((status = 'done') = (narrative is not null and written_at is not null))
);
comment on table analysis.drift_narratives is 'What is said about one drift in words, at most once each.';
comment on column analysis.drift_narratives.basis is 'Digest of the difference that the words are about.';

alter table analysis.drift_narratives enable row level security;
alter table analysis.drift_narratives force row level security;
create policy drift_narratives_floor on analysis.drift_narratives as restrictive to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy drift_narratives_org on analysis.drift_narratives to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy drift_narratives_purge on analysis.drift_narratives to core_purge
  using (org_id in (select id from core.orgs where purged_at is not null));
grant delete, select (org_id, ctid) on analysis.drift_narratives to core_purge;
grant select, insert (item_id, basis, requested_at), update (basis, status, narrative, requested_at, written_at)
  on analysis.drift_narratives to analyze_work;
