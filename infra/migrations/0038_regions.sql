-- owner: scan | locks: scan.cloud_accounts and scan.scans, briefly (columns without a rewrite, checks that are validated on small tables)
-- Regions that are looked up for each scan, and roles that are taken on through a hub; see ADR-0037.
set local lock_timeout = '5s';

alter table scan.cloud_accounts
  add column through text check (length(through) <= 2048),
  add constraint cloud_accounts_through check (through is null or auth_kind = 'role'),
  add constraint cloud_accounts_all_regions check (not regions @> array['all'] or cardinality(regions) = 1);
comment on column scan.cloud_accounts.regions is 'Regions to scan, or `all` alone: those that are enabled in the account when a scan starts.';
comment on column scan.cloud_accounts.through is 'A role of a hub account that is taken on first; null without a hub.';
grant insert (through) on scan.cloud_accounts to scan_work;

alter table scan.scans add column regions text[] check (cardinality(regions) between 1 and 100);
comment on column scan.scans.regions is 'The regions that are read; null until they are looked up, and when they could not be.';
grant insert (regions), update (regions, shards_total) on scan.scans to scan_work;
