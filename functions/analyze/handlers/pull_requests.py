"""Analyses onto pull requests, off the queue: one comment, updated in place, and on GitHub a check run. May be called twice for one event.

A row for each pull request says which comment is ours. Who talks to the code host holds a lease on it, given out under the row's lock, so
that there are never two comments; a newer analysis is never written over by an older one. No transaction is open meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.errors import AppError, MalformedRequest
from shared.http.reply import Reply
from shared.security.errors import NotFound
from shared.telemetry.log import logger

from ..code_hosts.comments import CommentSite, put_comment
from ..code_hosts.connecting import WITHIN_SECONDS, Credentials
from ..domain.code_hosts import PullRequestPlace, choose, place_of
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
_log = logger("analyze")


@dataclass(frozen=True, slots=True)
class _Work:
    """One lease and what is to be done under it.

    Attributes:
        answer: the analysis with its row's members beside it.
        host: row of the connection.
        comment_id: ours, as far as is known.
    """

    org_id: UUID
    answer: Mapping[str, Any]
    host: Mapping[str, Any]
    place: PullRequestPlace
    row_id: UUID
    lease_id: UUID
    comment_id: int | None


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
            analysis = analysis_queries.get_analysis(tx, _analysis_id(call), kept_since=None)
        except NotFound:
            return None  # it is no longer kept
        place = place_of(analysis["answer"].get("ci"))
        host = choose(host_queries.list_enabled(tx), place) if place else None
        if place is None or host is None or tx.org_id is None:
            return None
        where: dict[str, Any] = {"host_id": host["id"], "repository": place.repository, "pull_request": place.number}
        of = {"analysis_id": analysis["id"], "analysed_at": analysis["created_at"]}
        taken = queries.take_pull_request(tx, **where, **of, lease_id=lease_id, leased_until=now + _LEASE, now=now)
        if taken is None:
            _wait_or_leave(queries.find_pull_request(tx, **where), analysis, now)
            return None
    beside = {name: analysis[name] for name in ("id", "created_at", "fail_on")}
    return _Work(tx.org_id, {**analysis["answer"], **beside}, host, place, taken["id"], lease_id, taken["comment_id"])


def _wait_or_leave(row: Row | None, analysis: Row, now: Any) -> None:
    """Come back later while another worker is at it with something that is not newer."""
    if row is None or (row["analysed_at"], row["analysis_id"]) > (analysis["created_at"], analysis["id"]):
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
        checks.put_check(to_check(work.answer, host["fail_on"]), pull_request.head)
    return "posted"


def _comment(call: Call, deps: AnalyzeDeps, work: _Work, site: CommentSite) -> None:
    """Write the comment, and remember at once which one it is: whatever comes after may fail."""
    from ..domain.outputs.markdown import MARK, to_markdown  # few processes write any

    comment_id = put_comment(site, work.comment_id, to_markdown(work.answer), MARK)
    if comment_id != work.comment_id:
        with deps.db.unit(call.actor) as tx:
            queries.note_comment(tx, work.row_id, lease_id=work.lease_id, comment_id=comment_id, now=deps.clock.now())


def _end(call: Call, deps: AnalyzeDeps, work: _Work, status: str, error: AppError | None) -> None:
    code, now = error.code if error else None, deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        queries.end_lease(tx, work.row_id, lease_id=work.lease_id, status=status, error_code=code, now=now)
        host_queries.note_use(tx, work.host["id"], error_code=code, now=now)
        queries.forget_old(tx, before=now - _KEPT, most=_BATCH)


def _analysis_id(call: Call) -> UUID:
    try:
        return UUID(str(call.event.payload["analysis_id"]))  # type: ignore[union-attr]  # event routes always carry one
    except (KeyError, ValueError) as error:
        raise MalformedRequest("the message has no analysis_id") from error
