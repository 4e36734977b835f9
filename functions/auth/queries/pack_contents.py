"""SQL of what stands in a pack for auditors, page by page. Reads other functions' tables and writes none.

Every page function takes the cursor that the last row of the page before it gave (`cursor`), and at most so many rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_FIND_SLICE = """
select min(seq) as first_seq, max(seq) as last_seq
from core.audit_log
where org_id = :org_id and at >= :from_at and at < :to_at
"""
_COUNT_BEFORE = "select coalesce(max(seq), 0) as last_seq from core.audit_log where org_id = :org_id and at < :from_at"
_GET_HASH = "select hash from core.audit_log where org_id = :org_id and seq = :seq"
_PAGE_ENTRIES = """
select org_id, seq as cursor, seq, version, id, at, action, actor_kind, actor_id, target_kind, target_id,
  cast(facts as text) as facts, request_id, prev_hash, hash
from core.audit_log
where org_id = :org_id and seq > :after_seq and seq <= :last_seq
order by seq
limit :most
"""
_PAGE_MEMBERS = """
with page as (
  select user_id, role, created_at
  from core.members
  where org_id = :org_id and (cast(:after_id as uuid) is null or user_id > cast(:after_id as uuid))
  order by user_id
  limit :most
), joins as (
  select distinct on (who) who, came_by, came_at, invitation_id
  from (
    select seq, at as came_at,
      case when action = 'auth:org:created' then actor_id else target_id end as who,
      case when action = 'scim:member:joined' then 'scim' when action = 'auth:org:created' then 'founder'
        when facts ->> 'by' = 'saml' then 'saml' else 'invitation' end as came_by,
      facts ->> 'invitation_id' as invitation_id
    from core.audit_log
    where org_id = :org_id and action in ('auth:member:joined', 'scim:member:joined', 'auth:org:created')
  ) e
  where who in (select cast(user_id as text) from page)
  order by who, seq desc
), changes as (
  select actor_id, max(at) as last_change_at
  from core.audit_log
  where org_id = :org_id and actor_kind = 'human' and actor_id in (select cast(user_id as text) from page)
  group by actor_id
), signs as (
  select user_id, max(signed_in_at) as last_sign_in_at, max(last_seen_at) as last_seen_at
  from core.sessions
  where user_id in (select user_id from page) and (bound_org_id is null or bound_org_id = :org_id)
  group by user_id
)
select m.user_id as cursor, m.user_id, u.email, u.name, m.role, u.disabled_at is not null as is_disabled,
  m.created_at as member_since, j.came_by, j.came_at, i.invited_by as granted_by, g.email as granted_by_email,
  exists (select from scim.users d where d.org_id = :org_id and d.user_id = m.user_id) as is_in_directory,
  s.last_sign_in_at, s.last_seen_at, c.last_change_at
from page m
join core.users u on u.id = m.user_id
left join joins j on j.who = cast(m.user_id as text)
left join core.invitations i on i.org_id = :org_id and cast(i.id as text) = j.invitation_id
left join core.users g on g.id = i.invited_by
left join changes c on c.actor_id = cast(m.user_id as text)
left join signs s on s.user_id = m.user_id
order by m.user_id
"""
_MADE_BY = """
left join core.users u on u.id = k.created_by
left join core.members m on m.org_id = :org_id and m.user_id = u.id and u.disabled_at is null
"""
_STILL_LIVE = """
  (k.revoked_at is null or k.revoked_at >= :from_at) and (k.expires_at is null or k.expires_at >= :from_at)
  and (cast(:after_id as uuid) is null or k.id > cast(:after_id as uuid))
order by k.id
limit :most
"""
_PAGE_KEYS = f"""
select k.id as cursor, k.id, 'dw2' as kind, k.public_id, k.name, k.scopes, cast(k.cidrs as text[]) as cidrs, k.created_by,
  u.email as created_by_email, m.role as maker_role, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.replaces_id
from core.api_keys k
{_MADE_BY}
where k.org_id = :org_id and {_STILL_LIVE}
"""
_PAGE_TOKENS = f"""
select k.id as cursor, k.id, 'dws' as kind, k.public_id, k.name, k.created_by, u.email as created_by_email, m.role as maker_role,
  k.created_at, k.expires_at, k.last_used_at, k.revoked_at
from scim.tokens k
{_MADE_BY}
where k.org_id = :org_id and {_STILL_LIVE}
"""
_PAGE_INVITATIONS = """
select i.id as cursor, i.id, i.email, i.role, i.invited_by, u.email as invited_by_email, i.created_at, i.expires_at,
  i.accepted_at, i.revoked_at
from core.invitations i
left join core.users u on u.id = i.invited_by
where i.org_id = :org_id and coalesce(i.accepted_at, i.revoked_at, i.expires_at) >= :from_at
  and (cast(:after_id as uuid) is null or i.id > cast(:after_id as uuid))
order by i.id
limit :most
"""
_PAGE_SCANS = """
select s.id as cursor, s.id, s.account_id, a.name as account, a.provider, a.external_account, s.status, s.requested_by,
  s.created_at, s.started_at, s.finished_at, s.shards_total, s.shards_done, s.resources, s.summary, s.error_code
