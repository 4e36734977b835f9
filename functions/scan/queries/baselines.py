"""All SQL on live documents and on the baselines that are remembered of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_UPSERT_DOCUMENTS = """
insert into scan.live_documents
  (account_id, type, key, region, cloud_id, is_there, document, document_hash, covered, source, scan_id)
select cast(:account_id as uuid), r.type, r.key, r.region, r.cloud_id, r.is_there, r.document, decode(r.document_hash, 'hex'),
  r.covered, r.source, cast(:scan_id as uuid)
from jsonb_to_recordset(cast(:documents as jsonb))
  as r (type text, key text, region text, cloud_id text, is_there boolean, document jsonb, document_hash text, covered text[],
        source text)
on conflict (org_id, account_id, type, key) do update
set region = excluded.region, cloud_id = excluded.cloud_id, is_there = excluded.is_there, document = excluded.document,
  document_hash = excluded.document_hash, covered = excluded.covered, source = excluded.source, read_at = now(),
  scan_id = excluded.scan_id
where live_documents.scan_id <= excluded.scan_id
"""
# Pairs whose document is what it was, and of which the states say what they said, never leave the database.
_PAGE_CHANGED = """
select d.type, d.key, d.region, d.cloud_id, d.document, d.covered, d.source, d.read_at,
  s.address, s.declared, s.sensitive, s.declared_at,
  b.document as remembered_document, b.source as remembered_source, b.declared as remembered_declared,
  b.covered as remembered_covered,
  (
    select coalesce(jsonb_agg(jsonb_build_array(i.path, i.after)), '[]')
    from scan.drift_items i
    where i.org_id = :org_id and i.account_id = d.account_id and i.type collate "C" = d.type and i.key collate "C" = d.key and i.status = 'open'
      and i.detector = 'baseline' and i.acknowledged_at is not null and not i.is_sensitive
  ) as acknowledged
from scan.live_documents d
join lateral (
  select min(r.address) as address, max(r.taken_at) as declared_at,
    jsonb_agg(r.fingerprints order by r.source_id, r.address, r.part) as declared,
    jsonb_agg(to_jsonb(r.sensitive)) as sensitive
  from scan.state_resources r
  where r.org_id = :org_id and r.account_id = d.account_id and r.type = d.type and r.key = d.key and not r.is_deposed
) s on s.address is not null
left join scan.baselines b
  on b.org_id = d.org_id and b.org_id = :org_id and b.account_id = d.account_id and b.type = d.type and b.key = d.key
where d.org_id = :org_id and d.account_id = :account_id and d.scan_id = :scan_id and d.is_there
  and (b.key is null or b.document_hash <> d.document_hash or b.declared <> s.declared)
  and (d.type, d.key) > (:after_type, :after_key)
order by d.type, d.key
limit :most
"""
_TAKE = """
insert into scan.baselines (account_id, type, key, document, document_hash, source, declared, covered)
select cast(:account_id as uuid), r.type, r.key, r.document, decode(r.document_hash, 'hex'), r.source, r.declared, r.covered
from jsonb_to_recordset(cast(:baselines as jsonb))
  as r (type text, key text, document jsonb, document_hash text, source text, declared jsonb, covered text[])
on conflict (org_id, account_id, type, key) do update
set document = excluded.document, document_hash = excluded.document_hash, source = excluded.source, declared = excluded.declared,
  covered = excluded.covered, taken_at = now()
"""
_RESEAL = """
update scan.live_documents d
set document = r.document, document_hash = decode(r.document_hash, 'hex')
from jsonb_to_recordset(cast(:documents as jsonb)) as r (type text, key text, document jsonb, document_hash text)
where d.org_id = :org_id and d.account_id = :account_id and d.scan_id = :scan_id and d.type = r.type and d.key = r.key
"""
_FORGET = """
delete from scan.baselines
where org_id = :org_id and account_id = :account_id and type = :type_name and key = :key
"""
_FORGET_UNDECLARED = """
delete from scan.baselines b
where b.org_id = :org_id and b.account_id = :account_id
  and not exists (
    select from scan.state_resources r
    where r.org_id = :org_id and r.account_id = b.account_id and r.type = b.type and r.key = b.key
  )
"""
_DELETE_GONE = """
delete from scan.live_documents
where org_id = :org_id and account_id = :account_id and scan_id <> :scan_id
"""
_BATCH = 200


def upsert_documents(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, documents: Sequence[Mapping[str, object]]
) -> None:
    """Store the documents that a shard read; one read twice is stored once, and a late shard takes nothing from a later scan."""
    for start in range(0, len(documents), _BATCH):
        batch = json.dumps(documents[start : start + _BATCH], default=str)
        tx.execute(_UPSERT_DOCUMENTS, account_id=account_id, scan_id=scan_id, documents=batch)


def page_changed(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, after: tuple[str, str], most: int
) -> Sequence[Row]:
    """List declared resources whose document or declaration is not what is remembered, by type and key, one page.

    Args:
        tx: the unit of work.
        account_id: whose resources.
        scan_id: the scan that read them.
        after: the last one of the page before; two empty texts for the first page.
        most: how many.
    """
    return tx.rows(
        _PAGE_CHANGED, account_id=account_id, scan_id=scan_id, after_type=after[0], after_key=after[1], most=most
    )


def take_baselines(tx: UnitOfWork, *, account_id: UUID, baselines: Sequence[Mapping[str, object]]) -> None:
    """Remember documents, in the place of what was remembered."""
    for start in range(0, len(baselines), _BATCH):
        batch = json.dumps(baselines[start : start + _BATCH], default=str)
        tx.execute(_TAKE, account_id=account_id, baselines=batch)


def reseal_documents(
    tx: UnitOfWork, *, account_id: UUID, scan_id: UUID, documents: Sequence[Mapping[str, object]]
) -> None:
    """Put documents in the place of what a scan read, as a state has come to mark some of it as sensitive."""
    for start in range(0, len(documents), _BATCH):
        batch = json.dumps(documents[start : start + _BATCH], default=str)
        tx.execute(_RESEAL, account_id=account_id, scan_id=scan_id, documents=batch)


def forget_baseline(tx: UnitOfWork, *, account_id: UUID, type_name: str, key: str) -> None:
    """Forget one baseline, so that the next scan takes it anew: what it found is accepted."""
    tx.execute(_FORGET, account_id=account_id, type_name=type_name, key=key)


def forget_undeclared(tx: UnitOfWork, *, account_id: UUID, scan_id: UUID) -> None:
    """Forget what no state declares any more, and documents that this scan did not read."""
    tx.execute(_FORGET_UNDECLARED, account_id=account_id)
    tx.execute(_DELETE_GONE, account_id=account_id, scan_id=scan_id)
