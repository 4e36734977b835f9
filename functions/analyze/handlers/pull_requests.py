"""Analyses onto pull requests, off the queue: one comment, updated in place, and on GitHub a check run. May be called twice for one event.

A row for each pull request says which comment is ours, and which analyses it shows: the latest of each part that is planned. Who talks to the
code host holds a lease on it, given out under the row's lock, so that there are never two comments; what is shown is read under that lock, so
a newer analysis is never written over by an older one. No transaction is open while a host is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import AppError
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from ..code_hosts.comments import CommentSite, put_comment
from ..code_hosts.connecting import WITHIN_SECONDS, Credentials
from ..domain.code_hosts import PullRequestPlace, choose, place_of
from ..domain.planned_parts import Selection, is_superseded, label_of, select
from ..errors import PullRequestBusy
from ..queries import analyses as analysis_queries
from ..queries import code_hosts as host_queries
from ..queries import pull_requests as queries
from ..wiring import AnalyzeDeps, code_host_place

_LEASE: Final = timedelta(
    seconds=2 * 2 * WITHIN_SECONDS
)  # twice as long as both clients may take, for comment and check run
_KEPT: Final = timedelta(days=180)  # who comes back to a pull request later finds the comment by its mark
_BATCH, _SERVER_ERROR = 50, 500
_MOST_PARTS: Final = 50
_COMES_AGAIN: Final = frozenset({"pending", "failed"})  # a message about it that comes again is tried again
_BESIDE: Final = ("id", "created_at", "fail_on")
_log = logger("analyze")


@dataclass(frozen=True, slots=True)
class _Work:
    """One lease and what is to be done under it.

    Attributes:
        answer: the analysis that is asked for, with its row's members beside it.
        label: which part of the repository it is of; empty for the only one.
        selection: what the comment shows.
        host: row of the connection.
        comment_id: ours, as far as is known.
        handled_ids: of what is shown, the analyses whose turn is over.
    """

    org_id: UUID
    answer: Mapping[str, Any]
    label: str
    selection: Selection
    host: Mapping[str, Any]
    place: PullRequestPlace
    row_id: UUID
    lease_id: UUID
    comment_id: int | None
    handled_ids: Sequence[UUID]


def comment_pull_request(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show an analysis on its pull request. What another try may mend is tried again; what not is noted at the connection."""
    work = _take(call, deps)
    if work is None:
        return Reply.no_content()
    status, error = "failed", None
    try:
        status = _publish(call, deps, work)
    except AppError as found:
        error, status = found, "pending" if found.status >= _SERVER_ERROR else "failed"
    _end(call, deps, work, status, error)
    _log.info(
        "pull request", analysis_id=str(work.answer["id"]), kind=work.host["kind"], status=status,
        error_code=error.code if error else None,
    )  # fmt: skip
    if error is not None and error.status >= _SERVER_ERROR:
        raise error
    return Reply.no_content()


def _take(call: Call, deps: AnalyzeDeps) -> _Work | None:
    """Lease the pull request; None when there is nothing to do (any more).

    Raises:
        PullRequestBusy: (503 `pull_request_busy`).
    """
    now, lease_id = deps.clock.now(), deps.entropy.uuid()
    with deps.db.unit(call.actor) as tx:
        try:
            analysis = analysis_queries.get_analysis(tx, id_of(call, "analysis_id"), kept_since=None)
        except NotFound:
            return None  # it is no longer kept
        place = place_of(analysis["answer"].get("ci"))
        hosts = host_queries.list_enabled(tx)
        host = choose(hosts, place) if place else None
        if place is None or host is None or tx.org_id is None:
            return None
        asked = {**analysis, "ci": analysis["answer"].get("ci")}
        rows, selection = _select(tx, place, asked, host, hosts)
        if is_superseded(rows, asked, selection):
            return None  # the newer one has a message of its own
        where: dict[str, Any] = {"host_id": host["id"], "repository": place.repository, "pull_request": place.number}
        of = {"analysis_id": analysis["id"], "analysed_at": analysis["created_at"]}
        taken = queries.take_pull_request(tx, **where, **of, lease_id=lease_id, leased_until=now + _LEASE, now=now)
        if taken is None:
            _wait_or_leave(queries.find_pull_request(tx, **where), analysis["id"], now)
            return None
        _, selection = _select(tx, place, asked, host, hosts)  # again, as the lock may have been waited for
        handled_ids = [found for found in taken["handled_ids"] if found in selection.ids]
    beside = {name: analysis[name] for name in _BESIDE}
    answer = {**analysis["answer"], **beside}
    return _Work(
        tx.org_id,
        answer,
        label_of(analysis),
        selection,
        host,
        place,
        taken["id"],
        lease_id,
        taken["comment_id"],
        handled_ids,
    )


