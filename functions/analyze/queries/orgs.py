"""All SQL on the organisation itself."""

from __future__ import annotations

from shared.data.unit_of_work import UnitOfWork

_GET_PLAN = "select plan from core.orgs where id = :org_id"


def get_subscription(tx: UnitOfWork) -> str:
    """Read what the organisation has subscribed to: `free`, `team` or `enterprise`."""
    return str(tx.rows(_GET_PLAN)[0]["plan"])
