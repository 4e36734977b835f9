"""Events of an organisation, off the queue: who is to be told, and of what. Every handler may be called twice for one event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.reply import Reply
from shared.security.plans import has_feature
from shared.telemetry.log import logger

from ..domain import channels as domain
from ..domain import notices
from ..domain.notices import Notice, Source
from ..queries import channels as channel_queries
from ..queries import deliveries_out as queries
from ..wiring import WebhookDeps
from .channels import root_of

_log = logger("webhook")
_SUBSCRIPTION = "notification-events"
_MOST_GROUPS = 100
DIGEST = "notification:digest:due"


def route_event(call: Call, deps: WebhookDeps) -> Reply:
    """Put a delivery in for every channel that wants to hear of an event; once, whatever the queue does."""
    event, org_id = call.event, call.actor.org_id
    kind = event.payload.get("event") if event else None
    if event is None or org_id is None or not event.id or not isinstance(kind, str) or not kind:
        raise MalformedRequest("the message is no event of an organisation")
    if kind in notices.UNTOLD:
        return Reply.no_content()
    now = deps.clock.now()
    told = 0
    with deps.db.unit(call.actor) as tx:
        plan = channel_queries.find_plan(tx)
        if plan is None:
            return Reply.no_content()  # purged since
        tx.claim_event(_SUBSCRIPTION, event.id)
        channels = channel_queries.lock_live_channels(tx)
        if channels and (notice := _notice(tx, Source(event.id, event.payload, root_of(deps, org_id), now))):
            for channel in channels:
                if domain.wants(channel, notice) and (channel["kind"] != "slack" or has_feature("slack", plan)):
                    _put(tx, deps, channel, notice, now)
                    told += 1
    if told:
        _log.info("event routed", event_kind=kind[:200], channels=told)
    return Reply.no_content()


def _notice(tx: UnitOfWork, source: Source) -> Notice | None:
    """Return what an event says to people; None when there is nothing to say, as of a scan without new drift."""
    if source.event == notices.SCAN_DONE and (scan_id := _id(source.payload, "scan_id")):
        account = queries.find_account_of_scan(tx, scan_id)
        if account is None:
            return None  # removed since
        return notices.of_drift(source, account, queries.group_new_drift(tx, scan_id, most=_MOST_GROUPS))
    if source.event == notices.ANALYSIS_CREATED and (analysis_id := _id(source.payload, "analysis_id")):
        row = queries.find_analysis(tx, analysis_id)
        return notices.of_analysis(source, row) if row is not None else None
    if source.event == notices.CHANNEL_DISABLED and (channel_id := _id(source.payload, "channel_id")):
        channel = channel_queries.find_channel(tx, channel_id)
        return notices.of_disabled_channel(source, channel["name"]) if channel is not None else None
    return notices.of_leak(source) if source.event == notices.KEY_LEAKED else notices.of_event(source)


def _put(tx: UnitOfWork, deps: WebhookDeps, channel: Row, notice: Notice, now: datetime) -> None:
    """Put a notice in: as a delivery of its own, or into the one that collects until the channel may be told."""
    channel_id, due_at = channel["id"], domain.due_at(channel, now)
    if due_at > now:
        open_one = queries.find_collecting(tx, channel_id)
        if open_one is not None and open_one["due_at"] > now:
            content = notices.collected(open_one["content"], notice)
            queries.set_content(tx, open_one["id"], content=content)
            return
    queries.close_collecting(tx, channel_id, now=now)
    queries.insert_out(
        tx,
        channel_id,
        id=deps.entropy.uuid(),
        seq=channel_queries.next_seq(tx, channel_id),
        event_kind=notice.event if due_at <= now else DIGEST,
        content=notices.content_of([notice]),
        status="pending" if due_at <= now else "collecting",
        due_at=due_at,
        now=now,
    )
    if due_at <= now:
        tx.emit("notification-sends", {"channel_id": str(channel_id)})


def _id(payload: Mapping[str, Any], name: str) -> UUID | None:
    try:
        return UUID(str(payload[name]))
    except (KeyError, ValueError):
        return None
