"""All SQL of the shared tables: outbox, idempotency keys, event claims, audit log, counted model calls."""

from __future__ import annotations

# The head's lock comes with the time and the ids of the entries: read once it is held, so that `at` never goes back in a chain.
LOCK_AUDIT_HEAD = """
select h.seq, h.hash, clock_timestamp() as at, array(select uuidv7() from generate_series(1, cast(:entries as integer))) as ids
from core.audit_heads h
where h.org_id = :org_id
for update
"""

INSERT_AUDIT_HEAD = """
insert into core.audit_heads (seq)
values (0)
on conflict (org_id) do nothing
"""

_AUDIT_COLUMNS = (
    """id, at, action, actor_kind, actor_id, target_kind, target_id, facts, request_id, seq, version, prev_hash, hash"""
)
_AUDIT_VALUES = """
  select e.id, e.at, e.action, e.actor_kind, e.actor_id, e.target_kind, e.target_id, cast(e.facts as json), e.request_id,
    e.seq, e.version, e.prev_hash, e.hash
  from jsonb_to_recordset(cast(:audit_entries as jsonb)) as e (
    id uuid, at timestamptz, action text, actor_kind text, actor_id text, target_kind text, target_id text, facts text,
    request_id text, seq bigint, version smallint, prev_hash bytea, hash bytea
  )
"""

APPEND_AUDIT = f"""
with appended as (
  insert into core.audit_log ({_AUDIT_COLUMNS})
  {_AUDIT_VALUES}
)
update core.audit_heads
set seq = :seq, hash = :hash
where org_id = :org_id
"""

LOCK_PLATFORM_AUDIT_HEAD = """
select h.seq, h.hash, clock_timestamp() as at, array(select uuidv7() from generate_series(1, cast(:entries as integer))) as ids
from core.platform_audit_head h
for update
"""

APPEND_PLATFORM_AUDIT = f"""
with appended as (
  insert into core.platform_audit_log ({_AUDIT_COLUMNS})
  {_AUDIT_VALUES}
)
update core.platform_audit_head
set seq = :seq, hash = :hash
"""

# One statement, one snapshot: head and entries of one moment. An organisation without entries has neither.
READ_AUDIT_HEAD = """
select max(l.seq) as last_seq,
  (select h.seq from core.audit_heads h where h.org_id = :org_id) as seq,
  (select h.hash from core.audit_heads h where h.org_id = :org_id) as hash
from core.audit_log l
where l.org_id = :org_id
"""

READ_PLATFORM_AUDIT_HEAD = """
select max(l.seq) as last_seq,
  (select h.seq from core.platform_audit_head h) as seq,
  (select h.hash from core.platform_audit_head h) as hash
from core.platform_audit_log l
"""

_AUDIT_PAGE = """
select id, at, action, actor_kind, actor_id, target_kind, target_id, cast(facts as text) as facts, request_id,
  seq, version, prev_hash, hash
"""
_AUDIT_AFTER = """
  (seq, id) > (cast(:after_seq as bigint), cast(:after_id as uuid)) and seq <= :last_seq
order by seq, id
limit :most
"""
READ_AUDIT_PAGE = f"{_AUDIT_PAGE} from core.audit_log where org_id = :org_id and {_AUDIT_AFTER}"
READ_PLATFORM_AUDIT_PAGE = f"{_AUDIT_PAGE} from core.platform_audit_log where {_AUDIT_AFTER}"

TRY_LOCK = "select pg_try_advisory_xact_lock(hashtextextended(:name, 0)) as is_mine"

INSERT_OUTBOX = """
insert into core.outbox (topic, ordering_key, payload, traceparent)
select m.topic, m.ordering_key, m.payload, m.traceparent
from jsonb_to_recordset(cast(:messages as jsonb))
  as m (topic text, ordering_key text, payload jsonb, traceparent text)
returning id, topic, ordering_key, payload, traceparent
"""

