-- owner: webhook, analyze | locks: webhook.deliveries_in, briefly
-- Deliveries that carry a plan are judged by analyze; see ADR-0023.
set local lock_timeout = '5s';

alter table webhook.deliveries_in add column error_detail text check (length(error_detail) between 1 and 500);
comment on column webhook.deliveries_in.error_detail is 'What the reader of a plan says is wrong; never a piece of the body.';
grant update (error_detail) on webhook.deliveries_in to webhook_work;

-- analyze reads what it needs to open a body of its own organisation, and writes nothing.
create policy deliveries_in_analyze_floor on webhook.deliveries_in as restrictive to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy deliveries_in_analyze_org on webhook.deliveries_in to analyze_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
grant usage on schema webhook to analyze_work;
grant select (org_id, id, config_id, provider, status, body_encrypted) on webhook.deliveries_in to analyze_work;
