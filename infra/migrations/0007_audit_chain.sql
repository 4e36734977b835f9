-- owner: shared | locks: core.audit_log, exclusively while existing entries are chained; core.orgs, briefly (foreign key)
-- The audit log becomes a hash chain per organisation, and one for the platform; see ADR-0009. The form that is hashed is
-- version 1 of shared/security/audit.py. Code from before this file cannot write audit entries any more (nothing of it is
-- deployed anywhere), so there is no step in which both forms are written.
set local lock_timeout = '5s';

create table core.audit_heads (
  org_id uuid primary key default (current_setting('app.org_id', true)::uuid) references core.orgs on delete restrict,
  seq    bigint not null default 0 check (seq >= 0),
  hash   bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000'
         check (octet_length(hash) = 32),
  anchored_seq bigint not null default 0 check (anchored_seq between 0 and seq)
);
comment on table core.audit_heads is
  'The newest entry of each organisation''s audit chain; locked while entries are appended, so that seq has no gaps.';
comment on column core.audit_heads.anchored_seq is 'The newest head that was written to the object store.';

alter table core.audit_log
  add column seq       bigint check (seq > 0),
  add column version   smallint check (version > 0),
  add column prev_hash bytea check (octet_length(prev_hash) = 32),
  add column hash      bytea check (octet_length(hash) = 32),
  -- json keeps the text as it was hashed; jsonb would write numbers, order and white space anew
  alter column facts drop default,
  alter column facts type json using facts::json,
  alter column facts set default '{}';

-- Existing entries are chained in order of their ids, which sort by time. They are no safer than they were until now, but
-- from here on a change to them is found like any other; a seal over all of them would not say which one was changed.
alter table core.audit_log no force row level security; -- the owner would see no row; nobody else sees this transaction
do $$
declare
  entry     record;
  last_org  uuid;
  last_seq  bigint;
  last_hash bytea;
  this_hash bytea;
begin
  for entry in
    select org_id, id, action, actor_kind, actor_id, target_kind, target_id, facts::text as facts, request_id,
      to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
    from core.audit_log
    order by org_id, id
  loop
    if entry.org_id is distinct from last_org then
      insert into core.audit_heads (org_id) values (entry.org_id) returning org_id, seq, hash into last_org, last_seq, last_hash;
    end if;
    last_seq := last_seq + 1;
    select sha256(convert_to(string_agg(octet_length(field) || ':' || field || ',', '' order by place), 'UTF8'))
    into this_hash
    from unnest(array[
      'driftwise-audit', '1', 'org/' || entry.org_id, last_seq::text, entry.id::text, entry.at, entry.action,
      entry.actor_kind, entry.actor_id, entry.target_kind, entry.target_id, entry.facts, entry.request_id,
      encode(last_hash, 'hex')
    ]) with ordinality as fields (field, place);
    update core.audit_log
    set seq = last_seq, version = 1, prev_hash = last_hash, hash = this_hash
    where org_id = entry.org_id and id = entry.id;
    update core.audit_heads set seq = last_seq, hash = this_hash where org_id = entry.org_id;
    last_hash := this_hash;
  end loop;
end
$$;
alter table core.audit_log force row level security;

alter table core.audit_log
  alter column seq set not null,
  alter column version set not null,
  alter column prev_hash set not null,
  alter column hash set not null,
  add unique (org_id, seq),
  -- Deleting an organisation must not take its history along. The key leads to the head, which the writer holds anyway:
  -- checked against core.orgs it would wait for a second lock while it holds the head.
  drop constraint audit_log_org_id_fkey,
  add foreign key (org_id) references core.audit_heads (org_id) on delete restrict;
comment on table core.audit_log is
  'Security-sensitive changes: who, what, to what, when; a hash chain per organisation. Append-only; holds no secret.';
comment on column core.audit_log.seq is '1, 2, 3, … in each organisation, without gaps.';
comment on column core.audit_log.version is 'Version of the canonical form that was hashed.';

create table core.platform_audit_head (
  id   boolean primary key default true check (id),
  seq  bigint not null default 0 check (seq >= 0),
  hash bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000'
       check (octet_length(hash) = 32),
  anchored_seq bigint not null default 0 check (anchored_seq between 0 and seq)
);
comment on table core.platform_audit_head is 'The newest entry of the platform''s audit chain: one row; not a tenant table.';
insert into core.platform_audit_head (id) values (true);

