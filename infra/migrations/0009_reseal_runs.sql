-- owner: shared | locks: none
-- Sealed columns are wrapped or encrypted anew by the function that owns them; see ADR-0011. Neither table belongs to an
-- organisation: a run goes through all of them, and an operator starts one by inserting its row.
set local lock_timeout = '5s';

create table core.sealed_columns (
  name text primary key check (name ~ '^[a-z_]+\.[a-z_]+\.[a-z_]+$')
);
comment on table core.sealed_columns is
  'Columns that hold ciphertexts, as schema.table.column; each has a function that goes through its rows. Not a tenant table.';

create table core.reseal_runs (
  id              uuid primary key default uuidv7(),
  sealed_column   text not null references core.sealed_columns on delete restrict,
  kind            text not null check (kind in ('rewrap', 'reencrypt')),
  requested_by    text not null default 'schedule' check (length(requested_by) between 1 and 200),
  target_version  bigint check (target_version > 0),
  status          text not null default 'open' check (status in ('open', 'done')),
  after_org_id    uuid,
  after_row_id    uuid,
  seen            bigint not null default 0,
  changed         bigint not null default 0,
  overtaken       bigint not null default 0,
  unreadable      bigint not null default 0,
  unreadable_rows jsonb not null default '[]',
  created_at      timestamptz not null default now(),
  moved_at        timestamptz,
  finished_at     timestamptz,
  check ((status = 'done') = (finished_at is not null)),
  check (after_row_id is null or after_org_id is not null)
);
comment on table core.reseal_runs is
  'One pass over a sealed column: where it stands, what it changed, what it could not read. Not a tenant table.';
comment on column core.reseal_runs.kind is 'rewrap: the same data key under the present KMS version; reencrypt: a fresh data key.';
comment on column core.reseal_runs.target_version is 'Rows wrapped under an older KMS version are due; filled in when work begins.';
comment on column core.reseal_runs.overtaken is 'Rows that somebody else changed meanwhile; theirs stands.';
comment on column core.reseal_runs.unreadable_rows is 'The first of them: organisation, row and why; never what the row holds.';
create unique index reseal_runs_open on core.reseal_runs (sealed_column, kind) where status = 'open';
create index reseal_runs_column on core.reseal_runs (sealed_column, finished_at);

grant select, insert (sealed_column, kind, target_version),
  update (target_version, status, after_org_id, after_row_id, seen, changed, overtaken, unreadable, unreadable_rows, moved_at,
          finished_at)
  on core.reseal_runs to scan_work;
