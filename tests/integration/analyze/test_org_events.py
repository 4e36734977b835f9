"""Changes of how plans are judged are told on `org-events`, in the transaction that makes them: ids, and nothing that people wrote."""

from __future__ import annotations

import json
from typing import Any

from tests.support.analyze_function import AnalyzeOrg

WRITTEN = "what a person wrote"


def told(org: AnalyzeOrg) -> list[dict[str, Any]]:
    """Return what was told of an organisation, in order."""
    messages = org.function.queue.messages("org-events")
    return [dict(each.payload) for each in messages if each.attributes["org_id"] == str(org.id)]


def test_policy_rules_and_suppressions_are_told_by_their_ids(org: AnalyzeOrg) -> None:
    def admin(method: str, path: str, body: Any = None, status: int = 200) -> Any:
        return org.done(method, path, body, status, role="admin")

    admin("PUT", "/policy", {"rules": [{"id": "r", "flag_pattern": "*", "severity": "none", "reason": WRITTEN}]})
    admin("PUT", "/disabled-rules/many-destroyed", {"reason": WRITTEN})
    admin("DELETE", "/disabled-rules/many-destroyed", status=204)
    wish = {"name": "own", "title": WRITTEN, "expression": "true", "severity": "low"}
    rule = admin("POST", "/custom-rules", wish, 201)["id"]
    admin("PATCH", f"/custom-rules/{rule}", {"is_enabled": False})
    admin("DELETE", f"/custom-rules/{rule}", status=204)
    suppression = admin("POST", "/plan-noise/suppress", {"attribute": "tags", "reason": WRITTEN}, 201)["id"]
    admin("DELETE", f"/plan-noise/suppress/{suppression}", status=204)
    events = told(org)
    assert events == [
        {"event": "analyze:policy:changed", "version": 1},
        {"event": "analyze:rule:disabled", "rule_id": "many-destroyed"},
        {"event": "analyze:rule:enabled", "rule_id": "many-destroyed"},
        {"event": "analyze:custom_rule:created", "rule_id": rule},
        {"event": "analyze:custom_rule:changed", "rule_id": rule, "is_enabled": False},
        {"event": "analyze:custom_rule:deleted", "rule_id": rule},
        {"event": "analyze:plan_noise:suppressed", "suppression_id": suppression},
        {"event": "analyze:plan_noise:shown_again", "suppression_id": suppression},
    ]
    assert WRITTEN not in json.dumps(events)
    assert [action for action, _ in org.audits()] == [each["event"] for each in events]


def test_what_is_refused_is_not_told(org: AnalyzeOrg) -> None:
    org.refused("PUT", "/policy", {"rules": [], "version": 7}, 409, "policy_changed", role="admin")
    org.refused("DELETE", "/disabled-rules/%00", None, 404, "not_found", role="admin")
    assert told(org) == []
