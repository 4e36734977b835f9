"""All SQL on the pull requests that are commented on: one row each, which one worker at a time may talk about."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork

# The row's lock decides who gets the lease; an analysis that is older than the shown one, or is shown already, gets none.
_TAKE = """
insert into analysis.pull_request_comments as p
  (code_host_id, repository, pull_request, analysis_id, analysed_at, lease_id, leased_until, updated_at)
values
  (:host_id, :repository, :pull_request, :analysis_id, :analysed_at, :lease_id, cast(:leased_until as timestamptz),
   cast(:now as timestamptz))
on conflict (org_id, code_host_id, repository, pull_request) do update
set analysis_id = excluded.analysis_id, analysed_at = excluded.analysed_at, status = 'pending', error_code = null,
  lease_id = excluded.lease_id, leased_until = excluded.leased_until, updated_at = excluded.updated_at
where p.org_id = :org_id and (p.leased_until is null or p.leased_until <= :now)
  and (p.analysed_at, p.analysis_id) <= (excluded.analysed_at, excluded.analysis_id)
  and (p.analysis_id <> excluded.analysis_id or p.status in ('pending', 'failed'))
returning id, comment_id
"""
_GET = """
select id, analysis_id, analysed_at, status, comment_id, error_code, leased_until
from analysis.pull_request_comments
where org_id = :org_id and code_host_id = :host_id and repository = :repository and pull_request = :pull_request
"""
_NOTE_COMMENT = """
update analysis.pull_request_comments
set comment_id = :comment_id, updated_at = :now
where org_id = :org_id and id = :pull_request_id and lease_id = :lease_id
"""
_END = """
update analysis.pull_request_comments
set status = :status, error_code = :error_code, lease_id = null, leased_until = null, updated_at = :now
where org_id = :org_id and id = :pull_request_id and lease_id = :lease_id
"""
_FORGET_OLD = """
delete from analysis.pull_request_comments
where org_id = :org_id and id in (
  select p.id from analysis.pull_request_comments p
  where p.org_id = :org_id and p.updated_at < :before and p.lease_id is null
  order by p.updated_at limit :most
)
returning id
"""


def take_pull_request(tx: UnitOfWork, **values: object) -> Row | None:
    """Lease a pull request to show an analysis on; None when another worker has it, or there is nothing to do."""
    return tx.row(_TAKE, **values)


def find_pull_request(tx: UnitOfWork, *, host_id: UUID, repository: str, pull_request: int) -> Row | None:
    """Read what is known of a pull request."""
    return tx.row(_GET, host_id=host_id, repository=repository, pull_request=pull_request)


def note_comment(tx: UnitOfWork, pull_request_id: UUID, *, lease_id: UUID, comment_id: int, now: datetime) -> None:
    """Remember which comment is ours."""
    tx.execute(_NOTE_COMMENT, pull_request_id=pull_request_id, lease_id=lease_id, comment_id=comment_id, now=now)


def end_lease(
    tx: UnitOfWork, pull_request_id: UUID, *, lease_id: UUID, status: str, error_code: str | None, now: datetime
) -> None:
    """Store what became of a lease's work and give it back; nothing when the lease has passed on."""
    tx.execute(_END, pull_request_id=pull_request_id, lease_id=lease_id, status=status, error_code=error_code, now=now)


def forget_old(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Forget pull requests that nothing was written about for long; returns how many."""
    return len(tx.rows(_FORGET_OLD, before=before, most=most))