TAKE_OUTBOX = """
update core.outbox as b
set taken_at = now()
from (
  select id
  from core.outbox
  where org_id = :org_id and created_at < now() - interval '5 seconds'
    and (taken_at is null or taken_at < now() - interval '1 minute')
  order by id
  limit cast(:most as integer)
  for update skip locked
) as w
where b.org_id = :org_id and b.id = w.id
returning b.id, b.topic, b.ordering_key, b.payload, b.traceparent
"""

DELETE_OUTBOX = """
delete from core.outbox
where org_id = :org_id and id = any(cast(:ids as uuid[]))
"""

CLAIM_EVENT = """
insert into core.event_claims (subscription, event_id)
values (:subscription, :event_id)
on conflict (org_id, subscription, event_id) do nothing
returning event_id
"""

CLAIM_KEY = """
insert into core.idempotency_keys as k (key, fingerprint)
values (:key, :fingerprint)
on conflict (org_id, key) do update
set fingerprint = excluded.fingerprint, status = null, body = null, created_at = now()
where k.created_at < now() - interval '24 hours'
returning key
"""

READ_KEY = """
select fingerprint, status, body
from core.idempotency_keys
where org_id = :org_id and key = :key
"""

RECALL_KEY = """
select fingerprint, status, body
from core.idempotency_keys
where org_id = :org_id and key = :key and status is not null and created_at >= now() - interval '24 hours'
"""

SETTLE_KEY = """
update core.idempotency_keys
set status = :status, body = cast(:body as jsonb)
where org_id = :org_id and key = :key
"""

# Runs over sealed columns. One is opened by the clock when rows are wrapped under an older KMS version, but not again at
# once when the last one of the same aim left some: those cannot be read, or the KMS has not told all its servers yet.
OPEN_RESEAL_RUN = """
insert into core.reseal_runs (sealed_column, kind, target_version)
select cast(:sealed_column as text), 'rewrap', cast(:target_version as bigint)
where not exists (
  select
  from core.reseal_runs r
  where r.sealed_column = :sealed_column and (
    r.status = 'open' or (r.target_version >= :target_version and r.finished_at > now() - interval '1 hour')
  )
)
on conflict do nothing
returning id
"""

LIST_OPEN_RESEAL_RUNS = """
select id, sealed_column, kind, target_version, after_org_id, after_row_id
from core.reseal_runs
where status = 'open' and sealed_column = any(cast(:sealed_columns as text[]))
order by id
"""

AIM_RESEAL_RUN = """
update core.reseal_runs
set target_version = :target_version
where id = :run_id and target_version is null
"""

_STANDS_THERE = """
id = :run_id and status = 'open' and after_org_id is not distinct from cast(:from_org_id as uuid)
  and after_row_id is not distinct from cast(:from_row_id as uuid)
"""

LOCK_RESEAL_RUN = f"""
select id
from core.reseal_runs
where {_STANDS_THERE}
for update
"""

MOVE_RESEAL_RUN = """
update core.reseal_runs
set after_org_id = :after_org_id, after_row_id = :after_row_id, moved_at = now(), seen = seen + :seen,
  changed = changed + :changed, overtaken = overtaken + :overtaken, unreadable = unreadable + :unreadable,
  unreadable_rows = case when jsonb_array_length(unreadable_rows) < 200
    then unreadable_rows || cast(:unreadable_rows as jsonb) else unreadable_rows end
where id = :run_id
"""

END_RESEAL_RUN = f"""
update core.reseal_runs
set status = 'done', moved_at = now(), finished_at = now()
where {_STANDS_THERE}
returning seen, changed, overtaken, unreadable
"""

# Makes the counters of these windows where there are none, and holds them, in one order for everybody.
HOLD_MODEL_CALLS = """
insert into core.model_calls as c (period, starts_at)
values ('hour', cast(:hour as timestamptz)), ('week', cast(:week as timestamptz))
on conflict (org_id, period, starts_at) do update
set used = c.used
returning c.period, c.used
"""

CHARGE_MODEL_CALL = """
update core.model_calls
set used = used + 1
where org_id = :org_id and (period, starts_at) in (('hour', cast(:hour as timestamptz)), ('week', cast(:week as timestamptz)))
"""
