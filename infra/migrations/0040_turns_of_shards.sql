-- owner: scan | locks: scan.shards, scan.state_resources, briefly (a column without a rewrite, an index on one table)
-- Shards that are read in turns, as one list holds a whole organisation; ids that are compared without case; see ADR-0041.
set local lock_timeout = '5s';

alter table scan.shards add column progress jsonb check (length(progress::text) <= 20000);
comment on column scan.shards.progress is 'Where the next turn goes on; null before the first one is over.';
grant update (progress) on scan.shards to scan_work;

create index state_resources_id_without_case on scan.state_resources (org_id, lower(attributes ->> 'id'))
  where attributes ->> 'id' is not null;
