-- owner: webhook | locks: core.idempotency_keys, core.event_claims: writes wait while their index is built
-- What nobody needs any more is deleted organisation by organisation, by webhook_work under its row-level security; only which
-- organisations have such rows is read across them.
set local lock_timeout = '5s';

-- One index serves both: whether an organisation has old rows, and which they are.
create index idempotency_keys_age on core.idempotency_keys (org_id, created_at);
create index event_claims_age on core.event_claims (org_id, created_at);
drop index core.idempotency_keys_created;
drop index core.event_claims_created;

grant delete on core.event_claims to webhook_work;

create policy idempotency_keys_lookup on core.idempotency_keys for select to core_lookup using (true);
create policy event_claims_lookup on core.event_claims for select to core_lookup using (true);
grant select (org_id, created_at) on core.idempotency_keys to core_lookup;
grant select (org_id, created_at) on core.event_claims to core_lookup;
grant select (taken_at) on core.outbox to core_lookup;

create function core.list_orgs_with_old_rows(
  keys_kept_seconds integer, claims_kept_seconds integer, outbox_kept_seconds integer, after_id uuid, page_size integer
)
returns table (org_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select o.id
  from core.orgs o
  where (after_id is null or o.id > after_id) and (
    exists (
      select from core.idempotency_keys k
      where k.org_id = o.id and k.created_at < now() - make_interval(secs => keys_kept_seconds)
    )
    or exists (
      select from core.event_claims c
      where c.org_id = o.id and c.created_at < now() - make_interval(secs => claims_kept_seconds)
    )
    or exists (
      select from core.outbox b
      where b.org_id = o.id and b.created_at < now() - make_interval(secs => outbox_kept_seconds) and b.taken_at is not null
    )
  )
  order by o.id
  limit page_size
$$;
comment on function core.list_orgs_with_old_rows is 'Organisations, deleted ones too, with rows that nobody needs any more, in order of id, one page.';
revoke execute on function core.list_orgs_with_old_rows(integer, integer, integer, uuid, integer) from public;
grant execute on function core.list_orgs_with_old_rows(integer, integer, integer, uuid, integer) to webhook_login;

-- As in 0005: who gives a function away must be able to become the new owner, who must be allowed to create in the schema.
grant core_lookup to current_user with inherit false, set true;
grant create on schema core to core_lookup;
alter function core.list_orgs_with_old_rows(integer, integer, integer, uuid, integer) owner to core_lookup;
revoke create on schema core from core_lookup;
revoke core_lookup from current_user;
