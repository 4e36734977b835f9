"""The SQL of purging sign-ins."""

from __future__ import annotations

from shared.data.unit_of_work import UnitOfWork

_DELETE_EXPIRED_SIGN_INS = """
with old as (
  select state_hash
  from core.sign_ins
  where expires_at < now()
  order by expires_at
  limit :most
)
delete from core.sign_ins s
using old
where s.state_hash = old.state_hash
returning s.expires_at
"""


def delete_expired_sign_ins(tx: UnitOfWork, *, most: int) -> int:
    """Forget the oldest sign-ins that nobody finished; returns how many."""
    return len(tx.rows(_DELETE_EXPIRED_SIGN_INS, most=most))
