"""Calls on the policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from shared.data.errors import WriteConflict
from shared.http.call import Call
from shared.http.errors import Invalid
from shared.http.reply import Reply
from shared.security.errors import NotFound

from ..errors import PolicyChanged
from ..models.policy import PolicyQuery, PolicyView, PutPolicy
from ..queries import policy as queries
from ..wiring import AnalyzeDeps

_ETAG = re.compile(r'(?:W/)?"(\d{1,10})"')
_FIELD = re.compile(r"rules\.(\d{1,4})(?:\.|$)")


def get_policy(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show the policy that holds, or an earlier version."""
    wanted = call.query(PolicyQuery).version
    with deps.db.unit(call.actor) as tx:
        row = queries.get_policy(tx, wanted)
    if row is None and wanted is not None:
        raise NotFound
    return _reply(row)


def put_policy(call: Call, deps: AnalyzeDeps) -> Reply:
    """Replace the policy; the version counts up, and the one before is kept."""
    wish = _read_wish(call)
    expected = {version for version in (wish.version, _if_match(call)) if version is not None}
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if not tx.try_lock("policy"):
            raise WriteConflict
        present = queries.get_policy(tx)
        version = 0 if present is None else int(present["version"])
        if expected - {version}:
            raise PolicyChanged(version=version)
        row = queries.insert_policy(
            tx,
            version=version + 1,
            rules=[rule.model_dump() for rule in wish.rules],
            changed_by=f"{call.actor.kind}:{call.actor.id}",
            created_at=deps.clock.now(),
        )
        tx.audit("analyze:policy:changed", "policy", version + 1, rules=len(wish.rules), version_before=version)
        tx.emit("org-events", {"event": "analyze:policy:changed", "version": version + 1})
        return tx.settle(_reply(row))


def _reply(row: Mapping[str, Any] | None) -> Reply:
    view = PolicyView.of(row)
    reply = Reply.ok(view)
    reply.headers["ETag"] = f'"{view.version}"'
    return reply


def _read_wish(call: Call) -> PutPolicy:
    """Read the body; a problem of a rule names the rule by its id too."""
    try:
        return call.body(PutPolicy)
    except Invalid as error:
        problems = cast("list[dict[str, object]]", error.facts["errors"])
        raise Invalid(error.detail, errors=[_named(call.json, problem) for problem in problems]) from None


def _named(body: Mapping[str, Any], problem: dict[str, object]) -> dict[str, object]:
    found = _FIELD.match(str(problem["field"]))
    if found is None:
        return problem
    rule = body["rules"][int(found[1])]
    name = rule.get("id") if isinstance(rule, dict) else None
    return {**problem, "rule": name[:63] if isinstance(name, str) else None}


def _if_match(call: Call) -> int | None:
    """Return the version that `If-Match` names; None without one, and for `*`."""
    text = call.headers.get("if-match", "").strip()
    if text in {"", "*"}:
        return None
    found = _ETAG.fullmatch(text)
    if found is None:
        raise Invalid(
            "see `errors` for each field", errors=[{"field": "If-Match", "problem": "not an ETag of a policy"}]
        )
    return int(found[1])
