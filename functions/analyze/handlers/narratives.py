"""Drift in words: asked for by people, written on the queue, kept until the drift changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.http.call import Call
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.telemetry.log import logger

from ..domain.drift_facts import basis_of, facts_of
from ..domain.narrative import write
from ..models.narratives import DriftNarrativeView, NarrativeView
from ..narrating import narrate, view_of
from ..queries import narratives as queries
from ..queries.orgs import get_subscription
from ..wiring import AnalyzeDeps

TOPIC = "drift-narratives"
_STALE = timedelta(minutes=10)  # a message that did not come back by then is asked for again
_RETRY_SECONDS = "5"
_log = logger("narratives")


def show_drift_narrative(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show what is said about a drift: the templates' words at once, and 202 while a model is asked for better ones."""
    item_id, now = call.path_uuid("item_id"), deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        item = queries.get_drift(tx, item_id)
        basis = basis_of(item)
        row = queries.find_narrative(tx, item_id, basis)
        is_done = row is not None and row["status"] == "done"
        if not is_done and queries.request_narrative(tx, item_id, basis, now=now, stale_before=now - _STALE):
            tx.emit(TOPIC, {"item_id": str(item_id)})
    if row is not None and is_done:
        view = _view(item_id, row["narrative"], written_at=row["written_at"])
        return Reply.ok(view)
    reply = Reply.accepted(_view(item_id, _written(item), written_at=None))
    reply.headers["Retry-After"] = _RETRY_SECONDS
    return reply


def write_drift_narrative(call: Call, deps: AnalyzeDeps) -> Reply:
    """Write what is said about a drift, off the queue; a repeated message, or one about what changed since, does nothing."""
    item_id = id_of(call, "item_id")
    with deps.db.unit(call.actor) as tx:
        item = queries.get_drift(tx, item_id)
        basis = basis_of(item)
        row = queries.find_narrative(tx, item_id, basis)
        subscription = get_subscription(tx)
    if row is None or row["status"] == "done":
        return Reply.no_content()
    asker = replace(call.actor, plan=subscription)  # an event says nothing of what the organisation has subscribed to
    narrative = view_of(narrate(deps, asker, facts_of(item))).model_dump(mode="json")
    with deps.db.unit(call.actor) as tx:
        is_stored = queries.store_narrative(tx, item_id, basis, narrative=narrative, now=deps.clock.now())
    _log.info("drift narrative", item_id=str(item_id), is_stored=is_stored, source=narrative["source"])
    return Reply.no_content()


def _written(item: Mapping[str, Any]) -> dict[str, Any]:
    return view_of(write(facts_of(item))).model_dump(mode="json")


def _view(item_id: UUID, narrative: Mapping[str, Any], *, written_at: Any) -> DriftNarrativeView:
    status: Any = "pending" if written_at is None else "done"
    return DriftNarrativeView(
        drift_id=item_id, status=status, narrative=NarrativeView.model_validate(narrative), written_at=written_at
    )
