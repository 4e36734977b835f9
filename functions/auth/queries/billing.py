"""SQL of what organisations pay for."""

from __future__ import annotations

from datetime import datetime

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

_COLUMNS = "customer_id, subscription_id, status, price_id, granted_plan, period_ends_at, cancels_at, version"
_FIND = f"select {_COLUMNS} from core.subscriptions where org_id = :org_id"
_LOCK = f"select {_COLUMNS} from core.subscriptions where org_id = :org_id for no key update"
# Two calls may have asked Stripe for a customer at once: whoever stores one first is right.
_INSERT = """
insert into core.subscriptions (customer_id, created_at, changed_at)
values (:customer_id, :now, :now)
on conflict (org_id) do nothing
returning customer_id
"""
_SET = """
update core.subscriptions
set subscription_id = :subscription_id, status = :status, price_id = :price_id, granted_plan = :granted_plan,
  period_ends_at = cast(:period_ends_at as timestamptz), cancels_at = cast(:cancels_at as timestamptz),
  version = version + 1, changed_at = :now
where org_id = :org_id
"""


def find_subscription(tx: UnitOfWork) -> Row | None:
    """Read the organisation's customer and subscription; None when none was ever made."""
    return tx.row(_FIND)


def lock_subscription(tx: UnitOfWork) -> Row | None:
    """Hold the organisation's customer and subscription until the transaction ends; None when none was ever made."""
    return tx.row(_LOCK)


def insert_customer(tx: UnitOfWork, customer_id: str, now: datetime) -> bool:
    """Store the organisation's customer; False when it has one."""
    return tx.row(_INSERT, customer_id=customer_id, now=now) is not None


def set_subscription(
    tx: UnitOfWork,
    *,
    subscription_id: str,
    status: str,
    price_id: str | None,
    granted_plan: str | None,
    period_ends_at: datetime | None,
    cancels_at: datetime | None,
    now: datetime,
) -> None:
    """Store the organisation's subscription as it is now; its version grows."""
    tx.execute(
        _SET,
        subscription_id=subscription_id,
        status=status,
        price_id=price_id,
        granted_plan=granted_plan,
        period_ends_at=period_ends_at,
        cancels_at=cancels_at,
        now=now,
    )
