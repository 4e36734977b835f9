"""Parse, unit of work, reply."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.api_keys import hash_key, make_key

from . import domain, queries
from .models import CreateKey, KeyView, NewKeyView, RotateKey


def create_key(call: Call, deps: Deps) -> Reply:
    """Make a key; it is shown in this answer and never again."""
    wish = call.body(CreateKey)
    key = make_key(deps.entropy)
    pepper_version, pepper = deps.peppers.newest()
    now = deps.clock.now()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        live_keys = queries.count_live_keys(tx, now=now)
        scopes = domain.make(wish.scopes, call.actor, wish.expires_at, live_keys, now=now)
        row = queries.insert_key(
            tx,
            public_id=key.public_id,
            secret_hash=hash_key(key, pepper),
            pepper_version=pepper_version,
            name=wish.name,
            scopes=scopes,
            cidrs=wish.cidrs,
            created_by=UUID(call.actor.id),
            expires_at=wish.expires_at,
            replaces_id=None,
        )
        bound = {"cidrs": wish.cidrs} if wish.cidrs else {}
        tx.audit("keys:api_key:created", "api_key", row["id"], name=wish.name, scopes=scopes, **bound)
        tx.emit("org-events", {"event": "keys:api_key:created", "key_id": str(row["id"])})
        view = NewKeyView(raw_key=key.reveal(), **KeyView.of(row).model_dump())
        return tx.settle(Reply.created(view, shown_once=("raw_key",)))


def list_keys(call: Call, deps: Deps) -> Reply:
    """List keys, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_keys(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, KeyView.of))


def get_key(call: Call, deps: Deps) -> Reply:
    """Show one key, without the key itself."""
    key_id = call.path_uuid("key_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_key(tx, key_id)
    return Reply.ok(KeyView.of(row))


def rotate_key(call: Call, deps: Deps) -> Reply:
    """Make a key that takes over from another; it is shown in this answer and never again.

    Name, scopes, networks and expiry stay; the old key goes on working for the grace, never past its own expiry.
    """
    key_id, wish = call.path_uuid("key_id"), call.body(RotateKey)
    key = make_key(deps.entropy)
    pepper_version, pepper = deps.peppers.newest()
    now = deps.clock.now()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        old = queries.lock_key(tx, key_id)
        older = queries.get_key(tx, old["replaces_id"]) if old["replaces_id"] else None
        rotation = domain.rotate(old, older, call.actor, timedelta(seconds=wish.grace_seconds), now=now)
        queries.set_expires_at(tx, key_id, rotation.old_ends_at)
        row = queries.insert_key(
            tx,
            public_id=key.public_id,
            secret_hash=hash_key(key, pepper),
            pepper_version=pepper_version,
            name=old["name"],
            scopes=rotation.scopes,
            cidrs=old["cidrs"],
            created_by=UUID(call.actor.id),
            expires_at=rotation.new_ends_at,
            replaces_id=key_id,
        )
        facts = {"new_key_id": str(row["id"]), "old_ends_at": rotation.old_ends_at.isoformat()}
        tx.audit("keys:api_key:rotated", "api_key", key_id, name=old["name"], **facts)
        tx.emit("org-events", {"event": "keys:api_key:rotated", "key_id": str(key_id), **facts})
        view = NewKeyView(raw_key=key.reveal(), **KeyView.of(row).model_dump())
        reply = tx.settle(Reply.created(view, shown_once=("raw_key",)))
    deps.authenticator.forget_key(key_id)
    return reply


def revoke_key(call: Call, deps: Deps) -> Reply:
    """End a key's life; it is refused here at once and everywhere within five seconds."""
    key_id = call.path_uuid("key_id")
    with deps.db.unit(call.actor) as tx:
        key = queries.lock_key(tx, key_id)
        queries.set_revoked_at(tx, key_id, domain.revoke(key, now=deps.clock.now()))
        tx.audit("keys:api_key:revoked", "api_key", key_id, name=key["name"])
        tx.emit("org-events", {"event": "keys:api_key:revoked", "key_id": str(key_id)})
    deps.authenticator.forget_key(key_id)
    return Reply.no_content()
