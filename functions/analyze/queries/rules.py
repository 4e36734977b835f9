"""SQL of rules that are switched off, and of an organisation's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_DISABLED = "rule_id, reason, disabled_by, created_at"
_CUSTOM = """id, name, title, expression, severity, reason, remedy, resource_pattern, is_enabled, created_by, created_at,
  changed_at"""

_LIST_DISABLED = f"""
select {_DISABLED}
from analysis.disabled_rules
where org_id = :org_id and (cast(:after_id as text) is null or rule_id > :after_id)
order by rule_id
limit :most
"""
_GET_DISABLED = f"select {_DISABLED} from analysis.disabled_rules where org_id = :org_id and rule_id = :rule_id"
_DISABLE = f"""
insert into analysis.disabled_rules (rule_id, reason, disabled_by, created_at)
values (:rule_id, :reason, :disabled_by, :created_at)
on conflict (org_id, rule_id) do update
set reason = excluded.reason, disabled_by = excluded.disabled_by, created_at = excluded.created_at
returning {_DISABLED}
"""
_ENABLE = "delete from analysis.disabled_rules where org_id = :org_id and rule_id = :rule_id returning rule_id, reason"

_INSERT = f"""
insert into analysis.custom_rules
  (name, title, expression, severity, reason, remedy, resource_pattern, is_enabled, created_by, created_at, changed_at)
values
  (:name, :title, :expression, :severity, :reason, :remedy, :resource_pattern, :is_enabled, :created_by, :now, :now)
returning {_CUSTOM}
"""
_COUNT = "select count(*) as number from analysis.custom_rules where org_id = :org_id"
_LIST = f"""
select {_CUSTOM}
from analysis.custom_rules
where org_id = :org_id and (cast(:after_id as uuid) is null or id < :after_id)
order by id desc
limit :most
"""
_GET = f"select {_CUSTOM} from analysis.custom_rules where org_id = :org_id and id = :custom_id"
_LOCK = f"{_GET} for no key update"
_CHANGE = f"""
update analysis.custom_rules
set title = :title, expression = :expression, severity = :severity, reason = :reason, remedy = :remedy,
  resource_pattern = :resource_pattern, is_enabled = :is_enabled, changed_at = :now
where org_id = :org_id and id = :custom_id
returning {_CUSTOM}
"""
_DELETE = f"delete from analysis.custom_rules where org_id = :org_id and id = :custom_id returning {_CUSTOM}"


def list_disabled(tx: UnitOfWork, *, after_id: str | None, most: int) -> Sequence[Row]:
    """List rules that are switched off, by id."""
    return tx.rows(_LIST_DISABLED, after_id=after_id, most=most)


def get_disabled(tx: UnitOfWork, rule_id: str) -> Row:
    """Read why a rule is switched off.

    Raises:
        NotFound: (404 `not_found`) it is not.
    """
    return tx.one(_GET_DISABLED, rule_id=rule_id)


def disable_rule(tx: UnitOfWork, rule_id: str, *, reason: str, disabled_by: str, created_at: datetime) -> Row:
    """Switch a rule off, or give a new reason; returns its row."""
    return tx.rows(_DISABLE, rule_id=rule_id, reason=reason, disabled_by=disabled_by, created_at=created_at)[0]


def enable_rule(tx: UnitOfWork, rule_id: str) -> Row:
    """Let a rule speak again.

    Raises:
        NotFound: (404 `not_found`) it was not switched off.
    """
    return tx.one(_ENABLE, rule_id=rule_id)


def insert_custom(tx: UnitOfWork, **values: object) -> Row:
    """Insert a rule; returns its row.

    Raises:
        UniqueViolated: there is one of this name.
    """
    return tx.rows(_INSERT, **values)[0]


def count_custom(tx: UnitOfWork) -> int:
    """Count the organisation's own rules."""
    return int(tx.rows(_COUNT)[0]["number"])


def list_custom(tx: UnitOfWork, *, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List the organisation's own rules, newest first."""
    return tx.rows(_LIST, after_id=after_id, most=most)


def get_custom(tx: UnitOfWork, custom_id: UUID) -> Row:
    """Read one of the organisation's own rules.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_GET, custom_id=custom_id)


def lock_custom(tx: UnitOfWork, custom_id: UUID) -> Row:
    """Read one and hold it until the transaction ends.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_LOCK, custom_id=custom_id)


def change_custom(tx: UnitOfWork, custom_id: UUID, **values: object) -> Row:
    """Store a changed rule; returns its row."""
    return tx.one(_CHANGE, custom_id=custom_id, **values)


def delete_custom(tx: UnitOfWork, custom_id: UUID) -> Row:
    """Delete a rule.

    Raises:
        NotFound: (404 `not_found`).
    """
    return tx.one(_DELETE, custom_id=custom_id)
