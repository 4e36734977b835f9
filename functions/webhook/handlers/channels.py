"""Calls on notification channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.ports.secret_store import Secret
from shared.security.plans import require_feature
from shared.security.signatures import make_secret

from ..channel_models import (
    ChangeChannel,
    ChannelTestView,
    ChannelView,
    CreateChannel,
    Kind,
    NewChannelView,
    QuietHours,
    RotateChannelSecret,
)
from ..domain import channels as domain
from ..domain import configs as secrets_domain
from ..domain.formats import message_of
from ..domain.notices import content_of, trial_notice
from ..errors import ChannelLimitReached, ChannelSignsNothing, MailNotSetUp, TargetNotOfKind
from ..queries import channels as queries
from ..queries import deliveries_out
from ..sending import send
from ..wiring import WebhookDeps, channel_secret_place, channel_target_place

_MOST_CHANNELS = 50
_FEATURES: Mapping[str, str] = {"slack": "slack"}


def create_channel(call: Call, deps: WebhookDeps) -> Reply:
    """Make a place where the organisation is told what happened; the secret of one that signs is in this answer alone."""
    wish = call.body(CreateChannel)
    _require_kind(call, deps, wish.kind)
    channel_id, now = deps.entropy.uuid(), deps.clock.now()
    target, hint = _target(deps, wish.kind, wish.url, wish.recipients)
    secret = make_secret(deps.entropy) if wish.kind == "webhook" else None
    sealed_target = deps.envelope.seal(target, channel_target_place(call.org_id, channel_id))
    sealed_secret = deps.envelope.seal(secret, channel_secret_place(call.org_id, channel_id)) if secret else None
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if queries.count_channels(tx) >= _MOST_CHANNELS:
            raise ChannelLimitReached(cap=_MOST_CHANNELS)
        row = queries.insert_channel(
            tx,
            id=channel_id,
            kind=wish.kind,
            name=wish.name,
            target_encrypted=sealed_target,
            target_hint=hint,
            current_secret_encrypted=sealed_secret,
            events=wish.events,
            least_severity=wish.least_severity,
            account_ids=wish.account_ids,
            digest=wish.digest,
            digest_hour=wish.digest_hour,
            time_zone=wish.time_zone,
            now=now,
            **_quiet_columns(wish.quiet_hours),
        )
        facts = {"name": wish.name, "kind": wish.kind, "target": hint}
        tx.audit("webhook:channel:created", "notification_channel", channel_id, **facts)
        tx.emit("org-events", {"event": "webhook:channel:created", "channel_id": str(channel_id)})
        view = NewChannelView.of(row, now=now, secret=_shown(secret))
        return tx.settle(Reply.created(view, shown_once=("secret",)))


def list_channels(call: Call, deps: WebhookDeps) -> Reply:
    """List channels, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_channels(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    now = deps.clock.now()
    return Reply.ok(page(rows, query, lambda row: ChannelView.of(row, now=now)))


def get_channel(call: Call, deps: WebhookDeps) -> Reply:
    """Show one channel, without its address and its secrets."""
    channel_id = call.path_uuid("channel_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_channel(tx, channel_id)
    return Reply.ok(ChannelView.of(row, now=deps.clock.now()))


def change_channel(call: Call, deps: WebhookDeps) -> Reply:
    """Change a channel. One that is enabled again starts afresh: what failed meanwhile can be replayed."""
    channel_id, wish = call.path_uuid("channel_id"), call.body(ChangeChannel)
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        kind: Kind = queries.get_channel(tx, channel_id)["kind"]
    if wish.is_disabled is False or wish.url is not None:
        _require_kind(call, deps, kind)
    new_target: dict[str, Any] = {}
    if wish.url is not None or wish.recipients is not None:
        target, hint = _target(deps, kind, wish.url, wish.recipients)
        sealed = deps.envelope.seal(target, channel_target_place(call.org_id, channel_id))
        new_target = {"target_encrypted": sealed, "target_hint": hint, "failing_since": None, "retry_at": None}
    with deps.db.unit(call.actor) as tx:
        found = queries.lock_channel(tx, channel_id)
        row = queries.change_channel(tx, channel_id, **_changed(found, wish, now) | new_target)
        deliveries_out.close_collecting(tx, channel_id, now=now)  # it was collected by rules that hold no longer
        if wish.is_disabled is False or new_target:
            deliveries_out.hurry(tx, channel_id, now=now)
        facts = sorted(wish.model_fields_set)
        tx.audit("webhook:channel:changed", "notification_channel", channel_id, name=row["name"], fields=facts)
        tx.emit("org-events", {"event": "webhook:channel:changed", "channel_id": str(channel_id)})
        tx.emit("notification-sends", {"channel_id": str(channel_id)})
    return Reply.ok(ChannelView.of(row, now=now))


def delete_channel(call: Call, deps: WebhookDeps) -> Reply:
    """Remove a channel with the log of what it was told; what it was not told yet is never sent."""
    channel_id = call.path_uuid("channel_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_channel(tx, channel_id)
        facts = {"name": row["name"], "kind": row["kind"]}
        tx.audit("webhook:channel:deleted", "notification_channel", channel_id, **facts)
        tx.emit("org-events", {"event": "webhook:channel:deleted", "channel_id": str(channel_id)})
    return Reply.no_content()


def rotate_channel_secret(call: Call, deps: WebhookDeps) -> Reply:
    """Make a new secret; for the grace messages are signed with both, so that the receiver can change over in between."""
    channel_id, wish = call.path_uuid("channel_id"), call.body(RotateChannelSecret)
    now = deps.clock.now()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        channel = queries.lock_channel(tx, channel_id)
        if channel["kind"] != "webhook":
            raise ChannelSignsNothing
        rotation = secrets_domain.rotate(channel, timedelta(seconds=wish.grace_seconds), now=now)
        secret = make_secret(deps.entropy)
        row = queries.rotate_channel_secret(
            tx,
            channel_id,
            current_secret_encrypted=deps.envelope.seal(secret, channel_secret_place(call.org_id, channel_id)),
            previous_secret_encrypted=rotation.previous_secret_encrypted,
            previous_expires_at=rotation.previous_expires_at,
            rotated_at=now,
        )
        ends_at = rotation.previous_expires_at
        facts = {"name": row["name"], "previous_expires_at": ends_at.isoformat() if ends_at else None}
        tx.audit("webhook:channel:rotated", "notification_channel", channel_id, **facts)
        tx.emit("org-events", {"event": "webhook:channel:rotated", "channel_id": str(channel_id)})
        view = NewChannelView.of(row, now=now, secret=_shown(secret))
        return tx.settle(Reply.created(view, shown_once=("secret",)))


def test_channel(call: Call, deps: WebhookDeps) -> Reply:
    """Send a test message now, past the queue, and say what came of it; a disabled channel can be tested too."""
    channel_id = call.path_uuid("channel_id")
    with deps.db.unit(call.actor) as tx:
        channel = queries.get_channel(tx, channel_id)
    _require_kind(call, deps, channel["kind"])
    notice = trial_notice(channel_id, root_of(deps, call.org_id), deps.clock.now())
    message = message_of(deps.entropy.uuid(), notice.event, content_of([notice]))
    outcome = send(deps, call.org_id, channel, message)
    with deps.db.unit(call.actor) as tx:
        facts = {"name": channel["name"], "error_code": outcome.error_code}
        tx.audit("webhook:channel:tested", "notification_channel", channel_id, **facts)
    view = ChannelTestView(
        is_delivered=outcome.error_code is None, response_status=outcome.status, error_code=outcome.error_code
    )
    return Reply.ok(view)


def root_of(deps: WebhookDeps, org_id: UUID) -> str:
    """Return the URL of an organisation's calls, which messages link below."""
    return f"{deps.settings.public_url}/api/v2/orgs/{org_id}"


def _require_kind(call: Call, deps: WebhookDeps, kind: str) -> None:
    if (feature := _FEATURES.get(kind)) is not None:
        require_feature(feature, call.actor.plan)
    if kind == "email" and deps.mailer is None:
        raise MailNotSetUp


def _target(
    deps: WebhookDeps, kind: str, url: SecretStr | None, recipients: Sequence[str] | None
) -> tuple[Secret, str]:
    """Return an address as it is sealed and as it is shown.

    Raises:
        TargetNotOfKind: (422 `target_not_of_kind`).
        EgressRefused, EgressFailed, EgressTimeout: the URL must not be called, or its host not be found.
    """
    if kind == "email" and recipients is not None and url is None:
        return Secret(domain.write_recipients(recipients)), domain.hint_of_recipients(recipients)
    if kind == "email" or url is None or recipients is not None:
        raise TargetNotOfKind(kind=kind)
    text = url.get_secret_value()
    deps.egress.check(text)
    return Secret(text.encode()), domain.hint_of_url(text)


def _changed(found: Mapping[str, Any], wish: ChangeChannel, now: datetime) -> dict[str, Any]:
    """Return every column that may change, with its value after the change."""
    kept = (
        "name", "target_encrypted", "target_hint", "events", "least_severity", "account_ids", "digest", "digest_hour",
        "quiet_from", "quiet_until", "time_zone", "disabled_at", "disabled_because", "failing_since", "retry_at",
        "previous_secret_encrypted", "previous_expires_at",
    )  # fmt: skip
    values = {name: found[name] for name in kept}
    given = wish.model_dump(exclude={"url", "recipients", "quiet_hours", "is_disabled", "end_grace"}, exclude_none=True)
    values |= given
    if "quiet_hours" in wish.model_fields_set:
        values |= _quiet_columns(wish.quiet_hours)
    if wish.is_disabled is True and found["disabled_at"] is None:
        values |= {"disabled_at": now, "disabled_because": "person"}
    if wish.is_disabled is False:
        values |= {"disabled_at": None, "disabled_because": None, "failing_since": None, "retry_at": None}
    if wish.end_grace:
        values |= {"previous_secret_encrypted": None, "previous_expires_at": None}
    return values


def _quiet_columns(hours: QuietHours | None) -> dict[str, Any]:
    return {"quiet_from": hours.start if hours else None, "quiet_until": hours.end if hours else None}


def _shown(secret: Secret | None) -> str | None:
    return secret.reveal().decode() if secret else None
