"""Rules over the wire: those built in, those switched off, and an organisation's own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.analyze.queries.rulebook import load_rulebook
from shared.rules.engine import ALL_RULES
from shared.rules.values import UNKNOWN
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.database import actor_in
from tests.support.http_app import call

from .test_analyses import change_of


def own_rule(name: str = "no-public-acl", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "title": "No public ACL", "expression": 'change.after.acl == "public-read"', "severity": "high", **more,
    }  # fmt: skip


def make(org: AnalyzeOrg, name: str = "no-public-acl", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = org.done("POST", "/custom-rules", own_rule(name, **more), 201, role="admin")
    return found


def try_out(org: AnalyzeOrg, expression: str, change: Any, status: int = 200) -> dict[str, Any]:
    body = {"expression": expression, "change": change}
    found: dict[str, Any] = org.done("POST", "/custom-rules/test", body, status, role="admin")
    return found


# built in


def builtin(org: AnalyzeOrg, query: str = "") -> dict[str, Any]:
    response = call(org.function.app, "GET", f"/api/v2/builtin-rules{query}", token=org.token("viewer"))
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = json.loads(response.get_data())
    return found


def test_every_rule_is_listed_once_over_all_pages(org: AnalyzeOrg) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = builtin(org, f"?limit=40{cursor}")
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == sorted([*(rule.id for rule in ALL_RULES), "open-drift-reverted"])


def test_rules_are_found_by_family_flag_type_and_provider(org: AnalyzeOrg) -> None:
    for query, is_right in (
        ("flag=public-ingress", lambda item: item["flag"] == "public-ingress"),
        ("family=destruction", lambda item: item["family"] == "destruction"),
        ("provider=azurerm", lambda item: any(kind.startswith(("azurerm_", "*")) for kind in item["types"])),
        ("type=aws_s3_bucket&flag=stateful-resource-destruction", lambda item: item["id"] == "stateful-destroyed"),
    ):
        items = builtin(org, f"?limit=200&{query}")["items"]
        assert items, query
        assert all(map(is_right, items)), query
    for query in ("flag=nope", "provider=oracle", "nope=1", "cursor=%21"):
        response = call(org.function.app, "GET", f"/api/v2/builtin-rules?{query}", token=org.token())
        assert response.status_code == 422, query


def test_rules_say_what_they_are_about(org: AnalyzeOrg) -> None:
    (item,) = builtin(org, "?type=aws_s3_bucket&flag=stateful-resource-destruction")["items"]
    assert item["severity"] == "critical"
    assert item["title"]
    assert item["reason"]
    assert item["remedy"]
    assert "aws_s3_bucket" in item["types"]


# switched off


def test_a_rule_is_switched_off_and_on(org: AnalyzeOrg) -> None:
    path = "/disabled-rules/stateful-destroyed"
    org.refused("GET", path, None, 404, "not_found")
    org.done("PUT", path, {"reason": "we rebuild nightly"}, role="admin")
    changed = org.done("PUT", path, {"reason": "we rebuild weekly"}, role="admin")
    assert changed["reason"] == "we rebuild weekly"
    assert org.done("GET", path, role="viewer") == changed
    org.done("PUT", "/disabled-rules/many-destroyed", {"reason": "small"}, role="admin")
    first = org.done("GET", "/disabled-rules?limit=1", role="viewer")
    assert [item["rule_id"] for item in first["items"]] == ["many-destroyed"]
    rest = org.done("GET", f"/disabled-rules?cursor={first['next_cursor']}", role="viewer")
    assert (rest["items"], rest["next_cursor"]) == ([changed], None)
    org.done("DELETE", path, status=204, role="admin")
    org.refused("DELETE", path, None, 404, "not_found", role="admin")
    assert [(action, facts.get("reason")) for action, facts in org.audits()] == [
        ("analyze:rule:disabled", "we rebuild nightly"), ("analyze:rule:disabled", "we rebuild weekly"),
        ("analyze:rule:disabled", "small"), ("analyze:rule:enabled", None),
    ]  # fmt: skip


def test_only_rules_that_there_are_can_be_switched_off_and_only_with_a_reason(org: AnalyzeOrg) -> None:
    org.refused("PUT", "/disabled-rules/nope", {"reason": "x"}, 404, "not_found", role="admin")
    org.refused("DELETE", "/disabled-rules/%00", None, 404, "not_found", role="admin")
    org.refused("PUT", "/disabled-rules/custom-x", {"reason": "x"}, 404, "not_found", role="admin")
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "x", "more": 1}):
        org.refused("PUT", "/disabled-rules/many-destroyed", body, 422, "invalid", role="admin")
    org.refused("PUT", "/disabled-rules/many-destroyed", {"reason": "x"}, 403, "role_required", role="member")


# of one's own


def test_a_rule_is_made_changed_and_deleted(org: AnalyzeOrg) -> None:
    made = make(org, resource_pattern="aws_s3_*", remedy="Use a policy.")
    assert (made["rule_id"], made["is_enabled"], made["reason"]) == ("custom-no-public-acl", True, "")
    path = f"/custom-rules/{made['id']}"
    assert org.done("GET", path, role="viewer") == made
    org.function.clock.advance(timedelta(minutes=1).total_seconds())
    changed = org.done(
        "PATCH",
        path,
        {"severity": "critical", "resource_pattern": None, "is_enabled": False, "title": None},
        role="admin",
    )
    moved = {"severity": "critical", "resource_pattern": None, "is_enabled": False, "changed_at": changed["changed_at"]}
    assert changed == {**made, **moved}
    assert changed["changed_at"] != made["changed_at"]
    second = make(org, "second")
    assert [item["id"] for item in org.done("GET", "/custom-rules")["items"]] == [second["id"], made["id"]]
    page = org.done("GET", "/custom-rules?limit=1")
    assert org.done("GET", f"/custom-rules?cursor={page['next_cursor']}")["items"] == [changed]
    org.done("DELETE", path, status=204, role="admin")
    org.refused("GET", path, None, 404, "not_found")
    org.refused("PATCH", path, {}, 404, "not_found", role="admin")
    org.refused("DELETE", path, None, 404, "not_found", role="admin")
    assert [action for action, _ in org.audits()] == [
        "analyze:custom_rule:created", "analyze:custom_rule:changed", "analyze:custom_rule:created", "analyze:custom_rule:deleted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"expression": "change.after.acl =="}, "expression"),
        ({"expression": "change.nope == 1"}, "expression"),
        ({"expression": "'text'"}, "expression"),
        ({"expression": "x" * 2_001}, "expression"),
        ({"name": "Not This"}, "name"),
        ({"severity": "none"}, "severity"),
        ({"resource_pattern": "aws_s3_bucket.logs"}, "resource_pattern"),
        ({"resource_pattern": ""}, "resource_pattern"),
        ({"title": ""}, "title"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(org: AnalyzeOrg, wrong: dict[str, Any], field: str) -> None:
    problem = org.refused("POST", "/custom-rules", own_rule(**wrong), 422, "invalid", role="admin")
    assert [item["field"] for item in problem["errors"]] == [field]
    if field not in {"name", "more"}:
        path = f"/custom-rules/{make(org)['id']}"
        problem = org.refused("PATCH", path, wrong, 422, "invalid", role="admin")
        assert [item["field"] for item in problem["errors"]] == [field]


def test_a_name_is_taken_once_and_there_is_an_end_to_rules(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    make(org)
    assert (
        org.refused("POST", "/custom-rules", own_rule(), 409, "custom_rule_exists", role="admin")["name"]
        == "no-public-acl"
    )
    function.database.owner.run(
        "insert into analysis.custom_rules (org_id, name, title, expression, severity, created_by, created_at, changed_at) "
        "select :org_id, 'r' || n, 't', 'true', 'low', 'x', now(), now() from generate_series(1, 99) n",
        org_id=org.id,
    )
    assert (
        org.refused("POST", "/custom-rules", own_rule("more"), 409, "too_many_custom_rules", role="admin")["cap"] == 100
    )
    make(AnalyzeOrg.make(function))


def test_an_expression_is_tried_on_a_change(org: AnalyzeOrg) -> None:
    change = change_of("aws_s3_bucket.logs", ["update"], {"acl": "private"}, {"acl": "public-read"})
    found = try_out(org, 'change.after.acl == "public-read"', change)
    assert found == {
        "outcome": "matched", "message": "", "unknown": [],
        "evidence": [{"path": "acl", "before": "private", "after": "public-read"}],
    }  # fmt: skip
    assert try_out(org, "change.is_delete", change)["outcome"] == "not_matched"
    failed = try_out(org, "change.after.nope == 1", change)
    assert (failed["outcome"], "nope" in failed["message"]) == ("failed", True)
    assert org.done("GET", "/custom-rules")["items"] == []


def test_what_is_sensitive_or_unknown_stays_hidden_in_a_trial(org: AnalyzeOrg) -> None:
    change = change_of(
        "aws_db_instance.main", ["update"], {"password": "hunter2hunter2"}, {"password": "hunter2hunter3"},
        before_sensitive={"password": True}, after_sensitive={"password": True}, after_unknown={"arn": True},
    )  # fmt: skip
    assert try_out(org, 'change.after.password == "hunter2hunter3"', change)["outcome"] == "not_matched"
    found = try_out(org, 'change.after.arn != "x" && change.after.password != ""', change)
    assert (found["outcome"], sorted(found["unknown"])) == ("matched", ["arn", "password"])
    assert "hunter2" not in json.dumps(found)
    assert str(UNKNOWN) in json.dumps(found)


def test_a_trial_says_what_is_wrong(org: AnalyzeOrg) -> None:
    for body, field in (
        ({"expression": "nope", "change": {}}, "expression"),
        ({"expression": "true", "change": []}, "change"),
        ({"expression": "true"}, "change"),
    ):
        problem = org.refused("POST", "/custom-rules/test", body, 422, "invalid", role="admin")
        assert [item["field"] for item in problem["errors"]] == [field], body
    for change in ({}, {"address": "a.b", "type": "a", "change": {"actions": "update"}}):
        body = {"expression": "true", "change": change}
        problem = org.refused("POST", "/custom-rules/test", body, 422, "plan_unreadable", role="admin")
        assert "resource_changes[0]" in problem["detail"]


def test_organisations_do_not_meet(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    other = AnalyzeOrg.make(function)
    path = f"/custom-rules/{make(org)['id']}"
    org.done("PUT", "/disabled-rules/many-destroyed", {"reason": "small"}, role="admin")
    other.refused("GET", path, None, 404, "not_found")
    other.refused("PATCH", path, {"severity": "low"}, 404, "not_found", role="admin")
    other.refused("DELETE", path, None, 404, "not_found", role="admin")
    other.refused("DELETE", "/disabled-rules/many-destroyed", None, 404, "not_found", role="admin")
    assert other.done("GET", "/custom-rules")["items"] == []
    assert other.done("GET", "/disabled-rules")["items"] == []


# the rulebook


def test_the_rulebook_is_read_in_one_round_trip(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    make(org)
    make(org, "off", is_enabled=False)
    org.done("PUT", "/disabled-rules/many-destroyed", {"reason": "small"}, role="admin")
    accepted = {"id": "a", "flag_pattern": "*", "severity": "none", "reason": "r"}
    for _ in range(2):
        org.done("PUT", "/policy", {"rules": [accepted]}, role="admin")
    org.done("PUT", "/plan-noise/settings", {"times": 2, "days": 7, "hides_recurring": True}, role="admin")
    now = function.clock.now()
    for attribute, ends_at in (("tags", None), ("etag", (now + timedelta(hours=1)).isoformat())):
        body = {"attribute": attribute, "reason": "known", "expires_at": ends_at}
        org.done("POST", "/plan-noise/suppress", body, 201, role="admin")
    with function.db.unit(actor_in(org.id)) as tx:
        seen = [load_rulebook(tx, now), load_rulebook(tx, now + timedelta(hours=1))]
    book = seen[0]
    assert (book.policy.version, [rule.id for rule in book.policy.rules]) == (2, ["a"])
    assert book.disabled == {"many-destroyed"}
    assert [(item.rule.id, item.program is not None) for item in book.custom] == [("custom-no-public-acl", True)]
    assert (book.noise.times, book.noise.days, book.noise.hides_recurring) == (2, 7, True)
    assert [[one.attribute_pattern for one in found.suppressions] for found in seen] == [["tags", "etag"], ["tags"]]


def test_the_rulebook_of_an_organisation_that_set_nothing(org: AnalyzeOrg, function: AnalyzeFunction) -> None:
    from functions.analyze.domain.rulebook import Rulebook

    make(AnalyzeOrg.make(function))
    with function.db.unit(actor_in(org.id)) as tx:
        assert load_rulebook(tx, function.clock.now()) == Rulebook()
