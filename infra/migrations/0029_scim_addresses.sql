-- owner: scim | locks: scim.users, while it is written anew with the column
-- The addresses of a person as one text that is searched before the document is taken apart; see ADR-0025.
set local lock_timeout = '5s';

alter table scim.users
  add column addresses_key text collate "pg_unicode_fast" not null
    generated always as (
      casefold(jsonb_path_query_array(document, 'lax $.emails[*].value')::text collate "pg_unicode_fast")
    ) stored;
comment on column scim.users.addresses_key is 'The values of the document''s emails, case folded, as the text of a JSON array.';
