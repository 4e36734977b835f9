"""Calls on plan noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.data.errors import WriteConflict
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import page
from shared.http.reply import Reply

from ..domain.plan_noise import MOST_SUPPRESSIONS, Settings, Suppression
from ..errors import TooManySuppressions
from ..models.noise import (
    NoiseQuery,
    NoiseSeenView,
    NoiseSettingsView,
    PutNoiseSettings,
    Suppress,
    SuppressionView,
)
from ..queries import noise as queries
from ..wiring import AnalyzeDeps

_NAMES = ("is_enabled", "times", "days", "hides_recurring")


def get_plan_noise(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show how noise is treated, what is suppressed, and what was seen how often."""
    query, now = call.query(NoiseQuery), deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        settings = queries.get_settings(tx)
        hidden = queries.list_suppressions(tx, now=now, most=MOST_SUPPRESSIONS)
        rows = queries.list_seen(tx, after_id=query.after_id(), kind=query.type, most=query.limit + 1)
    shown = _settings(settings)
    suppressions = [_suppression(row) for row in hidden]
    return Reply.ok(
        {
            "settings": shown.model_dump(mode="json"),
            "suppressions": [SuppressionView.of(row).model_dump(mode="json") for row in hidden],
            **page(rows, query, lambda row: _seen(row, shown, suppressions, now)),
        }
    )


def put_noise_settings(call: Call, deps: AnalyzeDeps) -> Reply:
    """Say how noise is treated."""
    wish = call.body(PutNoiseSettings)
    with deps.db.unit(call.actor) as tx:
        row = queries.put_settings(tx, **wish.model_dump(), changed_at=deps.clock.now())
        tx.audit("analyze:plan_noise:settings_changed", "plan_noise", "settings", **wish.model_dump())
        tx.emit("org-events", {"event": "analyze:plan_noise:settings_changed"})
    return Reply.ok(_settings(row))


def suppress(call: Call, deps: AnalyzeDeps) -> Reply:
    """Stop showing differences of an attribute in updates."""
    wish, now = call.body(Suppress), deps.clock.now()
    if wish.expires_at is not None and wish.expires_at <= now:
        raise Invalid(
            "see `errors` for each field", errors=[{"field": "expires_at", "problem": "that is over already"}]
        )
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if not tx.try_lock("noise-suppressions"):
            raise WriteConflict
        queries.drop_expired(tx, before=now)
        if queries.count_suppressions(tx, now=now) >= MOST_SUPPRESSIONS:
            raise TooManySuppressions(cap=MOST_SUPPRESSIONS)
        row = queries.insert_suppression(
            tx,
            attribute_pattern=wish.attribute,
            type_pattern=wish.type,
            address_pattern=wish.address,
            reason=wish.reason,
            expires_at=wish.expires_at,
            created_by=f"{call.actor.kind}:{call.actor.id}",
            created_at=now,
        )
        facts = wish.model_dump(mode="json", exclude_none=True)
        tx.audit("analyze:plan_noise:suppressed", "noise_suppression", row["id"], **facts)
        tx.emit("org-events", {"event": "analyze:plan_noise:suppressed", "suppression_id": str(row["id"])})
        return tx.settle(Reply.created(SuppressionView.of(row)))


def end_suppression(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show the differences again."""
    suppression_id = call.path_uuid("suppression_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_suppression(tx, suppression_id)
        tx.audit(
            "analyze:plan_noise:shown_again",
            "noise_suppression",
            suppression_id,
            attribute=row["attribute_pattern"],
            reason=row["reason"],
        )
        tx.emit("org-events", {"event": "analyze:plan_noise:shown_again", "suppression_id": str(suppression_id)})
    return Reply.no_content()


def _settings(row: Mapping[str, Any] | None) -> NoiseSettingsView:
    if row is None:
        default = Settings()
        return NoiseSettingsView(**{name: getattr(default, name) for name in _NAMES}, changed_at=None)
    return NoiseSettingsView(**{name: row[name] for name in (*_NAMES, "changed_at")})


def _suppression(row: Mapping[str, Any]) -> Suppression:
    names = ("id", "attribute_pattern", "type_pattern", "address_pattern", "reason", "expires_at")
    return Suppression(**{name: row[name] for name in names})


def _seen(
    row: Mapping[str, Any], settings: NoiseSettingsView, suppressions: Sequence[Suppression], now: datetime
) -> NoiseSeenView:
    by = next((one for one in suppressions if one.covers(row["type"], row["address"], row["attribute"])), None)
    recent: Sequence[datetime] = row["recent_at"]
    since = now - timedelta(days=settings.days)
    return NoiseSeenView(
        **{
            name: row[name] for name in ("id", "type", "address", "attribute", "times", "first_seen_at", "last_seen_at")
        },
        rule=row["reason"],
        is_recurring=settings.is_enabled and len(recent) >= settings.times and recent[settings.times - 1] >= since,
        suppressed_by=by.id if by and settings.is_enabled else None,
        suppressed_until=by.expires_at if by and settings.is_enabled else None,
    )
