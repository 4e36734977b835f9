"""The SQL of the audit log's calls and of its anchoring."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = "select seq, id, at, action, actor_kind, actor_id, target_kind, target_id, facts, request_id, hash"
_WANTED = """
  (cast(:before_seq as bigint) is null or seq < cast(:before_seq as bigint))
  and (cast(:actor as text) is null or actor_id = cast(:actor as text))
  and (cast(:action as text) is null or action = cast(:action as text)
    or (right(cast(:action as text), 1) = ':' and starts_with(action, cast(:action as text))))
  and (cast(:target as text) is null or target_id = cast(:target as text))
  and (cast(:from_at as timestamptz) is null or at >= cast(:from_at as timestamptz))
  and (cast(:to_at as timestamptz) is null or at < cast(:to_at as timestamptz))
order by seq desc
limit :most
"""
_LIST_AUDIT = f"{_COLUMNS} from core.audit_log where org_id = :org_id and {_WANTED}"
_LIST_PLATFORM_AUDIT = f"{_COLUMNS} from core.platform_audit_log where {_WANTED}"
_LIST_CHANGED_HEADS = """
select org_id, seq, hash
from core.list_changed_audit_heads(cast(:after_id as uuid), cast(:most as integer))
"""
_SET_ANCHORED = "update core.audit_heads set anchored_seq = :seq where org_id = :org_id and anchored_seq < :seq"
_GET_CHANGED_PLATFORM_HEAD = "select seq, hash from core.platform_audit_head where seq > anchored_seq"
_SET_PLATFORM_ANCHORED = "update core.platform_audit_head set anchored_seq = :seq where anchored_seq < :seq"


def list_audit(tx: UnitOfWork, *, before_seq: int | None, most: int, **filters: object) -> Sequence[Row]:
    """List entries of the organisation's audit log, newest first; filters that are None do not count."""
    return tx.rows(_LIST_AUDIT, before_seq=before_seq, most=most, **filters)


def list_platform_audit(tx: UnitOfWork, *, before_seq: int | None, most: int, **filters: object) -> Sequence[Row]:
    """List entries of the platform's audit log, as `list_audit`."""
    return tx.rows(_LIST_PLATFORM_AUDIT, before_seq=before_seq, most=most, **filters)


def list_changed_heads(db: Lookups, *, after_id: UUID | None, most: int) -> Sequence[Row]:
    """List the heads of organisations' chains that were not anchored yet, by organisation."""
    return db.lookup(_LIST_CHANGED_HEADS, after_id=after_id, most=most)


def set_anchored(tx: UnitOfWork, *, seq: int) -> None:
    """Remember up to where the organisation's chain is anchored."""
    tx.execute(_SET_ANCHORED, seq=seq)


def get_changed_platform_head(tx: UnitOfWork) -> Row | None:
    """Read the head of the platform's chain when it was not anchored yet."""
    return tx.row(_GET_CHANGED_PLATFORM_HEAD)


def set_platform_anchored(tx: UnitOfWork, *, seq: int) -> None:
    """Remember up to where the platform's chain is anchored."""
    tx.execute(_SET_PLATFORM_ANCHORED, seq=seq)
