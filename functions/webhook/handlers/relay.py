"""Ticks of the scheduler: what a crash left in outboxes, and what need not be kept any longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.reply import Reply
from shared.telemetry import metrics
from shared.telemetry.log import logger
from shared.telemetry.metrics import Metric

from ..queries import configs as config_queries
from ..queries import deliveries as delivery_queries
from ..queries import relay as queries
from ..wiring import BODY, WebhookDeps

_log = logger("webhook")
_OLDER_THAN_SECONDS = 10
_MOST_ORGS = 100
_BATCH, _MOST_BATCHES = 500, 20
_LAG = Metric(
    "driftwise.outbox.lag",
    "gauge",
    "s",
    "Age of the oldest message that the relay found unsent; 0 when there was none.",
)
_RELAYED = Metric(
    "driftwise.outbox.relayed", "sum", "{message}", "Messages that their function left behind and the relay sent."
)
_KEEP_ROWS, _KEEP_CLAIMS = timedelta(days=30), timedelta(days=1)


def relay_outboxes(call: Call, deps: WebhookDeps) -> Reply:
    """Publish what a crash left in any function's outbox, organisation by organisation, oldest first; say how late it is."""
    waiting = queries.list_orgs_with_outbox(deps.db, older_than_seconds=_OLDER_THAN_SECONDS, most=_MOST_ORGS)
    lag_seconds = float(max((row["oldest_seconds"] for row in waiting), default=0.0))
    _LAG.record(lag_seconds)
    relayed = 0
    try:
        for row in waiting:
            relayed += deps.db.relay(row["org_id"], call.actor)
    finally:
        _RELAYED.record(relayed)
        metrics.send()
        # with each run, also of nothing: alerts count these lines, as not every installation has a collector
        _log.info("outbox relayed", lag_seconds=round(lag_seconds, 1), messages=relayed, orgs=len(waiting))
    return Reply.ok({"relayed": relayed})


def purge_deliveries(call: Call, deps: WebhookDeps) -> Reply:
    """Forget what need not be kept: bodies after 7 days, deliveries after 30, claims after one, secrets whose grace ended."""
    now = deps.clock.now()
    rows_before, bodies_before, claims_before = now - _KEEP_ROWS, now - BODY.kept_for, now - _KEEP_CLAIMS
    orgs = delivery_queries.list_orgs_to_purge(
        deps.db,
        rows_before=rows_before,
        bodies_before=bodies_before,
        claims_before=claims_before,
        secrets_before=now,
        most=_MOST_ORGS,
    )
    steps: list[Callable[[UnitOfWork], int]] = [
        lambda tx: delivery_queries.purge_rows(tx, before=rows_before, most=_BATCH),
        lambda tx: delivery_queries.purge_bodies(tx, before=bodies_before, now=now, most=_BATCH),
        lambda tx: delivery_queries.purge_claims(tx, before=claims_before, most=_BATCH),
    ]
    purged = 0
    for org_id in orgs:
        for step in steps:
            for _ in range(_MOST_BATCHES):  # a short transaction each; what is left is for the next tick
                with deps.db.unit_in(org_id, call.actor) as tx:
                    done = step(tx)
                purged += done
                if done < _BATCH:
                    break
        with deps.db.unit_in(org_id, call.actor) as tx:
            purged += config_queries.drop_expired_secrets(tx, before=now)
    if purged:
        _log.info("webhooks purged", purged=purged, orgs=len(orgs))
    return Reply.ok({"purged": purged})
