"""All SQL of a comparison that is under way: what is to be looked at, what a verdict depends on, and what was found so far.

Both sides are read in the order of (type, key), which is that of bytes; whole accounts are counted here and never listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

Identity: TypeAlias = tuple[str, str]

FIRST: Identity = ("", "")
LAST: Identity = ("\U0010ffff", "")  # no text of UTF-8 has greater bytes

# Of a range of (type, key) PostgreSQL expects a whole type or, in a plan for any parameters, next to nothing. Either way it would
# read the whole of a large account, or of the table, for each part.
_IN_ORDER = """
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
  set_config('plan_cache_mode', 'force_custom_plan', true)
"""
_LOCK = """
select id, account_id, status, comparison, regions
from scan.scans
where org_id = :org_id and id = :scan_id
for update skip locked
"""
_BEGIN = """
update scan.scans
set comparison = cast(:comparison as jsonb) || jsonb_build_object('began_at', now()), compared_at = now()
where org_id = :org_id and id = :scan_id
returning comparison
"""
_SAVE = """
update scan.scans
set comparison = cast(:comparison as jsonb), compared_at = now()
where org_id = :org_id and id = :scan_id
"""
_END_OF_PART = """
select b.type, b.key
from (
  (
    select r.type, r.key
    from scan.state_resources r
    where r.org_id = :org_id and r.account_id = :account_id and r.key is not null and (r.type, r.key) > (:from_type, :from_key)
    order by r.type, r.key
    offset :most limit 1
  )
  union all
  (
    select l.type, l.key
    from scan.live_resources l
    where l.org_id = :org_id and l.account_id = :account_id and (l.type, l.key) > (:from_type, :from_key)
    order by l.type, l.key
    offset :most limit 1
  )
) as b
order by b.type, b.key
limit 1
"""
# A pair is settled when it is what it was when it was last found without a difference, and nothing else has a say: no second
# name under which a state declares it, nothing that could not be read, the same inline blocks declared elsewhere.
_LIST_UNSETTLED = """
with pairs as (
  select s.type, s.key, sum(s.items) as items, bool_or(s.is_told) as is_told, string_agg(s.agreed, '') as agreed,
    sha256(
      cast(:rules_hash as bytea) || string_agg(s.declared, '' order by s.declared) || string_agg(s.live, '')
      || convert_to(coalesce(string_agg(distinct s.taken_over, ',' order by s.taken_over), ''), 'UTF8')
    ) as hash
  from (
    select r.type, r.key, 1 as items, r.content_hash as declared, null as live, null as agreed, null as taken_over, false as is_told
    from scan.state_resources r
    where r.org_id = :org_id and r.account_id = :account_id and r.key is not null and r.type = any(cast(:covered as text[]))
      and (r.type, r.key) > (:from_type, :from_key) and (r.type, r.key) <= (:to_type, :to_key)
    union all
    select l.type, l.key, 0, null, l.content_hash, l.agreed_hash, null, false
    from scan.live_resources l
    where l.org_id = :org_id and l.account_id = :account_id and l.scan_id = :scan_id
      and (l.type, l.key) > (:from_type, :from_key) and (l.type, l.key) <= (:to_type, :to_key)
    union all
    select r.parent[1] collate "C", r.parent[2] collate "C", null, null, null, null, r.parent[3] collate "C", false
    from scan.state_resources r
    where r.org_id = :org_id and r.account_id = :account_id and r.parent is not null
      and (r.parent[1] collate "C", r.parent[2] collate "C") > (:from_type, :from_key)
      and (r.parent[1] collate "C", r.parent[2] collate "C") <= (:to_type, :to_key)
    union all
    select g.types[1] collate "C", g.key collate "C", null, null, null, null, null, true
    from scan.gaps g
    where g.org_id = :org_id and g.scan_id = :scan_id and g.key is not null
      and (g.types[1] collate "C", g.key collate "C") > (:from_type, :from_key)
      and (g.types[1] collate "C", g.key collate "C") <= (:to_type, :to_key)
    union all
    select a.type, a.key, null, null, null, null, null, true
    from scan.live_aliases a
    where a.org_id = :org_id and a.account_id = :account_id
      and (a.type, a.key) > (:from_type, :from_key) and (a.type, a.key) <= (:to_type, :to_key)
    union all
    select a.live_type, a.live_key, null, null, null, null, null, true
    from scan.live_aliases a
    join scan.state_resources r on r.org_id = a.org_id and r.account_id = a.account_id and r.type = a.type and r.key = a.key
    where a.org_id = :org_id and r.org_id = :org_id and a.account_id = :account_id
      and (a.live_type, a.live_key) > (:from_type, :from_key) and (a.live_type, a.live_key) <= (:to_type, :to_key)
  ) as s
  group by s.type, s.key
)
select cast(coalesce(sum(p.items) filter (where p.is_settled), 0) as bigint) as settled, count(*) as identities,
  json_agg(json_build_array(p.type, p.key, encode(p.hash, 'hex')) order by p.type, p.key) filter (where not p.is_settled) as unsettled