from scan.scans s
join scan.cloud_accounts a on a.org_id = :org_id and a.id = s.account_id
where s.org_id = :org_id and s.created_at >= :from_at and s.created_at < :to_at
  and (cast(:after_id as uuid) is null or s.id > cast(:after_id as uuid))
order by s.id
limit :most
"""
_PAGE_DRIFT = """
select i.id as cursor, i.id, i.account_id, a.name as account, i.kind, i.type, i.key, i.address, i.cloud_id, i.region, i.path,
  i.is_sensitive, i.severity, i.rule, i.status, i.first_seen_at, i.last_seen_at, i.fixed_at, i.attribution_status, i.attribution,
  i.acknowledged_at, i.acknowledged_by, i.assignee, i.note, i.ignore_rule_id, i.ignored_until
from scan.drift_items i
join scan.cloud_accounts a on a.org_id = :org_id and a.id = i.account_id
where i.org_id = :org_id and i.first_seen_at < :to_at and (i.fixed_at is null or i.fixed_at >= :from_at)
  and (cast(:after_id as uuid) is null or i.id > cast(:after_id as uuid))
order by i.id
limit :most
"""
_SUM_FIX_TIMES = """
select severity,
  count(*) filter (where first_seen_at >= :from_at and first_seen_at < :to_at) as opened,
  count(*) filter (where is_fixed) as fixed,
  count(*) filter (where first_seen_at < :to_at and (fixed_at is null or fixed_at >= :to_at)) as open_at_end,
  cast(round(avg(seconds) filter (where is_fixed), 3) as double precision) as mean_seconds_to_fix,
  percentile_cont(0.5) within group (order by cast(seconds as double precision)) filter (where is_fixed) as median_seconds_to_fix,
  cast(max(seconds) filter (where is_fixed) as double precision) as longest_seconds_to_fix
from (
  select severity, first_seen_at, fixed_at, coalesce(fixed_at >= :from_at and fixed_at < :to_at, false) as is_fixed,
    extract(epoch from fixed_at - first_seen_at) as seconds
  from scan.drift_items
  where org_id = :org_id and first_seen_at < :to_at and (fixed_at is null or fixed_at >= :from_at)
) d
group by severity
"""


def find_slice(tx: UnitOfWork, *, from_at: datetime, to_at: datetime) -> tuple[int, int]:
    """Return the first and the last number of the audit entries of a window; the last is one less where there are none."""
    row = tx.rows(_FIND_SLICE, from_at=from_at, to_at=to_at)[0]
    if row["first_seq"] is not None:
        return int(row["first_seq"]), int(row["last_seq"])
    before = int(tx.rows(_COUNT_BEFORE, from_at=from_at)[0]["last_seq"])
    return before + 1, before


def find_hash(tx: UnitOfWork, seq: int) -> bytes | None:
    """Return the hash of an audit entry; None when there is none of this number."""
    row = tx.row(_GET_HASH, seq=seq)
    return None if row is None else bytes(row["hash"])


def page_entries(tx: UnitOfWork, *, after_seq: int, last_seq: int, most: int) -> Sequence[Row]:
    """Return audit entries by number, with all that is hashed of them."""
    return tx.rows(_PAGE_ENTRIES, after_seq=after_seq, last_seq=last_seq, most=most)


def page_members(tx: UnitOfWork, *, after_id: UUID | None, most: int) -> Sequence[Row]:
    """Return members with how they came and when they were last here."""
    return tx.rows(_PAGE_MEMBERS, after_id=after_id, most=most)


def page_keys(tx: UnitOfWork, *, after_id: UUID | None, from_at: datetime, most: int) -> Sequence[Row]:
    """Return API keys that are live or were so since a time, with who made them."""
    return tx.rows(_PAGE_KEYS, after_id=after_id, from_at=from_at, most=most)


def page_tokens(tx: UnitOfWork, *, after_id: UUID | None, from_at: datetime, most: int) -> Sequence[Row]:
    """Return tokens of directories, as `page_keys`."""
    return tx.rows(_PAGE_TOKENS, after_id=after_id, from_at=from_at, most=most)


def page_invitations(tx: UnitOfWork, *, after_id: UUID | None, from_at: datetime, most: int) -> Sequence[Row]:
    """Return invitations that are open or were so since a time."""
    return tx.rows(_PAGE_INVITATIONS, after_id=after_id, from_at=from_at, most=most)


def page_scans(
    tx: UnitOfWork, *, after_id: UUID | None, from_at: datetime, to_at: datetime, most: int
) -> Sequence[Row]:
    """Return scans that were asked for in a window."""
    return tx.rows(_PAGE_SCANS, after_id=after_id, from_at=from_at, to_at=to_at, most=most)


def page_drift(
    tx: UnitOfWork, *, after_id: UUID | None, from_at: datetime, to_at: datetime, most: int
) -> Sequence[Row]:
    """Return drift that was open at some time in a window, without the values of resources."""
    return tx.rows(_PAGE_DRIFT, after_id=after_id, from_at=from_at, to_at=to_at, most=most)


def sum_fix_times(tx: UnitOfWork, *, from_at: datetime, to_at: datetime) -> Sequence[Row]:
    """Return how much drift was opened and fixed in a window and how long fixing took, by severity."""
    return tx.rows(_SUM_FIX_TIMES, from_at=from_at, to_at=to_at)
