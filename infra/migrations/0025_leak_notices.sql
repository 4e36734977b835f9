-- owner: keys | locks: core.api_keys, briefly (policies)
-- Whoever tells of a leaked key reads its name where it stands, as of everything else that messages are about; see ADR-0022.
set local lock_timeout = '5s';

create policy api_keys_notify_floor on core.api_keys as restrictive to webhook_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy api_keys_notify_org on core.api_keys to webhook_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
grant select (org_id, id, name) on core.api_keys to webhook_work;
