"""Sending: one worker at a time for each channel, in order, until nothing is due; and the ticks that keep it going."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.data.rows import Row
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import MalformedRequest
from shared.http.payloads import id_of
from shared.http.reply import Reply
from shared.ports.errors import ServiceAway
from shared.telemetry.log import logger

from ..domain import channels as domain
from ..domain.channels import Outcome
from ..domain.formats import message_of
from ..domain.notices import CHANNEL_DISABLED, Source, content_of, of_disabled_channel
from ..queries import channels as queries
from ..queries import deliveries_out
from ..sending import mail, send
from ..wiring import WebhookDeps
from .channels import root_of

_log = logger("webhook")
_TOPIC = "notification-sends"
_LEASE = timedelta(seconds=120)  # far longer than one try may take
_MOST_IN_ONE_GO, _MOST_SECONDS = 20, 60.0
_MOST_DUE, _MOST_ADMINS, _MOST_ORGS = 500, 20, 100
_BATCH, _MOST_BATCHES = 500, 20
_KEEP_ROWS = timedelta(days=30)


def send_due(call: Call, deps: WebhookDeps) -> Reply:
    """Send what is due to one channel, oldest first; stops at the first message that fails, as none overtakes another.

    A lease keeps others away, and no transaction is open while an address is called. Who crashes between sending and noting it
    leaves a lease that ends by itself; the message is then sent again under the same id.
    """
    channel_id = _channel_id(call)
    if call.event is not None and call.event.payload.get("notice") == "disabled":
        return _tell_admins(call, deps, channel_id)
    lease_id = deps.entropy.uuid()
    ends_at = deps.clock.monotonic_seconds() + _MOST_SECONDS
    for _ in range(_MOST_IN_ONE_GO):
        found = _take(call, deps, channel_id, lease_id)
        if found is None:
            return Reply.no_content()
        channel, head = found
        if not _send_one(call, deps, channel, head, lease_id):
            return Reply.no_content()
        if deps.clock.monotonic_seconds() >= ends_at:
            break
    with deps.db.unit(call.actor) as tx:
        queries.release_channel(tx, channel_id, lease_id)
        tx.emit(_TOPIC, {"channel_id": str(channel_id)})
    return Reply.no_content()


def sweep_channels(call: Call, deps: WebhookDeps) -> Reply:
    """Ask for the sending of whatever is due: other tries, digests, and what a crash left."""
    due = queries.list_due_channels(deps.db, now=deps.clock.now(), most=_MOST_DUE)
    for row in due:
        with deps.db.unit_in(row["org_id"], call.actor) as tx:
            tx.emit(_TOPIC, {"channel_id": str(row["channel_id"])})
    return Reply.ok({"asked": len(due)})


def purge_channels(call: Call, deps: WebhookDeps) -> Reply:
    """Forget what need not be kept: deliveries after 30 days, secrets whose grace ended."""
    now = deps.clock.now()
    before = now - _KEEP_ROWS
    purged = 0
    for org_id in queries.list_orgs_to_purge_out(deps.db, rows_before=before, secrets_before=now, most=_MOST_ORGS):
        for _ in range(_MOST_BATCHES):  # a short transaction each; what is left is for the next tick
            with deps.db.unit_in(org_id, call.actor) as tx:
                done = deliveries_out.purge_out(tx, before=before, most=_BATCH)
            purged += done
            if done < _BATCH:
                break
        with deps.db.unit_in(org_id, call.actor) as tx:
            purged += queries.drop_expired_channel_secrets(tx, before=now)
    return Reply.ok({"purged": purged})


def _take(call: Call, deps: WebhookDeps, channel_id: UUID, lease_id: UUID) -> tuple[Row, Row] | None:
    """Become the channel's only sender and read what is to be sent; None when there is nothing to do, or somebody at it."""
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        channel = queries.lease_channel(tx, channel_id, lease_id, now=now, leased_until=now + _LEASE)
        if channel is None:
            return None
        head = deliveries_out.take_head(tx, channel_id, now=now)
        if head is None:
            queries.release_channel(tx, channel_id, lease_id)
            return None
    return channel, head


