"""Calls on analyses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.http.call import Call, validated
from shared.http.paging import page
from shared.http.problems import problem_reply
from shared.http.reply import Reply
from shared.security.plans import HISTORY

from ..domain.plan import load_document
from ..errors import RiskGate
from ..judging import Wish, judge, store
from ..models.analyses import (
    AnalysesQuery,
    AnalysisQuery,
    AnalysisSummary,
    AnalysisView,
    AnalyzePlan,
    AnalyzeQuery,
    CiFacts,
)
from ..queries import analyses as queries
from ..wiring import AnalyzeDeps

_MOST_TOLD = 20


def analyze_plan(call: Call, deps: AnalyzeDeps) -> Reply:
    """Judge a plan, keep the judgement, and refuse when the risk reaches the caller's gate."""
    wish = _read_wish(call)
    judged = judge(deps, call.actor, wish, call.idempotency)
    with deps.db.unit(call.actor, call.idempotency) as tx:
        row = store(deps, tx, wish, judged, requested_by=f"{call.actor.kind}:{call.actor.id}")
        reply = problem_reply(_gate(row)) if row["is_refused"] else Reply.ok(AnalysisView.of(row))
        return tx.settle(reply)


def list_analyses(call: Call, deps: AnalyzeDeps) -> Reply:
    """List analyses, newest first."""
    query = call.query(AnalysesQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_analyses(
            tx,
            kept_since=kept_since(call.actor.plan, deps.clock.now()),
            after_id=query.after_id(),
            risk_level=query.risk_level,
            repository=query.repository,
            branch=query.branch,
            pull_request=query.pull_request,
            most=query.limit + 1,
            skipped=query.offset,
        )
    return Reply.ok(page(rows, query, AnalysisSummary.of))


def get_analysis(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show one analysis, as JSON or in a form that CI systems read."""
    form = call.query(AnalysisQuery).format
    with deps.db.unit(call.actor) as tx:
        row = queries.get_analysis(
            tx, call.path_uuid("analysis_id"), kept_since=kept_since(call.actor.plan, deps.clock.now())
        )
    if form == "json":
        return Reply.ok(AnalysisView.of(row))
    from ..domain.outputs import OUTPUTS  # few calls ask for another form

    output = OUTPUTS[form]
    beside = {name: row[name] for name in ("id", "created_at", "fail_on")}
    return Reply.text(output.write({**row["answer"], **beside}), output.content_type)


def kept_since(plan: str, now: datetime) -> datetime | None:
    """Return from when on an organisation sees its history; None for ever. The purge comes later and is no promise."""
    kept_for = HISTORY[plan]
    return None if kept_for is None else now - kept_for


def _read_wish(call: Call) -> Wish:
    """Read a body that is a plan, or an object that holds one and says where it comes from.

    A plan is taken as the tools write it, so the body goes through the plan's own reader: UTF-16, byte order marks, gzip.
    """
    query = call.query(AnalyzeQuery)
    named = {name: value for name, value in query.model_dump(exclude={"fail_on"}).items() if value is not None}
    document = load_document(call.content)
    if "plan_json" not in document:
        return Wish(document, CiFacts(**named) if named else None, query.fail_on)
    plan = document["plan_json"]
    # the plan is not checked against a model a second time: it may be large, and its reader says better what is wrong
    rest = validated(AnalyzePlan, {**document, "plan_json": "" if isinstance(plan, str | dict) else plan})
    told = {**(rest.ci.model_dump(exclude_none=True) if rest.ci else {}), **named}
    return Wish(plan, CiFacts(**told) if told else None, query.fail_on or rest.fail_on)


def _gate(row: Mapping[str, Any]) -> RiskGate:
    findings = row["answer"]["findings"]
    told = [{name: item[name] for name in ("id", "severity", "title", "address")} for item in findings[:_MOST_TOLD]]
    return RiskGate(
        f"the risk is {row['risk_level']}, and the gate is at {row['fail_on']}",
        analysis_id=str(row["id"]),
        risk_level=row["risk_level"],
        fail_on=row["fail_on"],
        summary=row["summary"],
        findings=told,
        findings_total=row["answer"]["findings_total"],
    )
