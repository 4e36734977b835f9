"""Calls on the asset feed of an account, and the one by which Google's Pub/Sub pushes what changed."""

from __future__ import annotations

import hmac
from uuid import UUID

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.reply import Reply
from shared.security.actor import Actor
from shared.security.errors import NotFound, SignatureRefused, Unauthenticated

from ..domain.asset_feeds import take_change
from ..domain.feed_set_up import feed_set_up
from ..domain.pushes import Push, read_push, word_of
from ..feed_models import AssetFeedView, PushAnswer, PutAssetFeed
from ..queries import accounts as account_queries
from ..queries import asset_feeds as queries
from ..wiring import ScanDeps

MOST_PUSH_BYTES = 4 * 1024 * 1024


def put_asset_feed(call: Call, deps: ScanDeps) -> Reply:
    """Make the asset feed of a Google Cloud account, or change it: pushes that prove themselves start scans."""
    account_id, wish, now = call.path_uuid("account_id"), call.body(PutAssetFeed), deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        account = account_queries.get_account(tx, account_id)
        if account["provider"] != "gcp":
            problem = {"field": "account_id", "problem": f"accounts of {account['provider']} have no asset feed"}
            raise Invalid("see `errors` for each field", errors=[problem])
        row = queries.put_feed(
            tx, account_id, new_id=deps.entropy.uuid(), push_account=wish.push_account,
            disabled_at=now if wish.is_disabled else None, now=now,
        )  # fmt: skip
        tx.audit(
            "scan:asset_feed:changed", "asset_feed", row["id"], account_id=str(account_id),
            push_account=wish.push_account, is_disabled=wish.is_disabled,
        )  # fmt: skip
    return Reply.ok(_view(deps, row, account))


def get_asset_feed(call: Call, deps: ScanDeps) -> Reply:
    """Show the asset feed of an account, what came of it, and how it is set up."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        account, row = account_queries.get_account(tx, account_id), queries.get_feed(tx, account_id)
    return Reply.ok(_view(deps, row, account))


def delete_asset_feed(call: Call, deps: ScanDeps) -> Reply:
    """Delete the asset feed of an account: nothing is let in any more, and what waits is forgotten."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_feed(tx, account_id)
        tx.audit("scan:asset_feed:deleted", "asset_feed", row["id"], account_id=str(account_id))
    return Reply.no_content()


def take_push(call: Call, deps: ScanDeps) -> Reply:
    """Take a message of an asset feed that its push account's token proves.

    A change makes a scan wait, with all that follow shortly after. What a scan that began or waits answers already is answered 200
    and changes nothing: so is every message that comes again. Nothing of the message is kept. A feed that is unknown or disabled
    is refused like a bad token: who has none does not learn which feeds there are.
    """
    feed_id = call.path_uuid("feed_id")
    feed = _proven(call, deps, feed_id)
    push = read_push(call.content)
    word = word_of(push.data)
    if word == "other":
        return Reply.ok(PushAnswer(status="ignored"))
    is_new = _take_welcome(deps, feed_id, feed) if word == "welcome" else _take_change(deps, feed_id, feed, push)
    if not is_new:
        return Reply.ok(PushAnswer(status="already_processed"))
    return Reply.accepted(PushAnswer(status="accepted"))


def _proven(call: Call, deps: ScanDeps, feed_id: UUID) -> Row:
    """Find the feed whose push account sent the call. The token is looked at first: strangers cost no look into the database."""
    try:
        sender = deps.events.sender_of(call.headers, _endpoint(deps, feed_id))
    except Unauthenticated:
        raise SignatureRefused from None
    feed = queries.find_feed(deps.db, feed_id)
    expected = feed["push_account"] if feed is not None and feed["disabled_at"] is None else ""
    if feed is None or not hmac.compare_digest(sender.encode(), expected.encode()):
        raise SignatureRefused
    return feed


def _take_welcome(deps: ScanDeps, feed_id: UUID, feed: Row) -> bool:
    if feed["welcomed_at"] is not None:
        return False
    with deps.db.unit(_actor(feed_id, feed)) as tx:
        queries.set_welcomed(tx, feed_id, now=deps.clock.now())
    return True


def _take_change(deps: ScanDeps, feed_id: UUID, feed: Row, push: Push) -> bool:
    """Note a change; returns whether that was news. Most of a burst is not, and costs no transaction."""
    now, plan = deps.clock.now(), feed["plan"]
    if take_change(feed, push.published_at, now=now, plan=plan) is None:
        return False
    try:
        with deps.db.unit(_actor(feed_id, feed)) as tx:
            held = queries.lock_feed(tx, feed_id)
            pending = take_change(held, push.published_at, now=now, plan=plan)
            if held["disabled_at"] is not None or pending is None:  # while this one waited
                return False
            due = {"since": pending.since, "changed_at": pending.changed_at, "due_at": pending.due_at}
            queries.set_pending(tx, feed_id, **due)
            return True
    except NotFound:  # deleted since it was found
        raise SignatureRefused from None


def _actor(feed_id: UUID, feed: Row) -> Actor:
    return Actor("event", f"asset_feed:{feed_id}", feed["org_id"])


def _endpoint(deps: ScanDeps, feed_id: UUID) -> str:
    return f"{deps.settings.public_url}/api/v2/asset-feeds/{feed_id}"


def _view(deps: ScanDeps, row: Row, account: Row) -> AssetFeedView:
    endpoint = _endpoint(deps, row["id"])
    texts = feed_set_up(account["external_account"], row["push_account"], endpoint)
    return AssetFeedView.of(row, endpoint=endpoint, commands=texts.commands, terraform=texts.terraform)
