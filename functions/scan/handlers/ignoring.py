"""Calls on ignore rules, and on what people say of drift."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.data.errors import WriteConflict
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply

from ..domain.ignoring import MOST_RULES, IgnoreRule
from ..errors import TooManyIgnoreRules
from ..models import DriftView
from ..queries import drift as drift_queries
from ..queries import ignoring as queries
from ..triage_models import ChangeDrift, CreateIgnoreRule, IgnoreRuleView
from ..wiring import ScanDeps

_LONGEST = timedelta(days=366)
_PAGE, _MOST_PAGES = 1000, 50  # what is left is hidden by the next comparison
_PATTERNS = ("type", "address", "cloud_id", "tag", "path")


def create_ignore_rule(call: Call, deps: ScanDeps) -> Reply:
    """Stop showing some drift: at once what is known already, and whatever scans find from now on."""
    wish, now = call.body(CreateIgnoreRule), deps.clock.now()
    _check_future("expires_at", wish.expires_at, now)
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if not tx.try_lock("ignore-rules"):
            raise WriteConflict
        queries.drop_expired_rules(tx, before=now)
        if len(queries.list_live_rules(tx, now=now, most=MOST_RULES)) >= MOST_RULES:
            raise TooManyIgnoreRules(cap=MOST_RULES)
        row = queries.insert_rule(
            tx,
            **{f"{name}_pattern": getattr(wish, name) for name in _PATTERNS},
            most_severity=wish.most_severity,
            reason=wish.reason,
            expires_at=wish.expires_at,
            created_by=f"{call.actor.kind}:{call.actor.id}",
            created_at=now,
        )
        hidden = _hide(tx, IgnoreRule.of(row), now)
        facts = wish.model_dump(mode="json", exclude_none=True)
        tx.audit("scan:ignore_rule:created", "ignore_rule", row["id"], hidden=hidden, **facts)
        tx.emit("org-events", {"event": "scan:ignore_rule:created", "ignore_rule_id": str(row["id"])})
        return tx.settle(Reply.created(IgnoreRuleView.of(row)))


def list_ignore_rules(call: Call, deps: ScanDeps) -> Reply:
    """List ignore rules, newest first; those that are over stay until another one is made."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_rules(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, IgnoreRuleView.of))


def get_ignore_rule(call: Call, deps: ScanDeps) -> Reply:
    """Show one ignore rule."""
    ignore_rule_id = call.path_uuid("ignore_rule_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_rule(tx, ignore_rule_id)
    return Reply.ok(IgnoreRuleView.of(row))


def delete_ignore_rule(call: Call, deps: ScanDeps) -> Reply:
    """Show again what a rule hides."""
    ignore_rule_id = call.path_uuid("ignore_rule_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_rule(tx, ignore_rule_id)
        tx.audit("scan:ignore_rule:deleted", "ignore_rule", ignore_rule_id, reason=row["reason"])
        tx.emit("org-events", {"event": "scan:ignore_rule:deleted", "ignore_rule_id": str(ignore_rule_id)})
    return Reply.no_content()


def change_drift(call: Call, deps: ScanDeps) -> Reply:
    """Acknowledge an open item, give it to somebody, or ignore it until some day.

    What is said of an item holds as long as the item is what it was: one that gets worse or changes again is shown again.
    """
    item_id, wish, now = call.path_uuid("item_id"), call.body(ChangeDrift), deps.clock.now()
    _check_future("ignored_until", wish.ignored_until, now)
    said = wish.model_fields_set
    with deps.db.unit(call.actor) as tx:
        row = drift_queries.lock_open_item(tx, item_id)
        if wish.is_acknowledged is not None:
            by = f"{call.actor.kind}:{call.actor.id}"
            row["acknowledged_at"], row["acknowledged_by"] = (now, by) if wish.is_acknowledged else (None, None)
        for name in said & {"assignee", "ignored_until"}:
            row[name] = getattr(wish, name)
        if wish.reason is not None:
            row["note"] = wish.reason
        changed = drift_queries.set_item(tx, item_id, row)
        facts = wish.model_dump(mode="json", include=said - {"reason"})
        tx.audit("scan:drift:changed", "drift_item", item_id, reason=wish.reason or "", **facts)
    return Reply.ok(DriftView.of(changed))


def _hide(tx: UnitOfWork, rule: IgnoreRule, now: datetime) -> int:
    """Hide what is known already, in bounded pages; returns how many items."""
    after_id: UUID | None = None
    hidden = 0
    for _ in range(_MOST_PAGES):
        rows = queries.list_shown_items(tx, rule.id, after_id=after_id, now=now, most=_PAGE)
        ids = [row["id"] for row in rows if rule.covers(row, row["tags"])]
        if ids:
            queries.set_rule(tx, rule.id, ids)
            hidden += len(ids)
        if len(rows) < _PAGE:
            break
        after_id = rows[-1]["id"]
    return hidden


def _check_future(field: str, moment: datetime | None, now: datetime) -> None:
    problems: dict[str, Any] = {}
    if moment is not None and moment <= now:
        problems = {"field": field, "problem": "that is over already"}
    elif field == "ignored_until" and moment is not None and moment > now + _LONGEST:
        problems = {"field": field, "problem": "at most a year ahead; a rule may have no end"}
    if problems:
        raise Invalid("see `errors` for each field", errors=[problems])
