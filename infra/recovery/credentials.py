"""Ending the credentials that a restore brought back to life (ADR-0045): `python -m infra.recovery end-credentials`.

Sessions, and whatever is under way to one, end always: people sign in again. API keys and directories' tokens end one by one while
the log of what was revoked can be read (`bringing.py`), and all together when it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shared.data.unit_of_work import UnitOfWork

from . import queries
from .owner import OwnerDatabase, WorkRole, step_into

_KEYS: dict[str, tuple[WorkRole, str]] = {
    "api_keys": ("keys_work", queries.REVOKE_KEYS),
    "scim_tokens": ("scim_work", queries.REVOKE_DIRECTORIES),
}


def end_credentials(database: OwnerDatabase, *, point: datetime | None, with_keys: bool) -> Iterator[str]:
    """End them, each organisation and the people in a transaction of its own; yields one line for each. It can be run again.

    Args:
        database: the restored database.
        point: the moment that was restored to; None for the end of the archive.
        with_keys: whether API keys and directories' tokens end as well.

    Raises:
        DatabaseAway: the database did not answer; run it again.
    """
    told = {"restored_to": "end" if point is None else point.isoformat()}
    with database.unit("auth_work", None) as tx:
        ended = {what: _count(tx, sql) for what, sql in queries.END_FOR_PEOPLE.items()}
        tx.audit_platform("recovery:database:restored", "database", "", with_keys=with_keys, **told, **ended)
    yield f"people: {_said(ended)}"
    for row in database.lookup(queries.LIST_HEADS):
        with database.unit("auth_work", row["org_id"]) as tx:
            ended = {"invitations": _count(tx, queries.REVOKE_INVITATIONS)}
            if with_keys:
                for what, (role, sql) in _KEYS.items():
                    step_into(tx, role)
                    ended[what] = _count(tx, sql)
                step_into(tx, "auth_work")
            tx.audit("recovery:credentials:ended", "org", row["org_id"], **told, **ended)
        yield f"{row['org_id']}: {_said(ended)}"


def _count(tx: UnitOfWork, sql: str) -> int:
    return int(tx.rows(sql)[0]["ended"])


def _said(ended: dict[str, int]) -> str:
    return ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in ended.items()) + " ended"
