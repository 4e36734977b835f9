"""All SQL on ignore rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = """id, type_pattern, address_pattern, cloud_id_pattern, tag_pattern, path_pattern, most_severity, reason, expires_at,
  created_by, created_at"""

_INSERT = f"""
insert into scan.ignore_rules
  (type_pattern, address_pattern, cloud_id_pattern, tag_pattern, path_pattern, most_severity, reason, expires_at, created_by, created_at)
values
  (:type_pattern, :address_pattern, :cloud_id_pattern, :tag_pattern, :path_pattern, :most_severity, :reason, :expires_at,
   :created_by, :created_at)
returning {_COLUMNS}
"""
_LIST = f"""
select {_COLUMNS}
from scan.ignore_rules
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most offset :skipped
"""
_LIST_LIVE = f"""
select {_COLUMNS}
from scan.ignore_rules
where org_id = :org_id and (expires_at is null or expires_at > :now)
order by id
limit :most
"""
_GET = f"select {_COLUMNS} from scan.ignore_rules where org_id = :org_id and id = :ignore_rule_id"
_DELETE = f"delete from scan.ignore_rules where org_id = :org_id and id = :ignore_rule_id returning {_COLUMNS}"
_DROP_EXPIRED = "delete from scan.ignore_rules where org_id = :org_id and expires_at <= :before returning id"
# What is hidden by a rule that is gone counts as shown.
_LIST_SHOWN = """
select d.id, d.type, d.address, d.cloud_id, d.path, d.severity, coalesce(r.tags, cast('{}' as jsonb)) as tags
from scan.drift_items d
left join scan.live_resources r
  on r.org_id = :org_id and r.account_id = d.account_id and r.type = d.type and r.key = d.key
where d.org_id = :org_id and d.status = 'open' and (cast(:after_id as uuid) is null or d.id > :after_id)
  and not exists (
    select from scan.ignore_rules i
    where i.org_id = :org_id and i.id = d.ignore_rule_id and i.id <> :ignore_rule_id and (i.expires_at is null or i.expires_at > :now)
  )
order by d.id
limit :most
"""
_SET_RULE = """
update scan.drift_items d
set ignore_rule_id = :ignore_rule_id
from jsonb_to_recordset(cast(:ids as jsonb)) as s (id uuid)
where d.org_id = :org_id and d.id = s.id and d.status = 'open'
"""


def insert_rule(tx: UnitOfWork, **values: object) -> Row:
    """Insert a rule; returns its row."""
    return tx.rows(_INSERT, **values)[0]


def list_rules(tx: UnitOfWork, *, after_id: UUID | None, most: int, skipped: int) -> Sequence[Row]:
    """List rules, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most, skipped=skipped)


def list_live_rules(tx: UnitOfWork, *, now: datetime, most: int) -> Sequence[Row]:
    """List rules that hold, oldest first."""
    return tx.rows(_LIST_LIVE, now=now, most=most)


def get_rule(tx: UnitOfWork, ignore_rule_id: UUID) -> Row:
    """Read one rule.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, ignore_rule_id=ignore_rule_id)


def delete_rule(tx: UnitOfWork, ignore_rule_id: UUID) -> Row:
    """Delete a rule; what it hid is shown again.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, ignore_rule_id=ignore_rule_id)


def drop_expired_rules(tx: UnitOfWork, *, before: datetime) -> None:
    """Delete rules that were over by then."""
    tx.execute(_DROP_EXPIRED, before=before)


def list_shown_items(
    tx: UnitOfWork, ignore_rule_id: UUID, *, after_id: UUID | None, now: datetime, most: int
) -> Sequence[Row]:
    """List open items that no rule but this one hides, with the tags of their live resources, oldest first."""
    return tx.rows(_LIST_SHOWN, ignore_rule_id=ignore_rule_id, after_id=after_id, now=now, most=most)


def set_rule(tx: UnitOfWork, ignore_rule_id: UUID, ids: Sequence[UUID]) -> None:
    """Let a rule hide some open items."""
    tx.execute(_SET_RULE, ignore_rule_id=ignore_rule_id, ids=json.dumps([{"id": str(item_id)} for item_id in ids]))
