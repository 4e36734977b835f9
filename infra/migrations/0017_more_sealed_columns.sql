-- owner: shared | locks: core.sso_connections and webhook.configs, exclusively while they are rewritten (small tables)
-- Our SAML keys and the secrets of webhooks are wrapped anew too when their KMS key is rotated; see ADR-0011. Bodies of webhooks
-- are not: each is deleted after 7 days, long before the version that wrapped it is.
set local lock_timeout = '5s';

-- As in 0010: the version is computed from the ciphertext's head, and a lookup lists whose rows are due.
grant core_lookup to current_user with inherit false, set true;
grant create on schema core, webhook to core_lookup;
do $do$
declare
  target record;
begin
  for target in
    select *
    from (values
      ('core', 'sso_connections', 'sp_key', 'sp_key_version', 'list_orgs_with_sealed_sp_keys', 'auth_login'),
      ('webhook', 'configs', 'current_secret', 'current_secret_key_version', 'list_orgs_with_sealed_current_secrets', 'webhook_login'),
      ('webhook', 'configs', 'previous_secret', 'previous_secret_key_version', 'list_orgs_with_sealed_previous_secrets', 'webhook_login')
    ) as found (schema_name, table_name, what, version, lookup, login)
  loop
    execute format(
      'alter table %1$I.%2$I
         add column %4$I bigint generated always as (
           case
             when %3$I is null then null
             when octet_length(%3$I) > 7 and get_byte(%3$I, 0) = 2 then
               cast(get_byte(%3$I, 1) as bigint) * 16777216 + get_byte(%3$I, 2) * 65536 + get_byte(%3$I, 3) * 256 + get_byte(%3$I, 4)
             else 0
           end
         ) stored',
      target.schema_name, target.table_name, target.what || '_encrypted', target.version);
    execute format(
      'comment on column %I.%I.%I is ''Number of the KMS version under which the data key is wrapped.''',
      target.schema_name, target.table_name, target.version);
    execute format(
      'create index %1$I on %2$I.%3$I (%4$I, org_id) where %4$I is not null',
      target.table_name || '_' || target.version, target.schema_name, target.table_name,
      target.version);
    execute format(
      'grant select (org_id, %I) on %I.%I to core_lookup',
      target.version, target.schema_name, target.table_name);
    execute format(
      'create function %1$I.%2$I(below_version bigint, after_id uuid, most integer)
       returns table (org_id uuid)
       language sql stable security definer set search_path = pg_catalog, pg_temp
       as $f$
         select t.org_id
         from %1$I.%3$I t
         where t.%4$I < below_version and (after_id is null or t.org_id > after_id)
         group by t.org_id
         order by t.org_id
         limit most
       $f$',
      target.schema_name, target.lookup, target.table_name, target.version);
    execute format(
      'comment on function %I.%I is ''Organisations with rows wrapped under a KMS version below a number, in order of id, one page.''',
      target.schema_name, target.lookup);
    execute format(
      'revoke execute on function %I.%I(bigint, uuid, integer) from public', target.schema_name, target.lookup);
    execute format(
      'grant execute on function %I.%I(bigint, uuid, integer) to %I', target.schema_name, target.lookup, target.login);
    execute format(
      'alter function %I.%I(bigint, uuid, integer) owner to core_lookup', target.schema_name, target.lookup);
    insert into core.sealed_columns (name)
    values (format('%s.%s.%s_encrypted', target.schema_name, target.table_name, target.what));
  end loop;
end
$do$;
revoke create on schema core, webhook from core_lookup;
revoke core_lookup from current_user;

grant select, insert (sealed_column, kind, target_version),
  update (target_version, status, after_org_id, after_row_id, seen, changed, overtaken, unreadable, unreadable_rows, moved_at,
          finished_at)
  on core.reseal_runs to auth_work, webhook_work;
