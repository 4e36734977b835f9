"""Calls on an organisation's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.data.errors import UniqueViolated, WriteConflict
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.paging import page
from shared.http.reply import Reply
from shared.security.redact import redact, redact_text

from ..domain.cel import ExpressionRefused, compile_expression
from ..domain.custom_rules import ID_PREFIX, MOST_RULES, Trial, try_rule
from ..domain.plan import read_plan
from ..errors import CustomRuleExists, TooManyCustomRules
from ..models.analyses import EvidenceView
from ..models.rules import (
    ChangeCustomRule,
    CreateCustomRule,
    CustomRulesQuery,
    CustomRuleTrial,
    CustomRuleView,
    TryCustomRule,
)
from ..queries import rules as queries
from ..wiring import AnalyzeDeps

_CHANGEABLE = ("title", "expression", "severity", "reason", "remedy", "resource_pattern", "is_enabled")


def create_custom_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Make a rule; its expression is compiled first."""
    wish = call.body(CreateCustomRule)
    _check(wish.expression)
    by = f"{call.actor.kind}:{call.actor.id}"
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if not tx.try_lock("custom-rules"):
            raise WriteConflict
        if queries.count_custom(tx) >= MOST_RULES:
            raise TooManyCustomRules(cap=MOST_RULES)
        try:
            row = queries.insert_custom(tx, **wish.model_dump(), created_by=by, now=deps.clock.now())
        except UniqueViolated as error:
            raise CustomRuleExists(name=wish.name) from error
        tx.audit("analyze:custom_rule:created", "custom_rule", row["id"], **_facts(row))
        tx.emit("org-events", {"event": "analyze:custom_rule:created", "rule_id": str(row["id"])})
        return tx.settle(Reply.created(_view(row)))


def list_custom_rules(call: Call, deps: AnalyzeDeps) -> Reply:
    """List the organisation's own rules, newest first."""
    query = call.query(CustomRulesQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_custom(tx, after_id=query.after_id(), most=query.limit + 1)
    return Reply.ok(page(rows, query, _view))


def get_custom_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show one of the organisation's own rules."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_custom(tx, call.path_uuid("rule_id"))
    return Reply.ok(_view(row))


def change_custom_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Change a rule; its name stays, as findings and policies know it by that."""
    rule_id, wish = call.path_uuid("rule_id"), call.body(ChangeCustomRule)
    given = {
        name: value
        for name, value in wish.model_dump(exclude_unset=True).items()
        if value is not None or name == "resource_pattern"
    }
    if wish.expression is not None:
        _check(wish.expression)
    with deps.db.unit(call.actor) as tx:
        present = queries.lock_custom(tx, rule_id)
        values = {name: present[name] for name in _CHANGEABLE} | given
        row = queries.change_custom(tx, rule_id, **values, now=deps.clock.now())
        tx.audit("analyze:custom_rule:changed", "custom_rule", rule_id, **_facts(row), changed=sorted(given))
        facts = {"rule_id": str(rule_id), "is_enabled": row["is_enabled"]}
        tx.emit("org-events", {"event": "analyze:custom_rule:changed", **facts})
    return Reply.ok(_view(row))


def delete_custom_rule(call: Call, deps: AnalyzeDeps) -> Reply:
    """Delete a rule; analyses that were made by it stay as they are."""
    rule_id = call.path_uuid("rule_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_custom(tx, rule_id)
        tx.audit("analyze:custom_rule:deleted", "custom_rule", rule_id, **_facts(row))
        tx.emit("org-events", {"event": "analyze:custom_rule:deleted", "rule_id": str(rule_id)})
    return Reply.no_content()


def try_custom_rule(call: Call, _deps: AnalyzeDeps) -> Reply:
    """Try an expression on one change; nothing is stored."""
    wish = call.body(TryCustomRule)
    _check(wish.expression)
    plan = read_plan({"format_version": "1.2", "terraform_version": "", "resource_changes": [wish.change]})
    if not plan.changes:
        raise _invalid("change", "there is no change in it")
    return Reply.ok(_trial(try_rule(wish.expression, plan.changes[0], plan)))


def _check(expression: str) -> None:
    try:
        compile_expression(expression)
    except ExpressionRefused as error:
        raise _invalid("expression", error.problem) from None


def _invalid(field: str, problem: str) -> Invalid:
    return Invalid("see `errors` for each field", errors=[{"field": field, "problem": problem}])


def _view(row: Mapping[str, Any]) -> CustomRuleView:
    return CustomRuleView.of(row, rule_id=f"{ID_PREFIX}{row['name']}")


def _facts(row: Mapping[str, Any]) -> dict[str, object]:
    return {"name": row["name"], "severity": row["severity"], "is_enabled": row["is_enabled"]}


def _trial(trial: Trial) -> CustomRuleTrial:
    return CustomRuleTrial(
        outcome=trial.outcome.kind,
        message=redact_text(trial.outcome.message),
        evidence=[
            EvidenceView(path=item.path, before=redact(item.before), after=redact(item.after))
            for item in trial.evidence
        ],
        unknown=list(trial.unknown),
    )
