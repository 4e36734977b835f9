"""All SQL on analyses, and the one read of what scans found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Lookups, Row
from shared.data.unit_of_work import UnitOfWork

_SUMMARY = """id, requested_by, repository, branch, pull_request, project, directory, workspace, risk_level, fail_on, is_refused, terraform_version, summary,
  created_at"""
_INSERT = f"""
insert into analysis.analyses
  (id, requested_by, repository, branch, pull_request, project, directory, workspace, risk_level, fail_on, is_refused,
   terraform_version, summary, answer, created_at)
values
  (:id, :requested_by, :repository, :branch, :pull_request, :project, :directory, :workspace, :risk_level, :fail_on, :is_refused,
   :terraform_version, :summary, cast(:answer as jsonb), :created_at)
returning {_SUMMARY}, answer
"""
_GET = f"""
select {_SUMMARY}, answer
from analysis.analyses
where org_id = :org_id and id = :analysis_id and (cast(:kept_since as timestamptz) is null or created_at >= :kept_since)
"""
_LIST = f"""
select {_SUMMARY}
from analysis.analyses
where org_id = :org_id
  and (cast(:kept_since as timestamptz) is null or created_at >= :kept_since)
  and (cast(:after_id as uuid) is null or id < :after_id)
  and (cast(:risk_level as text) is null or risk_level = :risk_level)
  and (cast(:repository as text) is null or repository = :repository)
  and (cast(:branch as text) is null or branch = :branch)
  and (cast(:pull_request as integer) is null or pull_request = :pull_request)
order by id desc
limit :most offset :skipped
"""
# Answers are large: only of the rows that are left is one looked into.
_LIST_LATEST = """
select a.id, a.project, a.directory, a.workspace, a.risk_level, a.is_refused, a.summary, a.created_at, a.answer -> 'ci' as ci
from analysis.analyses a
join (
  select distinct on (b.project, b.directory, b.workspace) b.id, b.created_at
  from analysis.analyses b
  where b.org_id = :org_id and lower(b.repository) = :repository and b.pull_request = :pull_request
  order by b.project, b.directory, b.workspace, b.created_at desc, b.id desc
) as latest on latest.id = a.id
where a.org_id = :org_id
order by a.created_at desc, a.id desc
limit :most
"""
_LIST_DRIFT = """
select id, kind, type, address, cloud_id, path, before, after, is_sensitive, severity
from scan.drift_items
where org_id = :org_id and status = 'open'
  and (address = any(cast(:addresses as text[])) or (kind = 'unmanaged' and cloud_id = any(cast(:cloud_ids as text[]))))
order by id
limit :most
"""
_LIST_ORGS_TO_PURGE = """
select org_id, plan
from analysis.list_orgs_to_purge(
  cast(:free_before as timestamptz), cast(:team_before as timestamptz), cast(:after_id as uuid), cast(:most as integer)
)
"""
_DELETE_OLD = """
with old as (
  select id
  from analysis.analyses
  where org_id = :org_id and created_at < :before
  order by created_at
  limit :most
)
delete from analysis.analyses a
using old
where a.org_id = :org_id and a.id = old.id
returning a.id
"""


def insert_analysis(tx: UnitOfWork, *, answer: Mapping[str, Any], **values: object) -> Row:
    """Insert an analysis; returns its row."""
    return tx.rows(_INSERT, answer=json.dumps(answer), **values)[0]


def get_analysis(tx: UnitOfWork, analysis_id: UUID, *, kept_since: datetime | None) -> Row:
    """Read one analysis.

    Raises:
        NotFound: (404 `not_found`) there is none, or none any more.
    """
    return tx.one(_GET, analysis_id=analysis_id, kept_since=kept_since)


def list_analyses(tx: UnitOfWork, *, most: int, skipped: int, **filters: object) -> Sequence[Row]:
    """List analyses, newest first; filters are `kept_since after_id risk_level repository branch pull_request`, None for any."""
    return tx.rows(_LIST, most=most, skipped=skipped, **filters)


def list_latest_parts(tx: UnitOfWork, *, repository: str, pull_request: int, most: int) -> Sequence[Row]:
    """List the latest analysis of each part that a pull request is planned in, newest first; without their answers.

    Args:
        tx: the organisation's.
        repository: in lower case.
        pull_request: its number.
        most: how many parts.
    """
    return tx.rows(_LIST_LATEST, repository=repository, pull_request=pull_request, most=most)


def list_open_drift(tx: UnitOfWork, *, addresses: Sequence[str], cloud_ids: Sequence[str], most: int) -> Sequence[Row]:
    """List open drift at some addresses, and of unmanaged resources by what the cloud calls them."""
    return tx.rows(_LIST_DRIFT, addresses=list(addresses), cloud_ids=list(cloud_ids), most=most)


def list_orgs_to_purge(
    db: Lookups, *, free_before: datetime, team_before: datetime, after_id: UUID | None, most: int
) -> Sequence[Row]:
    """List organisations with analyses older than their plan keeps them, by id."""
    return db.lookup(
        _LIST_ORGS_TO_PURGE, free_before=free_before, team_before=team_before, after_id=after_id, most=most
    )


def delete_old(tx: UnitOfWork, *, before: datetime, most: int) -> int:
    """Delete the oldest analyses; returns how many."""
    return len(tx.rows(_DELETE_OLD, before=before, most=most))