from (
  select type, key, items, hash, not is_told and coalesce(agreed = hash, false) as is_settled
  from pairs
  where items is not null
) as p
"""
_SET_AGREED = """
update scan.live_resources l
set agreed_hash = decode(a.named, 'hex')
from jsonb_to_recordset(cast(:agreed as jsonb)) as a (type text, key text, named text)
where l.org_id = :org_id and l.account_id = :account_id and l.type = a.type and l.key = a.key
"""
# Both sides come as one JSON document each: the driver takes ten times as long for the same rows one by one.
_DECLARED = "r.address, r.type, r.key, r.attributes, r.sensitive, r.parent, r.account, r.region, r.is_deposed, r.source_id, r.part"
_LIVE = "l.type, l.key, l.region, l.cloud_id, l.attributes, l.tags, l.cloud_made, l.parent, l.aliases"
_LIST_DECLARED = f"""
select json_agg(d order by d.type, d.key, d.source_id, d.address, d.part) as found
from (
  select {_DECLARED}
  from jsonb_to_recordset(cast(:identities as jsonb)) as i (type text, key text)
  join scan.state_resources r on r.type = i.type and r.key = i.key
  where r.org_id = :org_id and r.account_id = :account_id
) as d
"""
_LIST_DECLARED_BETWEEN = f"""
select json_agg(d order by d.type, d.key, d.source_id, d.address, d.part) as found
from (
  select {_DECLARED}
  from scan.state_resources r
  where r.org_id = :org_id and r.account_id = :account_id and r.key is not null
    and (r.type, r.key) >= (:from_type, :from_key) and (r.type, r.key) <= (:to_type, :to_key)
) as d
"""
_LIST_LIVE_BETWEEN = f"""
select json_agg(d order by d.type, d.key) as found
from (
  (
    select {_LIVE}
    from scan.live_resources l
    where l.org_id = :org_id and l.account_id = :account_id and l.scan_id = :scan_id
      and (l.type, l.key) >= (:from_type, :from_key) and (l.type, l.key) <= (:to_type, :to_key)
    order by l.type, l.key
  )
  union all
  (
    select {_LIVE}
    from scan.live_aliases a
    join scan.live_resources l on l.org_id = a.org_id and l.account_id = a.account_id and l.type = a.live_type and l.key = a.live_key
    where a.org_id = :org_id and a.account_id = :account_id and l.org_id = :org_id and l.scan_id = :scan_id
      and (a.type, a.key) >= (:from_type, :from_key) and (a.type, a.key) <= (:to_type, :to_key)
    order by l.type, l.key
  )
) as d
"""
_LIST_LIVE = f"""
with wanted as (
  select i.type collate "C" as type, i.key collate "C" as key
  from jsonb_to_recordset(cast(:identities as jsonb)) as i (type text, key text)
), named as (
  select w.type, w.key
  from wanted w
  union
  select a.live_type, a.live_key
  from wanted w
  join scan.live_aliases a on a.type = w.type and a.key = w.key
  where a.org_id = :org_id and a.account_id = :account_id
)
select json_agg(d order by d.type, d.key) as found
from (
  select {_LIVE}
  from named n
  join scan.live_resources l on l.type = n.type and l.key = n.key
  where l.org_id = :org_id and l.account_id = :account_id and l.scan_id = :scan_id
) as d
"""
_LIST_TAKEN_OVER = """
select distinct r.parent
from jsonb_to_recordset(cast(:identities as jsonb)) as i (type text, key text)
join scan.state_resources r on r.parent[1] collate "C" = i.type and r.parent[2] collate "C" = i.key
where r.org_id = :org_id and r.account_id = :account_id and r.parent is not null
"""
_LIST_UNREAD = """
select g.types, g.key, g.attributes, g.region, g.reason, g.permission, g.detail
from jsonb_to_recordset(cast(:identities as jsonb)) as i (type text, key text)
join scan.gaps g on g.types[1] collate "C" = i.type and g.key collate "C" = i.key
where g.org_id = :org_id and g.scan_id = :scan_id and g.key is not null
"""
_LIST_NOT_CHECKED = """
select distinct types, key, attributes, region, reason, permission, detail
from scan.gaps
where org_id = :org_id and scan_id = :scan_id and key is null
"""
_HAS_UNREAD = """
select exists (select from scan.gaps where org_id = :org_id and scan_id = :scan_id and key is not null) as found
"""
_COUNT_UNREAD = """
select types[1] as type, count(*) as resources
from scan.gaps
where org_id = :org_id and scan_id = :scan_id and key is not null
group by types[1]
"""
_COUNT_APART = """
select type, case when type = any(cast(:covered as text[])) then account end as account,
  case when type = any(cast(:covered as text[])) then region end as region, count(*) as resources
