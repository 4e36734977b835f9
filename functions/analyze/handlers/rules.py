"""Calls on the rules that are built in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from shared.http.call import Call
from shared.http.paging import TextPageQuery, text_page, write_text_cursor
from shared.http.reply import Reply
from shared.rules.engine import ALL_RULES
from shared.rules.rule import Rule
from shared.security.errors import NotFound

from ..domain.open_drift import REVERTED
from ..models.rules import (
    BuiltinRulePage,
    BuiltinRulesQuery,
    BuiltinRuleView,
    DisabledRuleView,
    DisableRule,
)
from ..queries import rules as queries
from ..wiring import AnalyzeDeps

_ID = re.compile(r"[a-z0-9-]{1,100}")
_RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.id: rule for rule in sorted((*ALL_RULES, REVERTED), key=lambda rule: rule.id)}
)


def list_builtin_rules(call: Call, _deps: AnalyzeDeps) -> Reply:
    """List the rules that are built in, by id."""
    query = call.query(BuiltinRulesQuery)
    after_id = query.after_text()
    found = [rule for rule in _RULES.values() if _is_wanted(rule, query) and (after_id is None or rule.id > after_id)]
    shown = found[: query.limit]
    next_cursor = write_text_cursor(shown[-1].id) if len(found) > query.limit else None
    return Reply.ok(BuiltinRulePage(items=[BuiltinRuleView.of(rule) for rule in shown], next_cursor=next_cursor))


def list_disabled_rules(call: Call, deps: AnalyzeDeps) -> Reply:
    """List the built-in rules that say nothing, by id."""
    query = call.query(TextPageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_disabled(tx, after_id=query.after_text(), most=query.limit + 1)
    return Reply.ok(text_page(rows, query, DisabledRuleView.of, by="rule_id"))


def get_disabled_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show why a built-in rule says nothing."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_disabled(tx, _rule_id(call))
    return Reply.ok(DisabledRuleView.of(row))


def disable_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Let a built-in rule say nothing from now on; a second call gives a new reason."""
    wish, rule_id = call.body(DisableRule), _rule_id(call)
    with deps.db.unit(call.actor) as tx:
        by = f"{call.actor.kind}:{call.actor.id}"
        row = queries.disable_rule(tx, rule_id, reason=wish.reason, disabled_by=by, created_at=deps.clock.now())
        tx.audit("analyze:rule:disabled", "builtin_rule", rule_id, reason=wish.reason)
        tx.emit("org-events", {"event": "analyze:rule:disabled", "rule_id": rule_id})
    return Reply.ok(DisabledRuleView.of(row))


def enable_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Let a built-in rule speak again."""
    rule_id = call.path["rule_id"]
    if _ID.fullmatch(rule_id) is None:  # a rule that there is no more can be switched on all the same
        raise NotFound
    with deps.db.unit(call.actor) as tx:
        queries.enable_rule(tx, rule_id)
        tx.audit("analyze:rule:enabled", "builtin_rule", rule_id)
        tx.emit("org-events", {"event": "analyze:rule:enabled", "rule_id": rule_id})
    return Reply.no_content()


def _rule_id(call: Call) -> str:
    rule_id = call.path["rule_id"]
    if rule_id not in _RULES:
        raise NotFound
    return rule_id


def _is_wanted(rule: Rule, query: BuiltinRulesQuery) -> bool:
    return (
        (query.family is None or rule.family == query.family)
        and (query.flag is None or rule.flag == query.flag)
        and (query.type is None or any(fnmatchcase(query.type, pattern) for pattern in rule.types))
        and (query.provider is None or any(pattern.startswith((f"{query.provider}_", "*")) for pattern in rule.types))
    )
