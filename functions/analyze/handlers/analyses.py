"""Calls on analyses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call, validated
from shared.http.paging import page
from shared.http.problems import problem_reply
from shared.http.reply import Reply
from shared.rules import engine
from shared.rules.levels import Severity, rank
from shared.rules.plan import Plan
from shared.security.plans import HISTORY

from ..domain.answer import write_answer
from ..domain.assessment import assess, facts_of
from ..domain.open_drift import DriftItem, names_of
from ..domain.plan import load_document, read_plan
from ..errors import PlanTooComplex, RiskGate
from ..models.analyses import (
    AnalysesQuery,
    AnalysisQuery,
    AnalysisSummary,
    AnalysisView,
    AnalyzePlan,
    AnalyzeQuery,
    CiFacts,
)
from ..narrating import narrate, view_of
from ..queries import analyses as queries
from ..queries.noise import record_seen
from ..queries.rulebook import load_rulebook
from ..wiring import AnalyzeDeps

_JUDGING_SECONDS = 50.0  # a call may take 120 s, of which a model may take 45
_MOST_DRIFT = 5_000
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a request asks for, from its body and its query."""

    plan: str | Mapping[str, Any]
    ci: CiFacts | None
    fail_on: Severity | None


def analyze_plan(call: Call, deps: AnalyzeDeps) -> Reply:
    """Judge a plan, keep the judgement, and refuse when the risk reaches the caller's gate."""
    ends_at = deps.clock.monotonic_seconds() + _JUDGING_SECONDS
    wish = _read_wish(call)
    plan = read_plan(wish.plan)
    with deps.db.unit(call.actor) as tx:
        tx.recall(call.idempotency)
        rulebook = load_rulebook(tx, deps.clock.now())
        drift = _open_drift(tx, plan)
    try:
        assessment = assess(plan, rulebook, drift, lambda: deps.clock.monotonic_seconds() >= ends_at)
    except engine.PlanTooComplex as error:
        raise PlanTooComplex(limit_seconds=_JUDGING_SECONDS, judged=error.judged, changes=error.total) from None
    narrative = view_of(narrate(deps, call.actor, facts_of(assessment))).model_dump(mode="json")
    answer = write_answer(assessment, wish.ci.model_dump() if wish.ci else None) | {"narrative": narrative}
    with deps.db.unit(call.actor, call.idempotency) as tx:
        row = _store(call, deps, tx, wish, answer)
        record_seen(tx, assessment.judgement.noise.seen, now=deps.clock.now())
        facts = {"risk_level": row["risk_level"], "is_refused": row["is_refused"]}
        tx.audit("analyze:analysis:created", "analysis", row["id"], **facts)
        tx.emit("org-events", {"event": "analyze:analysis:created", "analysis_id": str(row["id"]), **facts})
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


def _read_wish(call: Call) -> _Wish:
    """Read a body that is a plan, or an object that holds one and says where it comes from.

    A plan is taken as the tools write it, so the body goes through the plan's own reader: UTF-16, byte order marks, gzip.
    """
    query = call.query(AnalyzeQuery)
    named = {name: value for name, value in query.model_dump(exclude={"fail_on"}).items() if value is not None}
    document = load_document(call.content)
    if "plan_json" not in document:
        return _Wish(document, CiFacts(**named) if named else None, query.fail_on)
    plan = document["plan_json"]
    # the plan is not checked against a model a second time: it may be large, and its reader says better what is wrong
    rest = validated(AnalyzePlan, {**document, "plan_json": "" if isinstance(plan, str | dict) else plan})
    told = {**(rest.ci.model_dump(exclude_none=True) if rest.ci else {}), **named}
    return _Wish(plan, CiFacts(**told) if told else None, query.fail_on or rest.fail_on)


def _open_drift(tx: UnitOfWork, plan: Plan) -> list[DriftItem]:
    """Read the open drift of what the plan names."""
    live = [change for change in plan.changes if change.mode == "managed"]
    addresses = {name for change in live for name in (change.address, change.previous_address) if name}
    imported = {name for change in live if change.is_import for name in names_of(change.before)}
    rows = queries.list_open_drift(tx, addresses=sorted(addresses), cloud_ids=sorted(imported), most=_MOST_DRIFT)
    return [DriftItem.of(row) for row in rows]


def _store(call: Call, deps: AnalyzeDeps, tx: UnitOfWork, wish: _Wish, answer: Mapping[str, Any]) -> Row:
    level = answer["risk_level"]
    return queries.insert_analysis(
        tx,
        id=deps.entropy.uuid(),
        requested_by=f"{call.actor.kind}:{call.actor.id}",
        **_place(wish.ci),
        risk_level=level,
        fail_on=wish.fail_on,
        is_refused=wish.fail_on is not None and rank(level) >= rank(wish.fail_on),
        terraform_version=answer["terraform_version"],
        summary=answer["summary"],
        answer=answer,
        created_at=deps.clock.now(),
    )


def _place(ci: CiFacts | None) -> dict[str, Any]:
    """Return the columns that the history is searched by."""
    owner, name = (ci.repo_owner, ci.repo_name) if ci else (None, None)
    return {
        "repository": "/".join(part for part in (owner, name) if part),
        "branch": (ci.branch or "") if ci else "",
        "pull_request": ci.pr_number if ci else None,
    }


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