from scan.state_resources
where org_id = :org_id and account_id = :account_id and (key is null or not (type = any(cast(:covered as text[]))))
group by 1, 2, 3
"""
_COUNT_LIVE = """
select count(*) as resources
from scan.live_resources
where org_id = :org_id and account_id = :account_id and scan_id = :scan_id
"""
_CLEAR = "delete from scan.findings where org_id = :org_id and scan_id = :scan_id"
_ADD = """
insert into scan.findings (scan_id, fingerprint, item)
select cast(:scan_id as uuid), decode(f.item ->> 'fingerprint', 'hex'), f.item
from jsonb_array_elements(cast(:items as jsonb)) as f (item)
on conflict (org_id, scan_id, fingerprint) do update set item = excluded.item
"""
_PAGE = """
select fingerprint, item
from scan.findings
where org_id = :org_id and scan_id = :scan_id and fingerprint > :after
order by fingerprint
limit :most
"""
_COUNT = """
select item ->> 'kind' as kind, item ->> 'severity' as severity, count(*) as items
from scan.findings
where org_id = :org_id and scan_id = :scan_id
group by 1, 2
"""
_LIST_CHANGED = """
select item ->> 'type' as type, item ->> 'key' as key, item ->> 'path' as path, item -> 'before' as before, item -> 'after' as after
from scan.findings
where org_id = :org_id and scan_id = :scan_id and item ->> 'kind' = 'changed'
"""
_NAME_STATES = """
select coalesce(
  encode(sha256(convert_to(
    string_agg(s.id || ' ' || coalesce(encode(s.content_hash, 'hex'), '') || ' ' || s.digest_version, ',' order by s.id), 'UTF8'
  )), 'hex'), '') as name
