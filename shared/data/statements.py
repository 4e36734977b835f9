"""All SQL of the shared tables: outbox, idempotency keys, event claims, audit log."""

from __future__ import annotations

INSERT_AUDIT = """
insert into core.audit_log (action, actor_kind, actor_id, target_kind, target_id, facts, request_id)
select e.action, e.actor_kind, e.actor_id, e.target_kind, e.target_id, e.facts, e.request_id
from jsonb_to_recordset(cast(:events as jsonb))
  as e (action text, actor_kind text, actor_id text, target_kind text, target_id text, facts jsonb, request_id text)
"""

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
  limit 500
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

SETTLE_KEY = """
update core.idempotency_keys
set status = :status, body = cast(:body as jsonb)
where org_id = :org_id and key = :key
"""
