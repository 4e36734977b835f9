-- owner: scan | locks: scan.cluster_reports and scan.cluster_objects, exclusively while both are emptied | contract: scan.cluster_objects.object held values unsealed, and no release has reports of clusters yet
-- Objects of clusters are sealed under a key of their report; see ADR-0042.
set local lock_timeout = '5s';

-- What was reported before lies there unsealed. An operator whose report is gone is told so and sends a whole one again.
truncate scan.cluster_reports, scan.cluster_objects;

alter table scan.cluster_reports
  add column sealing_id uuid not null,
  add column objects_key_encrypted bytea not null check (octet_length(objects_key_encrypted) between 1 and 4096),
  add column objects_key_version bigint generated always as (
    case
      when octet_length(objects_key_encrypted) > 7 and get_byte(objects_key_encrypted, 0) = 2 then
        cast(get_byte(objects_key_encrypted, 1) as bigint) * 16777216 + get_byte(objects_key_encrypted, 2) * 65536
        + get_byte(objects_key_encrypted, 3) * 256 + get_byte(objects_key_encrypted, 4)
      else 0
    end
  ) stored;
comment on column scan.cluster_reports.sealing_id is 'The row to the envelope; the operator chose `id`, and two clusters may have chosen the same.';
comment on column scan.cluster_reports.objects_key_encrypted is 'The key under which the report''s objects are sealed, itself sealed by the envelope.';
comment on column scan.cluster_reports.objects_key_version is 'Number of the KMS version under which the data key is wrapped.';
create unique index cluster_reports_sealing on scan.cluster_reports (org_id, sealing_id);
create index cluster_reports_key_version on scan.cluster_reports (objects_key_version, org_id);

alter table scan.cluster_objects
  drop column object,
  add column object_sealed bytea not null check (octet_length(object_sealed) > 33);
comment on table scan.cluster_objects is
  'Objects of a cluster as its operator reported them, sealed under the key of their report; no values of secrets, no status.';
comment on column scan.cluster_objects.object_bytes is 'Size of the object as JSON, before it is packed and sealed.';

grant insert (sealing_id, objects_key_encrypted), update (objects_key_encrypted) on scan.cluster_reports to scan_work;
grant insert (object_sealed), update (object_sealed) on scan.cluster_objects to scan_work;
insert into core.sealed_columns (name) values ('scan.cluster_reports.objects_key_encrypted');

create policy cluster_reports_lookup on scan.cluster_reports for select to core_lookup using (true);
grant select (org_id, objects_key_version) on scan.cluster_reports to core_lookup;
create function scan.list_orgs_with_sealed_report_keys(below_version bigint, after_id uuid, most integer)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select r.org_id
  from scan.cluster_reports r
  where r.objects_key_version < below_version and (after_id is null or r.org_id > after_id)
  group by r.org_id
  order by r.org_id
  limit most
$$;
comment on function scan.list_orgs_with_sealed_report_keys is
  'Organisations with keys of reports wrapped under a KMS version below a number, in order of id, one page.';
revoke execute on function scan.list_orgs_with_sealed_report_keys(bigint, uuid, integer) from public;
grant execute on function scan.list_orgs_with_sealed_report_keys(bigint, uuid, integer) to scan_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema scan to core_lookup;
alter function scan.list_orgs_with_sealed_report_keys(bigint, uuid, integer) owner to core_lookup;
revoke create on schema scan from core_lookup;
revoke core_lookup from current_user;