def _send_one(call: Call, deps: WebhookDeps, channel: Row, head: Row, lease_id: UUID) -> bool:
    """Send one message and note what came of it; returns whether it was delivered."""
    org_id = call.actor.org_id or call.org_id
    try:
        outcome = send(deps, org_id, channel, message_of(head["id"], head["event_kind"], head["content"]))
    except ServiceAway:
        with deps.db.unit(call.actor) as tx:
            queries.release_channel(tx, channel["id"], lease_id)
        raise
    with deps.db.unit(call.actor) as tx:
        if outcome.error_code is None:
            _note_delivered(tx, deps, channel, head, outcome)
        elif (
            released := queries.release_channel(tx, channel["id"], lease_id)
        ) is not None:  # else somebody else judges
            _note_failure(tx, deps, {**channel, **released}, head, outcome)
    facts = {"channel_id": str(channel["id"]), "delivery_id": str(head["id"])}
    _log.info("notification sent", error_code=outcome.error_code, response_status=outcome.status, **facts)
    return outcome.error_code is None


def _note_delivered(tx: UnitOfWork, deps: WebhookDeps, channel: Row, head: Row, outcome: Outcome) -> None:
    now = deps.clock.now()
    deliveries_out.set_delivered(tx, head["id"], response_status=outcome.status, response_start=outcome.start, now=now)
    if channel["failing_since"] is not None:
        queries.set_failing(tx, channel["id"], None, retry_at=None)


def _note_failure(tx: UnitOfWork, deps: WebhookDeps, channel: Row, head: Row, outcome: Outcome) -> None:
    now = deps.clock.now()
    jitter = int.from_bytes(deps.entropy.token_bytes(2), "big") / 0xFFFF
    verdict = domain.judge_failure(
        channel["failing_since"], head["tries"] + 1, outcome, jitter=jitter, now=now, kind=channel["kind"]
    )
    deliveries_out.set_failed_try(
        tx,
        head["id"],
        response_status=outcome.status,
        response_start=outcome.start or None,
        error_code=outcome.error_code,
        due_at=verdict.next_at,
        now=now,
    )
    queries.set_failing(tx, channel["id"], channel["failing_since"] or now, retry_at=verdict.next_at)
    because = verdict.disabled_because
    if because is not None and queries.disable_channel(tx, channel["id"], because=because, now=now):
        given_up = deliveries_out.fail_waiting(tx, channel["id"])
        facts = {"kind": channel["kind"], "because": because, "given_up": given_up}
        tx.audit(CHANNEL_DISABLED, "notification_channel", channel["id"], name=channel["name"], **facts)
        tx.emit("org-events", {"event": CHANNEL_DISABLED, "channel_id": str(channel["id"]), **facts})
        tx.emit(_TOPIC, {"channel_id": str(channel["id"]), "notice": "disabled"})
        _log.warning("channel disabled", channel_id=str(channel["id"]), because=because)


def _tell_admins(call: Call, deps: WebhookDeps, channel_id: UUID) -> Reply:
    """Tell the admins by e-mail that a channel was switched off, where e-mail is set up; the queue tries again when that fails."""
    org_id = call.actor.org_id or call.org_id
    if deps.mailer is None or call.event is None:
        return Reply.no_content()
    with deps.db.unit(call.actor) as tx:
        channel = queries.find_channel(tx, channel_id)
    recipients = queries.list_admin_emails(deps.db, org_id, most=_MOST_ADMINS)
    if channel is None or channel["disabled_because"] in {None, "person"} or not recipients:
        return Reply.no_content()  # put right or removed since
    facts = {"event": CHANNEL_DISABLED, "because": channel["disabled_because"]}
    source = Source(call.event.id, facts, root_of(deps, org_id), deps.clock.now())
    notice = of_disabled_channel(source, channel["name"])
    outcome = mail(deps, recipients, message_of(call.event.id, CHANNEL_DISABLED, content_of([notice])))
    if outcome.error_code is not None:
        raise ServiceAway("mail")
    return Reply.no_content()


def _channel_id(call: Call) -> UUID:
    if call.actor.org_id is None:
        raise MalformedRequest("the message names no organisation")
    return id_of(call, "channel_id")