def _select(
    tx: UnitOfWork, place: PullRequestPlace, asked: Row, host: Mapping[str, Any], hosts: Sequence[Row]
) -> tuple[Sequence[Row], Selection]:
    """Read the latest analysis of each part, and choose what is shown."""
    rows = analysis_queries.list_latest_parts(
        tx, repository=place.repository, pull_request=place.number, most=_MOST_PARTS
    )
    return rows, select(rows, asked, host["id"], hosts)


def _wait_or_leave(row: Row | None, analysis_id: UUID, now: Any) -> None:
    """Come back later while another worker is at it with something else."""
    if row is None or analysis_id in row["handled_ids"]:
        return
    if row["leased_until"] is not None and row["leased_until"] > now:
        raise PullRequestBusy(retry_after_seconds=int((row["leased_until"] - now).total_seconds()) + 1)


def _publish(call: Call, deps: AnalyzeDeps, work: _Work) -> str:
    """Write comment and check run; returns the row's new status."""
    host = work.host
    sealed = bytes(host["credentials_encrypted"])
    credentials = Credentials.of_sealed(deps.envelope.open(sealed, code_host_place(work.org_id, host["id"])))
    key = (work.org_id, host["id"], hash(sealed))
    if host["kind"] == "gitlab":
        gitlab = deps.code_hosts.gitlab(credentials, key, work.place)
        if not gitlab.is_open() and not host["comments_on_closed"]:
            return "closed"
        _comment(call, deps, work, gitlab)
        return "posted"
    github = deps.code_hosts.github(credentials, key, work.place, writes_checks=False)
    pull_request = github.read_pull_request()
    if not pull_request.is_open and not host["comments_on_closed"]:
        return "closed"
    _comment(call, deps, work, github)
    if host["has_check_run"]:
        from ..domain.outputs.checks import to_check  # few processes write any

        checks = deps.code_hosts.github(credentials, key, work.place, writes_checks=True)
        checks.put_check(to_check(work.answer, host["fail_on"], work.label), pull_request.head)
    return "posted"


def _comment(call: Call, deps: AnalyzeDeps, work: _Work, site: CommentSite) -> None:
    """Write the comment, and remember at once which one it is: whatever comes after may fail."""
    from ..domain.outputs.comments import to_comment  # few processes write any
    from ..domain.outputs.markdown import MARK

    def load(analysis_id: UUID) -> Mapping[str, Any]:
        return work.answer if analysis_id == work.answer["id"] else _load(call, deps, analysis_id)

    comment_id = put_comment(site, work.comment_id, to_comment(work.selection, load), MARK)
    if comment_id != work.comment_id:
        with deps.db.unit(call.actor) as tx:
            queries.note_comment(tx, work.row_id, lease_id=work.lease_id, comment_id=comment_id, now=deps.clock.now())


def _load(call: Call, deps: AnalyzeDeps, analysis_id: UUID) -> Mapping[str, Any]:
    """Read another part's analysis.

    Raises:
        PullRequestBusy: (503 `pull_request_busy`) it was purged since it was chosen: the next try chooses anew.
    """
    with deps.db.unit(call.actor) as tx:
        try:
            row = analysis_queries.get_analysis(tx, analysis_id, kept_since=None)
        except NotFound:
            raise PullRequestBusy(retry_after_seconds=1) from None
    return {**row["answer"], **{name: row[name] for name in _BESIDE}}


def _end(call: Call, deps: AnalyzeDeps, work: _Work, status: str, error: AppError | None) -> None:
    code, now = error.code if error else None, deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        handled = [*work.handled_ids, *([] if status in _COMES_AGAIN else [work.answer["id"]])]
        queries.end_lease(
            tx, work.row_id, lease_id=work.lease_id, status=status, error_code=code, handled_ids=handled, now=now
        )
        host_queries.note_use(tx, work.host["id"], error_code=code, now=now)
        queries.forget_old(tx, before=now - _KEPT, most=_BATCH)
