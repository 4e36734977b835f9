-- owner: scan | locks: scan.state_resources, briefly (a column without a rewrite)
-- Objects that Terraform has replaced and not yet destroyed: they are no one's surprise, and nobody misses them.
set local lock_timeout = '5s';

alter table scan.state_resources add column is_deposed boolean not null default false;
comment on column scan.state_resources.is_deposed is 'Terraform knows it and will destroy it: not unmanaged while it is there, not missing when it is gone.';
grant insert (is_deposed) on scan.state_resources to scan_work;
