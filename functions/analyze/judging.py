"""The one way by which a plan is judged and the judgement kept, whoever brings the plan: a request, or a delivery off the queue.

Owns what is read before, what is stored with it, and how long it may take. Knows neither requests nor messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.data.rows import Row
from shared.data.unit_of_work import Idempotency, UnitOfWork
from shared.rules import engine
from shared.rules.levels import Severity, rank
from shared.rules.plan import Plan
from shared.security.actor import Actor

from .domain.answer import write_answer
from .domain.assessment import Assessment, assess, facts_of
from .domain.code_hosts import place_of
from .domain.open_drift import DriftItem, names_of
from .domain.plan import read_plan
from .errors import PlanTooComplex
from .models.analyses import CiFacts
from .narrating import narrate, view_of
from .queries import analyses as queries
from .queries.code_hosts import has_enabled
from .queries.noise import record_seen
from .queries.rulebook import load_rulebook
from .wiring import AnalyzeDeps

JUDGING_SECONDS: Final = 50.0  # a call may take 120 s, of which a model may take 45
_MOST_DRIFT = 5_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        plan: as the tools write it.
        ci: where it comes from.
        fail_on: the gate.
    """

    plan: str | Mapping[str, Any]
    ci: CiFacts | None
    fail_on: Severity | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement that is not stored yet."""

    assessment: Assessment
    answer: Mapping[str, Any]


def judge(deps: AnalyzeDeps, actor: Actor, wish: Wish, idempotency: Idempotency | None = None) -> Judged:
    """Judge a plan as its organisation wants plans judged, and tell the judgement in words.

    Takes units of work of its own: call it outside of any.

    Args:
        deps: clients.
        actor: who acts, in the organisation.
        wish: what is asked for.
        idempotency: of a request, which stops here when it was answered before.

    Raises:
        PlanUnreadable, PlanVersionUnsupported, PlanTooLarge, PlanTooComplex: see `errors`.
        Replayed: carries the answer.
    """
    ends_at = deps.clock.monotonic_seconds() + JUDGING_SECONDS
    plan = read_plan(wish.plan)
    with deps.db.unit(actor) as tx:
        tx.recall(idempotency)
        rulebook = load_rulebook(tx, deps.clock.now())
        drift = _open_drift(tx, plan)
    try:
        assessment = assess(plan, rulebook, drift, lambda: deps.clock.monotonic_seconds() >= ends_at)
    except engine.PlanTooComplex as error:
        raise PlanTooComplex(limit_seconds=JUDGING_SECONDS, judged=error.judged, changes=error.total) from None
    narrative = view_of(narrate(deps, actor, facts_of(assessment))).model_dump(mode="json")
    answer = write_answer(assessment, wish.ci.model_dump() if wish.ci else None) | {"narrative": narrative}
    return Judged(assessment, answer)


def store(deps: AnalyzeDeps, tx: UnitOfWork, wish: Wish, judged: Judged, *, requested_by: str) -> Row:
    """Store a judgement with everything that goes with it; returns its row.

    Args:
        deps: clients.
        tx: the unit that stores it.
        wish: what was asked for.
        judged: made by `judge`.
        requested_by: who is shown to have asked.
    """
    level = judged.answer["risk_level"]
    row = queries.insert_analysis(
        tx,
        id=deps.entropy.uuid(),
        requested_by=requested_by,
        **_place(wish.ci),
        risk_level=level,
        fail_on=wish.fail_on,
        is_refused=wish.fail_on is not None and rank(level) >= rank(wish.fail_on),
        terraform_version=judged.answer["terraform_version"],
        summary=judged.answer["summary"],
        answer=judged.answer,
        created_at=deps.clock.now(),
    )
    record_seen(tx, judged.assessment.judgement.noise.seen, now=deps.clock.now())
    facts = {"risk_level": row["risk_level"], "is_refused": row["is_refused"]}
    told = facts if tx.actor.kind != "event" else {"requested_by": requested_by, **facts}
    tx.audit("analyze:analysis:created", "analysis", row["id"], **told)
    tx.emit("org-events", {"event": "analyze:analysis:created", "analysis_id": str(row["id"]), **facts})
    if place_of(judged.answer.get("ci")) is not None and has_enabled(tx):
        tx.emit("pull-request-comments", {"analysis_id": str(row["id"])})
    return row


def _open_drift(tx: UnitOfWork, plan: Plan) -> list[DriftItem]:
    """Read the open drift of what the plan names."""
    live = [change for change in plan.changes if change.mode == "managed"]
    addresses = {name for change in live for name in (change.address, change.previous_address) if name}
    imported = {name for change in live if change.is_import for name in names_of(change.before)}
    rows = queries.list_open_drift(tx, addresses=sorted(addresses), cloud_ids=sorted(imported), most=_MOST_DRIFT)
    return [DriftItem.of(row) for row in rows]


def _place(ci: CiFacts | None) -> dict[str, Any]:
    """Return the columns that the history is searched by."""
    owner, name = (ci.repo_owner, ci.repo_name) if ci else (None, None)
    return {
        "repository": "/".join(part for part in (owner, name) if part),
        "branch": (ci.branch or "") if ci else "",
        "pull_request": ci.pr_number if ci else None,
    }