create table core.platform_audit_log (
  id          uuid primary key default uuidv7(),
  at          timestamptz not null default clock_timestamp(),
  action      text not null check (action ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'),
  actor_kind  text not null,
  actor_id    text not null default '',
  target_kind text not null default '',
  target_id   text not null default '',
  facts       json not null default '{}',
  request_id  text not null default '',
  seq         bigint not null unique check (seq > 0),
  version     smallint not null check (version > 0),
  prev_hash   bytea not null check (octet_length(prev_hash) = 32),
  hash        bytea not null check (octet_length(hash) = 32)
);
comment on table core.platform_audit_log is
  'Security-sensitive changes that belong to no organisation; a hash chain of its own. Append-only; not a tenant table.';

alter table core.audit_heads enable row level security;
alter table core.audit_heads force row level security;
create policy audit_heads_floor on core.audit_heads as restrictive
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));
create policy audit_heads_org on core.audit_heads
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work
  using (org_id = (select current_setting('app.org_id', true)::uuid))
  with check (org_id = (select current_setting('app.org_id', true)::uuid));

grant select, insert (seq), update (seq, hash) on core.audit_heads
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;
revoke select on core.audit_log from keys_work, scan_work, analyze_work, webhook_work, scim_work; -- auth shows the log
grant insert (id, at, seq, version, prev_hash, hash) on core.audit_log
  to auth_work, keys_work, scan_work, analyze_work, webhook_work, scim_work;
grant update (anchored_seq) on core.audit_heads to auth_work;
grant select, update (seq, hash, anchored_seq) on core.platform_audit_head to auth_work;
grant select,
  insert (id, at, action, actor_kind, actor_id, target_kind, target_id, facts, request_id, seq, version, prev_hash, hash)
  on core.platform_audit_log to auth_work;

-- What no grant can keep the owner from. `enable always`: session_replication_role = replica switches them off otherwise.
create function core.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% of %.% is refused: the audit log is append-only', lower(tg_op), tg_table_schema, tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
comment on function core.refuse_change is 'Refuses the change that fired it, whoever makes it.';

create function core.refuse_going_back() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.seq < old.seq or (new.seq = old.seq and new.hash <> old.hash) then
    raise exception 'the head of an audit chain only moves forward' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
comment on function core.refuse_going_back is 'Lets a chain''s head move forward and nowhere else.';
revoke execute on function core.refuse_change(), core.refuse_going_back() from public;

create trigger audit_log_rows before update or delete on core.audit_log
  for each row execute function core.refuse_change();
create trigger audit_log_truncate before truncate on core.audit_log
  for each statement execute function core.refuse_change();
create trigger platform_audit_log_rows before update or delete on core.platform_audit_log
  for each row execute function core.refuse_change();
create trigger platform_audit_log_truncate before truncate on core.platform_audit_log
  for each statement execute function core.refuse_change();
create trigger audit_heads_rows before delete on core.audit_heads
  for each row execute function core.refuse_change();
create trigger audit_heads_back before update on core.audit_heads
  for each row execute function core.refuse_going_back();
create trigger audit_heads_truncate before truncate on core.audit_heads
  for each statement execute function core.refuse_change();
create trigger platform_audit_head_rows before delete on core.platform_audit_head
  for each row execute function core.refuse_change();
create trigger platform_audit_head_back before update on core.platform_audit_head
  for each row execute function core.refuse_going_back();
create trigger platform_audit_head_truncate before truncate on core.platform_audit_head
  for each statement execute function core.refuse_change();
alter table core.audit_log enable always trigger audit_log_rows, enable always trigger audit_log_truncate;
alter table core.platform_audit_log
  enable always trigger platform_audit_log_rows, enable always trigger platform_audit_log_truncate;
alter table core.audit_heads enable always trigger audit_heads_rows, enable always trigger audit_heads_back,
  enable always trigger audit_heads_truncate;
alter table core.platform_audit_head enable always trigger platform_audit_head_rows,
  enable always trigger platform_audit_head_back, enable always trigger platform_audit_head_truncate;

create policy audit_heads_lookup on core.audit_heads for select to core_lookup using (true);
grant select (org_id, seq, hash, anchored_seq) on core.audit_heads to core_lookup;

create function core.list_changed_audit_heads(after_id uuid, page_size integer)
returns table (org_id uuid, seq bigint, hash bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select h.org_id, h.seq, h.hash
  from core.audit_heads h
  where h.seq > h.anchored_seq and (after_id is null or h.org_id > after_id)
  order by h.org_id
  limit page_size
$$;
comment on function core.list_changed_audit_heads is 'Heads of audit chains that the object store does not hold yet, in order of organisation, one page.';
revoke execute on function core.list_changed_audit_heads(uuid, integer) from public;
grant execute on function core.list_changed_audit_heads(uuid, integer) to auth_login;
grant core_lookup to current_user with inherit false, set true;
grant create on schema core to core_lookup;
alter function core.list_changed_audit_heads(uuid, integer) owner to core_lookup;
revoke create on schema core from core_lookup;
revoke core_lookup from current_user;
