"""Calls on webhook configs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.ports.secret_store import Secret

from ..domain import configs as domain
from ..models import ChangeConfig, ConfigView, CreateConfig, NewSecretView, RotateSecret
from ..queries import configs as queries
from ..wiring import WebhookDeps, secret_place


class _Place(TypedDict):
    """Where and when a view is made."""

    public_url: str
    now: datetime


def create_config(call: Call, deps: WebhookDeps) -> Reply:
    """Make a place that one sender delivers to; a secret that is made here is shown in this answer and never again."""
    wish = call.body(CreateConfig)
    given = wish.secret.get_secret_value() if wish.secret else None
    choice = domain.choose_secret(wish.provider, given, deps.entropy, is_needed=False)
    config_id = deps.entropy.uuid()
    sealed = _sealed(deps, call.org_id, config_id, choice.secret)
    with deps.db.unit(call.actor, call.idempotency) as tx:
        row = queries.insert_config(
            tx, id=config_id, provider=wish.provider, name=wish.name, current_secret_encrypted=sealed
        )
        facts = {"name": wish.name, "provider": wish.provider, "is_secret_made_here": choice.is_shown}
        tx.audit("webhook:config:created", "webhook_config", config_id, **facts)
        tx.emit("org-events", {"event": "webhook:config:created", "config_id": str(config_id)})
        view = NewSecretView.of(row, **_place(deps), secret=_shown(choice))
        return tx.settle(Reply.created(view, shown_once=("secret",)))


def list_configs(call: Call, deps: WebhookDeps) -> Reply:
    """List configs, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_configs(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    place = _place(deps)
    return Reply.ok(page(rows, query, lambda row: ConfigView.of(row, **place)))


def get_config(call: Call, deps: WebhookDeps) -> Reply:
    """Show one config, without its secrets."""
    config_id = call.path_uuid("config_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_config(tx, config_id)
    return Reply.ok(ConfigView.of(row, **_place(deps)))


def change_config(call: Call, deps: WebhookDeps) -> Reply:
    """Rename a config, switch it off or on, or end the grace of its previous secret."""
    config_id, wish = call.path_uuid("config_id"), call.body(ChangeConfig)
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        config = queries.lock_config(tx, config_id)
        disabled_at = config["disabled_at"]
        if wish.is_disabled is not None:
            disabled_at = (disabled_at or now) if wish.is_disabled else None
        ends_grace = wish.end_grace is not None
        row = queries.change_config(
            tx,
            config_id,
            name=wish.name,
            disabled_at=disabled_at,
            previous_secret_encrypted=None if ends_grace else config["previous_secret_encrypted"],
            previous_expires_at=None if ends_grace else config["previous_expires_at"],
        )
        facts = wish.model_dump(exclude_none=True)
        tx.audit("webhook:config:changed", "webhook_config", config_id, **facts)
        tx.emit("org-events", {"event": "webhook:config:changed", "config_id": str(config_id)})
    return Reply.ok(ConfigView.of(row, **_place(deps)))


def delete_config(call: Call, deps: WebhookDeps) -> Reply:
    """Remove a config with what was delivered to it; from then on nothing is let in."""
    config_id = call.path_uuid("config_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_config(tx, config_id)
        tx.audit("webhook:config:deleted", "webhook_config", config_id, name=row["name"], provider=row["provider"])
        tx.emit("org-events", {"event": "webhook:config:deleted", "config_id": str(config_id)})
    return Reply.no_content()


def rotate_secret(call: Call, deps: WebhookDeps) -> Reply:
    """Put a new secret in the place of the present one, which goes on working for the grace.

    Without grace the present one, and one whose grace is not over, are dead with this answer.
    """
    config_id, wish = call.path_uuid("config_id"), call.body(RotateSecret)
    given = wish.secret.get_secret_value() if wish.secret else None
    now = deps.clock.now()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        config = queries.lock_config(tx, config_id)
        rotation = domain.rotate(config, timedelta(seconds=wish.grace_seconds), now=now)
        choice = domain.choose_secret(config["provider"], given, deps.entropy, is_needed=True)
        row = queries.rotate_secret(
            tx,
            config_id,
            current_secret_encrypted=_sealed(deps, call.org_id, config_id, choice.secret),
            previous_secret_encrypted=rotation.previous_secret_encrypted,
            previous_expires_at=rotation.previous_expires_at,
            rotated_at=now,
        )
        facts = {"is_secret_made_here": choice.is_shown, "previous_expires_at": _text(rotation.previous_expires_at)}
        tx.audit("webhook:config:rotated", "webhook_config", config_id, name=row["name"], **facts)
        tx.emit("org-events", {"event": "webhook:config:rotated", "config_id": str(config_id), **facts})
        view = NewSecretView.of(row, **_place(deps), secret=_shown(choice))
        return tx.settle(Reply.created(view, shown_once=("secret",)))


def _sealed(deps: WebhookDeps, org_id: UUID, config_id: UUID, secret: Secret | None) -> bytes | None:
    return deps.envelope.seal(secret, secret_place(org_id, config_id)) if secret else None


def _shown(choice: domain.Choice) -> str | None:
    return choice.secret.reveal().decode() if choice.secret and choice.is_shown else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _place(deps: WebhookDeps) -> _Place:
    return {"public_url": deps.settings.public_url, "now": deps.clock.now()}
