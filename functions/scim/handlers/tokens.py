"""The tokens that an organisation's directory calls with: made, listed, revoked by admins."""

from __future__ import annotations

from uuid import UUID

from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.security.api_keys import SCIM_PREFIX, hash_key, make_key
from shared.security.plans import require_feature

from ..errors import TokenExpiryPast, TokenLimitReached, TokenRevoked
from ..models.setup import CreateScimToken, NewScimTokenView, ScimTokenView
from ..queries import tokens as queries
from .answers import base_url

MOST_LIVE_TOKENS = 2  # the one in use, and the one that takes over from it


def create_scim_token(call: Call, deps: Deps) -> Reply:
    """Make a token for the organisation's directory; it is shown in this answer and never again.

    At most two work at a time: to rotate, make the second, put it into the directory, revoke the first.
    """
    require_feature("scim", call.actor.plan)
    wish, now = call.body(CreateScimToken), deps.clock.now()
    if wish.expires_at is not None and wish.expires_at <= now:
        raise TokenExpiryPast
    token = make_key(deps.entropy, SCIM_PREFIX)
    pepper_version, pepper = deps.peppers.newest()
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if queries.count_live_tokens(tx, now=now) >= MOST_LIVE_TOKENS:
            raise TokenLimitReached
        row = queries.insert_token(
            tx,
            public_id=token.public_id,
            secret_hash=hash_key(token, pepper),
            pepper_version=pepper_version,
            name=wish.name,
            created_by=UUID(call.actor.id),
            expires_at=wish.expires_at,
        )
        tx.audit("scim:access_token:created", "scim_token", row["id"], name=wish.name, expires_at=wish.expires_at)
        tx.emit("org-events", {"event": "scim:access_token:created", "directory_id": str(row["id"])})
        view = NewScimTokenView.made(row, raw_token=token.reveal(), scim_endpoint=base_url(call, deps))
        return tx.settle(Reply.created(view, shown_once=("raw_token",)))


def list_scim_tokens(call: Call, deps: Deps) -> Reply:
    """List the tokens of the organisation's directory, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_tokens(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, ScimTokenView.of))


def revoke_scim_token(call: Call, deps: Deps) -> Reply:
    """End a token's life; it is refused everywhere at once."""
    token_id = call.path_uuid("token_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.lock_token(tx, token_id)
        if row["revoked_at"] is not None:
            raise TokenRevoked(revoked_at=row["revoked_at"].isoformat())
        queries.set_token_revoked(tx, token_id, deps.clock.now())
        tx.audit("scim:access_token:revoked", "scim_token", token_id, name=row["name"])
        tx.emit("org-events", {"event": "scim:access_token:revoked", "directory_id": str(token_id)})
    return Reply.no_content()