from scan.state_sources s
where s.org_id = :org_id and s.account_id = :account_id
"""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Place:
    """What is compared: one scan of one account."""

    account_id: UUID
    scan_id: UUID


def take_scan(tx: UnitOfWork, scan_id: UUID) -> Row | None:
    """Read a scan and hold it until the transaction ends; None when it is gone or somebody else holds it."""
    return tx.row(_LOCK, scan_id=scan_id)


def begin(tx: UnitOfWork, scan_id: UUID, comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a comparison, or begin it anew; returns what is kept of it, with the moment as `began_at`."""
    tx.execute(_CLEAR, scan_id=scan_id)
    found: dict[str, Any] = tx.rows(_BEGIN, scan_id=scan_id, comparison=json.dumps(comparison))[0]["comparison"]
    return found


def save(tx: UnitOfWork, scan_id: UUID, comparison: Mapping[str, Any]) -> None:
    """Keep how far a comparison is."""
    tx.execute(_SAVE, scan_id=scan_id, comparison=json.dumps(comparison))


def read_in_order(tx: UnitOfWork) -> None:
    """Have this transaction find ranges by their index."""
    tx.execute(_IN_ORDER)


def end_of_part(tx: UnitOfWork, place: Place, after: Identity, most: int) -> Identity:
    """Return where a part ends that holds about `most` resources of the larger side; `LAST` for the last part."""
    found = tx.row(_END_OF_PART, account_id=place.account_id, from_type=after[0], from_key=after[1], most=most)
    return LAST if found is None else (found["type"], found["key"])


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What of a part must be looked at.

    Attributes:
        pairs: identities, in order, with what names the pair as it is now; None for what has one side only.
        settled: how many declared resources need not be, as they are in sync still.
        is_most: at least half of the part is.
    """

    pairs: Mapping[Identity, str | None]
    settled: int
    is_most: bool


def list_unsettled(
    tx: UnitOfWork, place: Place, after: Identity, until: Identity, *, covered: Sequence[str], rules_hash: bytes
) -> Unsettled:
    """List what of a part must be looked at."""
    row = tx.rows(
        _LIST_UNSETTLED,
        account_id=place.account_id, scan_id=place.scan_id, from_type=after[0], from_key=after[1],
        to_type=until[0], to_key=until[1], covered=list(covered), rules_hash=rules_hash,
    )[0]  # fmt: skip
    pairs = {(kind, key): named for kind, key, named in row["unsettled"] or ()}
    return Unsettled(pairs, int(row["settled"]), is_most=2 * len(pairs) >= row["identities"])


def set_agreed(tx: UnitOfWork, account_id: UUID, agreed: Mapping[Identity, str]) -> None:
    """Remember pairs between which no difference was found, by what named them before they were read."""
    rows = [{"type": kind, "key": key, "named": named} for (kind, key), named in agreed.items()]
    for start in range(0, len(rows), _BATCH):
        tx.execute(_SET_AGREED, account_id=account_id, agreed=json.dumps(rows[start : start + _BATCH]))


def list_declared(tx: UnitOfWork, place: Place, identities: Iterable[Identity]) -> Sequence[Row]:
    """List what states declare under the given identities."""
    wanted = _recordset(identities)
    return _found(tx.rows(_LIST_DECLARED, account_id=place.account_id, identities=wanted)) if wanted else []


def list_declared_between(tx: UnitOfWork, place: Place, first: Identity, last: Identity) -> Sequence[Row]:
    """List what states declare from one identity to another, both included."""
    values = {"from_type": first[0], "from_key": first[1], "to_type": last[0], "to_key": last[1]}
    return _found(tx.rows(_LIST_DECLARED_BETWEEN, account_id=place.account_id, **values))


def list_live_between(tx: UnitOfWork, place: Place, first: Identity, last: Identity) -> Sequence[Row]:
    """List the live resources that answer to an identity from one to another, by their own or by a further name."""
    values = {"from_type": first[0], "from_key": first[1], "to_type": last[0], "to_key": last[1]}
    return _found(tx.rows(_LIST_LIVE_BETWEEN, account_id=place.account_id, scan_id=place.scan_id, **values))


def list_live(tx: UnitOfWork, place: Place, identities: Iterable[Identity]) -> Sequence[Row]:
    """List the live resources that answer to the given identities, by their own or by a further name."""
    wanted = _recordset(identities)
    values = {"account_id": place.account_id, "scan_id": place.scan_id, "identities": wanted}
    return _found(tx.rows(_LIST_LIVE, **values)) if wanted else []


def list_taken_over(tx: UnitOfWork, place: Place, identities: Iterable[Identity]) -> Sequence[Row]:
    """List which inline blocks of the given resources are declared as resources of their own."""
    wanted = _recordset(identities)
    return tx.rows(_LIST_TAKEN_OVER, account_id=place.account_id, identities=wanted) if wanted else []


def list_unread(tx: UnitOfWork, place: Place, identities: Iterable[Identity]) -> Sequence[Row]:
    """List what could not be read of the given resources."""
    wanted = _recordset(identities)
    return tx.rows(_LIST_UNREAD, scan_id=place.scan_id, identities=wanted) if wanted else []


def list_not_checked(tx: UnitOfWork, scan_id: UUID) -> Sequence[Row]:
    """List the listings that failed; there are at most as many as a scan has shards and listings."""
    return tx.rows(_LIST_NOT_CHECKED, scan_id=scan_id)


def has_unread(tx: UnitOfWork, scan_id: UUID) -> bool:
    """Say whether there is a resource that could not be read, in whole or in part."""
    return bool(tx.rows(_HAS_UNREAD, scan_id=scan_id)[0]["found"])


def count_unread(tx: UnitOfWork, scan_id: UUID) -> dict[str, int]:
    """Count the resources that could not be read, in whole or in part, by type."""
    return {row["type"]: int(row["resources"]) for row in tx.rows(_COUNT_UNREAD, scan_id=scan_id)}


def count_apart(tx: UnitOfWork, account_id: UUID, *, covered: Sequence[str]) -> Sequence[Row]:
    """Count what states declare without a key or of a type that no rule covers, by `type account region`."""
    return tx.rows(_COUNT_APART, account_id=account_id, covered=list(covered))


def count_live(tx: UnitOfWork, place: Place) -> int:
    """Count what the scan saw."""
    return int(tx.rows(_COUNT_LIVE, account_id=place.account_id, scan_id=place.scan_id)[0]["resources"])


def add_findings(tx: UnitOfWork, scan_id: UUID, items: Sequence[Mapping[str, object]]) -> None:
    """Keep what was found until the comparison ends."""
    for start in range(0, len(items), _BATCH):
        tx.execute(_ADD, scan_id=scan_id, items=json.dumps(items[start : start + _BATCH], default=str))


def page_findings(tx: UnitOfWork, scan_id: UUID, *, after: bytes, most: int) -> Sequence[Row]:
    """List what was found, one page in order of the fingerprint."""
    return tx.rows(_PAGE, scan_id=scan_id, after=after, most=most)


def list_changed(tx: UnitOfWork, scan_id: UUID) -> Sequence[Row]:
    """List what was found changed: `type key path before after`; values that are sensitive are null."""
    return tx.rows(_LIST_CHANGED, scan_id=scan_id)


def count_findings(tx: UnitOfWork, scan_id: UUID) -> Sequence[Row]:
    """Count what was found, by kind and severity."""
    return tx.rows(_COUNT, scan_id=scan_id)


def clear_findings(tx: UnitOfWork, scan_id: UUID) -> None:
    """Forget what was found."""
    tx.execute(_CLEAR, scan_id=scan_id)


def name_states(tx: UnitOfWork, account_id: UUID) -> str:
    """Return a digest that names the versions of all states of an account."""
    return str(tx.rows(_NAME_STATES, account_id=account_id)[0]["name"])


def _found(rows: Sequence[Row]) -> Sequence[Row]:
    found: Sequence[Row] = rows[0]["found"] or []
    return found


def _recordset(identities: Iterable[Identity]) -> str:
    found = [{"type": kind, "key": key} for kind, key in sorted(set(identities))]
    return json.dumps(found) if found else ""
